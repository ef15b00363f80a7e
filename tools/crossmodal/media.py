"""Media of a query from files or data URLs: decoded within the limits, or one line that says why not."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image

from catalog.errors import MediaError
from catalog.media import SampledVideo, open_picture, picture_from_bytes, read_sound, sample_clip
from catalog.media.sniff import HEAD, sniff
from catalog.vectors import Floats
from tools.crossmodal.senses import Senses

Source = Path | str
"""A file, or a data URL."""
Medium = Literal["image", "video", "audio"]

_HEAD = re.compile(r"data:(image|audio|video)/[\w.+-]{1,64}(?:;[\w-]{1,32}=[\w.,+\"' -]{1,64}){0,4};base64", re.ASCII)
_EXAMPLES: dict[Medium, str] = {"image": "image/jpeg", "video": "video/mp4", "audio": "audio/wav"}
_LONGEST_HEAD = 400


@dataclass(frozen=True, eq=False)
class MediaQuery:
    """What is looked for, any mix of it.

    Attributes:
        text: Words.
        picture: Upright RGB.
        voice: Mono samples at 16 kHz, (n,).
        video: Frames of a film with their times.
    """

    text: str | None = None
    picture: Image.Image | None = None
    voice: Floats | None = None
    video: SampledVideo | None = None

    @property
    def shows(self) -> bool:
        """Whether it holds anything but words."""
        return self.picture is not None or self.voice is not None or self.video is not None


def read_query(
    senses: Senses,
    text: str | None = None,
    *,
    picture: Source | None = None,
    voice: Source | None = None,
    video: Source | None = None,
) -> MediaQuery:
    """Decode the media of a query.

    Args:
        senses: Whose limits hold.
        text: Words.
        picture: A file or a data URL.
        voice: A recording, or a film whose sound track is heard.
        video: A film.

    Raises:
        MediaError: When one cannot be decoded, is too large or too long; the text names it.
    """
    limits = senses.config.limits()
    return MediaQuery(
        (text or "").strip() or None,
        None if picture is None else read_picture(senses, picture),
        None if voice is None else read_sound(_sound(voice, limits.max_sound_bytes), Path(), limits),
        None if video is None else read_video(senses, video),
    )


def read_picture(senses: Senses, source: Source) -> Image.Image:
    """Return a picture, upright RGB.

    Raises:
        MediaError: As `read_query`.
    """
    limits = senses.config.limits()
    if isinstance(source, Path):
        return open_picture(str(source.absolute()), Path(), limits)
    return picture_from_bytes(data_bytes(source, ("image",), limits.max_picture_bytes), limits)


def read_video(senses: Senses, source: Source) -> SampledVideo:
    """Return the frames of a film.

    Raises:
        MediaError: As `read_query`.
    """
    limits, budget = senses.config.limits(), senses.config.budget(senses.frames)
    if isinstance(source, Path):
        still = _picture_form(_head(source))
        return _moving(sample_clip(str(source.absolute()), Path(), limits, budget), still)
    data = data_bytes(source, ("video",), limits.max_video_bytes)
    with TemporaryDirectory(prefix="vitrine-") as folder:
        (Path(folder) / "upload").write_bytes(data)
        return _moving(sample_clip("upload", Path(folder), limits, budget), _picture_form(data[:HEAD]))


def _head(path: Path) -> bytes:
    """Return a file's first bytes; none where it cannot be read, which the decoder tells better."""
    try:
        if not path.is_file():
            return b""
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError:
        return b""


def _picture_form(head: bytes) -> str | None:
    found = sniff(head)
    return found.form if found is not None and found.kind == "image" else None


def _moving(film: SampledVideo, picture: str | None) -> SampledVideo:
    """Refuse a still picture: it would be searched as a film in which nothing moves.

    Raises:
        MediaError: When the film is one frame of a picture's form.
    """
    if picture is not None and len(film.frames) == 1:
        raise MediaError(f"is a still picture ({picture}), no film; as a picture it would be valid")
    return film


def data_bytes(url: str, media: tuple[Medium, ...], most: int) -> bytes:
    """Return what a data URL holds.

    Args:
        url: `data:image/jpeg;base64,...`; what it says of itself beyond the medium is not believed.
        media: What it may be.
        most: Bytes.

    Raises:
        MediaError: When it is no data URL of these media, no base64, empty or too large.
    """
    head, comma, _ = url[:_LONGEST_HEAD].partition(",")
    found = _HEAD.fullmatch(head)
    if not comma or found is None or found[1] not in media:
        example = f"data:{_EXAMPLES[media[0]]};base64,..."
        raise MediaError(f"starts with {url[:24]!r}; a data URL such as {example!r} would be valid")
    size = (len(url) - len(head) - 1) * 3 // 4
    if size > most:
        raise MediaError(f"has {size:,} bytes; up to {most:,} would be valid")
    try:
        data = base64.b64decode(url[len(head) + 1 :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise MediaError(f"starts with {url[:24]!r} and is no base64: {str(error)[:100]}") from error
    if not data:
        raise MediaError(f"starts with {url[:24]!r} and is empty; bytes of a file would be valid")
    return data


def _sound(source: Source, most: int) -> str | bytes:
    # Browsers record sound into WebM, which many of them name video.
    return str(source.absolute()) if isinstance(source, Path) else data_bytes(source, ("audio", "video"), most)
