"""Reading a report back: what another run, or another hand, wrote, looked at before anything is made of it."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catalog.errors import ConfigError, DataError

Report = Mapping[str, Any]

WANTED = {
    "model_type": "an object", "dict_type": "an object", "string_type": "a text", "int_type": "a whole number",
    "float_type": "a number or null", "finite_number": "a number or null", "string_unicode": "a text",
    "greater_than_equal": "a whole number from 0", "string_pattern_mismatch": "the name of an .npz file beside it",
}  # fmt: skip
"""What would be valid, by the kind of pydantic's fault; its own words for the others."""


class _Read(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)


class _Metric(_Read):
    mean: float | None
    """None: no user has a value."""


class _Model(_Read):
    metrics: dict[str, _Metric] = Field(min_length=1)
    """By name, e.g. `ndcg@20`."""


class _Split(_Read):
    source: str | None = None
    """The rule or the label column that made the parts."""


class _Report(_Read):
    """What `vitrine compare` reads of a report; there is more in it for others."""

    models: dict[str, _Model] = Field(min_length=1)
    """Rows by name."""
    dataset: str
    """Its name."""
    protocol: str
    """Which split."""
    data_key: str
    """Content key of the catalogue."""
    n_users: int = Field(ge=0)
    """Judged users."""
    split: _Split = _Split()
    """How the parts were made."""
    per_user: str | None = Field(None, max_length=255, pattern=r"^[^/\\\x00]+\.npz$")
    """Name of the file of every user's values, in the report's folder."""


def read_reports(path: Path) -> tuple[Report, ...]:
    """Return the reports of a JSON file that `vitrine eval` wrote, one a protocol, each with its `"file"`.

    Raises:
        ConfigError: When there is no such file.
        DataError: When it holds no report, or one that lacks what a comparison needs; the text names the place.
    """
    if not path.is_file():
        raise ConfigError(f"report {str(path)!r} is no file; a JSON report that vitrine eval wrote would be valid")
    try:
        whole = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"report {str(path)!r} is not JSON: {error}") from error
    several = isinstance(whole, dict) and bool(whole.get("reports"))
    parts: Any = whole["reports"] if several else [whole]
    if not isinstance(parts, list):
        raise DataError(f"report {str(path)!r}: reports is {reprlib.repr(parts)}; a list would be valid")
    return tuple(
        {**_checked(part, str(path), ("reports", at) if several else ()), "file": str(path)}
        for at, part in enumerate(parts)
    )


def _checked(part: Any, file: str, where: Sequence[str | int]) -> dict[str, Any]:
    try:
        _Report.model_validate(part)
    except ValidationError as error:
        raise DataError(f"report {file!r}{_fault(error, where)}") from error
    return dict(part)


def _fault(error: ValidationError, before: Sequence[str | int]) -> str:
    """Return the first fault: what has no such entry, or which entry is what."""
    first = error.errors(include_url=False)[0]
    place, kind, found = list(first["loc"]), first["type"], first["input"]
    if kind == "model_type" and (not place or (found is None and place[0] == "models")):
        place.append({0: "models", 2: "metrics", 4: "mean"}[len(place)])
        kind = "missing"
    path = [str(each) for each in (*before, *place)]
    if kind in ("missing", "too_short") or (kind == "dict_type" and found is None):
        owner = f": {'.'.join(path[:-1])}" if path[:-1] else ""
        return f"{owner} has no {path[-1]}"
    return f": {'.'.join(path)} is {reprlib.repr(found)}; {WANTED.get(kind, first['msg'])} would be valid"
