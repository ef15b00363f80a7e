"""What of a trace a replay reads: its form, checked before a line of a file is held again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from catalog.errors import DataError

VALID = "what `vitrine traces export` wrote would be valid"
_SHOWN = 80


def _moment(value: Any) -> Any:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Past(_Part):
    role: str
    text: str
    item_ids: list[str]


class _Spoken(_Part):
    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str | None
    certain: bool = True
    confidence: float | None = None
    language: str | None = None
    reason: str | None = None


class _Asked(_Part):
    top_n: int = Field(ge=1)
    said: int
    history: list[_Past]
    message: str = ""
    spoken: _Spoken | None = None


class _Call(_Part):
    id: str | None
    name: str
    arguments: str | dict[str, Any] | None


class _Response(_Part):
    text: str | None = None
    calls: list[_Call] | None = None
    finish: str | None = None
    usage: dict[str, Any] | None = None


class _Run(_Part):
    mind: str
    responses: list[_Response] = []


class _Answer(_Part):
    disclosures: list[str]


class _Replayable(_Part):
    trace_id: str = Field(min_length=1)
    request_id: str = Field(min_length=1)
    session_id: str = Field(pattern=r"^[\x21-\x7e]{1,64}$")
    user_id: str | None = Field(min_length=1)
    message: str
    # Events up to a microsecond later are asked for, in UTC: the calendar's two ends have none.
    started_at: Annotated[AwareDatetime, BeforeValidator(_moment)] = Field(
        gt=datetime(1970, 1, 1, tzinfo=UTC), lt=datetime(9999, 1, 1, tzinfo=UTC)
    )
    asked: _Asked
    minds: list[_Run]
    answer: _Answer


def check_replayable(trace: dict[str, Any], place: str) -> None:
    """Refuse a trace that a replay could not read.

    Args:
        trace: One line of a file, as JSON gives it.
        place: File and line, for the text of the error.

    Raises:
        DataError: A part of it is missing or of another form; the text names the part and its value.
    """
    try:
        _Replayable.model_validate(trace, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        part = ".".join(map(str, first["loc"]))
        if first["type"] == "missing":
            raise DataError(f"{place}: {part!r} is missing; {VALID}") from error
        shown = json.dumps(first["input"], ensure_ascii=False, default=str)
        shown = shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
        raise DataError(
            f"{place}: {part!r} is {shown} ({first['msg'][0].lower()}{first['msg'][1:]}); {VALID}"
        ) from error
