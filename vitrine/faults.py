"""What pydantic found wrong, as one line: which value, where it came from, what would be valid."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import BaseModel, ValidationError

from catalog.errors import did_you_mean
from vitrine.reference import nested_model


def fault_line(
    error: ValidationError, model: type[BaseModel], noun: str, origin: str = "", hidden: Collection[str] = ()
) -> str:
    """Return the first fault of `error`.

    Args:
        error: What validating `model` raised.
        model: The class that was validated; its fields are what would be valid.
        noun: What a field is called, e.g. `setting`.
        origin: Where the value came from, e.g. `vitrine.toml`; empty when that is plain.
        hidden: Fields, by their dotted paths, whose values are not repeated: a password may stand there.
    """
    first = error.errors()[0]
    place = tuple(first["loc"])
    path, kind = ".".join(map(str, place)), first["type"]
    source = f" (from {origin})" if origin else ""
    if kind == "extra_forbidden":
        return f"unknown {noun} {path!r}{source}. {did_you_mean(str(place[-1]), _fields(model, place[:-1]))}"
    if kind == "missing":
        return f"{noun} {path!r} is missing; it is needed where {'.'.join(map(str, place[:-1]))!r} is set{source}"
    said = "what it cannot be" if path in hidden else repr(first["input"])
    return f"{noun} {path!r} is {said}{source}: {_valid(kind, first['msg'], model, place)}"


def _valid(kind: str, message: str, model: type[BaseModel], place: tuple[str | int, ...]) -> str:
    fields = _fields(model, place)
    if fields:
        return f"it is a group; one of its own settings would be valid ({', '.join(fields)})"
    if kind in ("tuple_type", "list_type"):
        return 'a list would be valid, e.g. ["a", "b"]'
    name = str(place[-1]) if place else ""
    if kind == "string_pattern_mismatch" and (name == "url" or name.endswith("_url")):
        return "an address that begins with http:// or https:// would be valid"
    if kind == "string_pattern_mismatch" and name == "currency":
        return "an ISO 4217 code in capital letters would be valid, e.g. 'EUR'"
    return message.removeprefix("Value error, ").replace("Input should be", "it should be", 1)


def _fields(model: type[BaseModel], place: tuple[str | int, ...]) -> list[str]:
    """Return the field names of the group at `place`; none where a value stands there."""
    for part in place:
        field = model.model_fields.get(str(part))
        inner = nested_model(field.annotation) if field else None
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)
