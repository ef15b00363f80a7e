"""Trials of a hyper-parameter search, and the file that keeps them so that a killed search goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from catalog.errors import DataError
from models.search_spaces import Space, Value, nested

State = Literal["finished", "pruned", "failed"]


@dataclass(frozen=True)
class Trial:
    """One set of parameters and its best validation value; None where it failed, for `reason`."""

    number: int
    parameters: Mapping[str, Value]
    state: State
    value: float | None
    history: tuple[float, ...]
    seconds: float
    reason: str | None = None


@dataclass(frozen=True)
class Found:
    """What a search found; `best` is the finished trial with the highest value, the earlier one of equals."""

    model: str
    best: Trial
    trials: tuple[Trial, ...]
    space: Space
    fixed: Mapping[str, Any]
    timed_out: bool

    @property
    def parameters(self) -> dict[str, Any]:
        """The settings to use, fixed ones included, as `EvalConfig.overrides` takes them."""
        return merged(self.fixed, nested(self.best.parameters))


def read_trials(path: Path) -> list[Trial]:
    """Return the trials a file keeps, in order; none when there is no file.

    A last line that a killed run left half written is dropped, and of trials of one number the first counts.

    Raises:
        DataError: When another line is damaged.
    """
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    trials: dict[int, Trial] = {}
    for number, line in enumerate(lines):
        if number == len(lines) - 1 and not line.endswith("\n"):
            break
        try:
            raw = json.loads(line)
            trials.setdefault(raw["number"], Trial(**{**raw, "history": tuple(raw["history"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise DataError(f"{str(path)!r} line {number + 1} is no trial; remove the file to search anew") from error
    return list(trials.values())


def append_trial(path: Path, trial: Trial, known: Sequence[Trial]) -> None:
    """Add one line; a half-written line of an earlier run is cut off first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and not path.read_bytes().endswith(b"\n"):
        path.write_text("".join(_line(each) for each in known), encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:
        file.write(_line(trial))


def merged(fixed: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return both as one tree; where both have a leaf, `found` has it."""
    out = dict(fixed)
    for name, value in found.items():
        below = out.get(name)
        out[name] = merged(below, value) if isinstance(value, Mapping) and isinstance(below, Mapping) else value
    return out


def leaf(tree: Mapping[str, Any], setting: str) -> tuple[bool, Any]:
    """Return whether a dotted setting stands in a tree, and its value."""
    value: Any = tree
    for part in setting.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False, None
        value = value[part]
    return True, value


def _line(trial: Trial) -> str:
    return json.dumps(asdict(trial), ensure_ascii=False) + "\n"
