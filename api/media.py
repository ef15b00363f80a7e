"""Pictures, films and voices in a request's body: data URLs, decoded within limits or refused by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from pydantic import Field

from api.fields import Body
from api.problems import ApiProblem
from catalog.errors import MediaError, NotBuiltError
from tools.crossmodal.media import MediaQuery, read_query
from tools.crossmodal.senses import Senses

_PARTS: Mapping[str, str] = {"picture": "image", "voice": "audio", "video": "video"}
"""Field of the body by part of a query."""


class MediaBody(Body):
    """Media of something like what is wanted, beside or in place of words."""

    image: str | None = Field(None, description="A picture as a data URL, e.g. `data:image/jpeg;base64,...`.")
    video: str | None = Field(None, description="A film as a data URL, e.g. `data:video/mp4;base64,...`.")
    audio: str | None = Field(None, description="A voice that says the wish, as a data URL (`data:audio/...`).")

    @property
    def media(self) -> dict[str, str]:
        """The data URLs there are, by field."""
        found = {"image": self.image, "video": self.video, "audio": self.audio}
        return {name: url for name, url in found.items() if url is not None}

    def digests(self) -> dict[str, str]:
        """Return what tells these media from others, by field."""
        return {name: hashlib.sha256(url.encode()).hexdigest() for name, url in self.media.items()}


def query_of(body: MediaBody, text: str | None, senses: Senses) -> MediaQuery:
    """Return the query with its media decoded.

    Raises:
        ApiProblem: 422 when one of them cannot be; it names the field.
    """
    read = MediaQuery(text)
    for part, field in _PARTS.items():
        if (url := body.media.get(field)) is None:
            continue
        try:
            found = read_query(senses, **{part: url})
        except MediaError as error:
            raise ApiProblem(422, f"{field}: {error}", field=field) from error
        read = replace(read, **{part: getattr(found, part)})
    return read


@contextmanager
def looked_at() -> Iterator[None]:
    """Turn what a search says of media that nothing here can look at, or hear, into a problem that names the field.

    Raises:
        ApiProblem: 501 when a model is missing, 422 when nobody is heard.
    """
    try:
        yield
    except NotBuiltError as error:
        raise ApiProblem(501, str(error), field=_field(error)) from error
    except MediaError as error:
        raise ApiProblem(422, str(error), field=_field(error)) from error


def _field(error: Exception) -> str | None:
    return _PARTS.get(str(error).partition(":")[0])
