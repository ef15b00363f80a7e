"""The fields every request shares, and what they refuse."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from api.config import ApiConfig
from api.problems import ApiProblem
from catalog.filters import Filters

_HALF = re.compile("[\ud800-\udfff]")
SOMETHING = r"[^\x00-\x20\x7f-\xa0\s]"
"""Pattern of a text that is not blank, in every dialect of regular expressions."""
_SAYS_SOMETHING = re.compile(SOMETHING)
_PRINTABLE = r"^[^\x00-\x1f\x7f]+$"

ExternalId = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=_PRINTABLE)]
SessionId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[\x21-\x7e]+$")]


def _whole(number: Any) -> Any:
    """Return `1.0` as `1`: JSON has one kind of number."""
    return int(number) if isinstance(number, float) and number.is_integer() else number


Whole = Annotated[int, BeforeValidator(_whole)]
TopN = Annotated[Whole, Field(strict=True, ge=1, description="Most items to return.")]


class Unicode(BaseModel):
    """A model whose texts can be written down: JSON may hold half a surrogate pair, UTF-8 may not."""

    @model_validator(mode="before")
    @classmethod
    def _writable(cls, data: Any) -> Any:
        place = _unwritable(data)
        if place is not None:
            raise PydanticCustomError("unicode", "half a surrogate pair is no text", {"field": place})
        return data


class Body(Unicode):
    """A request's body: unknown fields are refused by name, NaN and infinity are no numbers, `1` is not `true`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


def _of_json_types(filters: Any, place: str = "") -> Any:
    """Refuse the `0` for `false` and the `"5"` for `5` that tools forgive a model."""
    if isinstance(filters, dict):
        if not isinstance(filters.get("available"), bool | None):
            _refuse(f"{place}available", "true, false or null would be valid")
        price = filters.get("price")
        for end, value in price.items() if isinstance(price, dict) else ():
            if isinstance(value, bool | str):
                _refuse(f"{place}price.{end}", "a number would be valid")
        _of_json_types(filters.get("not"), f"{place}not.")
    return filters


def _refuse(place: str, valid: str) -> NoReturn:
    raise PydanticCustomError("json_type", "{valid}", {"field": place, "valid": valid})


WireFilters = Annotated[Filters, BeforeValidator(_of_json_types)]


def check_top_n(top_n: int, config: ApiConfig) -> int:
    """Return `top_n`, or refuse it when the service's limit is lower."""
    if top_n > config.max_top_n:
        raise ApiProblem(422, f"top_n: {top_n} is more than one answer holds; 1 to {config.max_top_n}", field="top_n")
    return top_n


def check_message(message: str, config: ApiConfig, field: str = "message") -> str:
    """Return `message`, or refuse it when it is empty or too long."""
    if not _SAYS_SOMETHING.search(message):
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


def _unwritable(value: Any, place: str = "") -> str | None:
    """Return where in `value` a text stands that is no Unicode, or None."""
    if isinstance(value, str):
        return place if _HALF.search(value) else None
    named: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        if any(_HALF.search(str(name)) for name in value):
            return place
        named = value.items()
    elif isinstance(value, list):
        named = enumerate(value)
    inner = (_unwritable(part, f"{place}.{name}".lstrip(".")) for name, part in named)
    return next((found for found in inner if found is not None), None)
