"""Every user's values beside a report, held to the report they belong to."""

from __future__ import annotations

import lzma
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.npyio import NpzFile

from catalog.errors import DataError
from eval.metrics import WHOLE_NAMES, Values
from eval.report_reading import Report

SAME_MEAN = 1e-6
"""How far a report's mean may be from that of the values beside it: both are written in full."""

UNREADABLE = (
    OSError, ValueError, KeyError, EOFError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error, lzma.LZMAError,
)  # fmt: skip
"""What numpy and zipfile raise for a file that is none of theirs, or damaged."""


def place_of_values(report: Report) -> Path | None:
    """Return where every user's values of a report should be, None where it names no file."""
    return Path(report["file"]).parent / report["per_user"] if report.get("per_user") else None


def kept_values(report: Report) -> dict[str, Values]:
    """Return every user's values, (n_users,) float64 by `model<tab>metric`; {} where the file is not there.

    Raises:
        DataError: When the file is damaged, lacks values, or holds others than the report was made from.
    """
    path = place_of_values(report)
    if path is None or not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            stored = np.load(file, allow_pickle=False)
            if not isinstance(stored, NpzFile):
                raise ValueError("a single array")
            held = {name: np.asarray(stored[name]) for name in stored.files}
    except UNREADABLE as error:
        fault = f"{str(path)!r} is no file of every user's values ({_line(error)})"
        raise DataError(f"{fault}; {_again(report)}") from error
    return {
        f"{model}\t{name}": _values(held, model, name, metric["mean"], report, path)
        for model, row in report["models"].items()
        for name, metric in row["metrics"].items()
        if name.partition("@")[0] not in WHOLE_NAMES
    }


def _values(held: Mapping[str, Any], model: str, metric: str, mean: float | None, report: Report, path: Path) -> Values:
    """Return the values of one cell as they must be: one a user, with the mean that the report has."""
    what = f"{str(path)!r} and report {report['file']!r} are not of one run: {model!r} by {metric!r} has"
    values = held.get(f"{model}\t{metric}")
    if values is None:
        raise DataError(f"{what} no values; {_again(report)}")
    if values.dtype.kind != "f" or values.shape != (report["n_users"],):
        raise DataError(
            f"{what} values of shape {values.shape} and type {values.dtype}, where ({report['n_users']},) floats, one "
            f"a user, would be valid; {_again(report)}"
        )
    each: Values = values.astype(np.float64)
    known = each[np.isfinite(each)]
    found = float(known.mean()) if len(known) else None
    alike = found is None if mean is None else found is not None and abs(found - mean) <= SAME_MEAN * max(1, abs(mean))
    if not alike:
        raise DataError(f"{what} a mean of {found} beside the report's {mean}; {_again(report)}")
    return each


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]


def _again(report: Report) -> str:
    return f"write {report['file']!r} anew by vitrine eval (finished cells are not fitted again)"
