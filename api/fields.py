"""The fields every request shares, and what they refuse."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.config import ApiConfig
from api.problems import ApiProblem

_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"

ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=_PRINTABLE)]
SessionId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_PRINTABLE)]
TopN = Annotated[int, Field(strict=True, ge=1, description="Most items to return.")]


class Body(BaseModel):
    """A request's body: unknown fields are refused by name, NaN and infinity are no numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def check_top_n(top_n: int, config: ApiConfig) -> int:
    """Return `top_n`, or refuse it when the service's limit is lower."""
    if top_n > config.max_top_n:
        raise ApiProblem(422, f"top_n: {top_n} is more than one answer holds; 1 to {config.max_top_n}", field="top_n")
    return top_n


def check_message(message: str, config: ApiConfig, field: str = "message") -> str:
    """Return `message`, or refuse it when it is empty or too long."""
    if not message.strip():
        raise ApiProblem(422, f"{field}: is empty; say what you are looking for", field=field)
    if len(message) > config.max_message_chars:
        detail = f"{field}: {len(message)} characters; up to {config.max_message_chars} would be valid"
        raise ApiProblem(422, detail, field=field)
    return message


def check_image(image: str, field: str) -> str:
    """Return a picture given as a data URL, or refuse it."""
    if not image.startswith("data:image/") or ";base64," not in image[:64]:
        detail = f"{field}: starts with {image[:24]!r}; a data URL such as 'data:image/jpeg;base64,...' would be valid"
        raise ApiProblem(422, detail, field=field)
    return image
