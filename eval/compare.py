"""Two reports side by side: what changed, and whether it is more than chance."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import ConfigError, DataError
from eval.columns import aligned
from eval.intervals import paired_test
from eval.metrics import Values

Report = Mapping[str, Any]

SAME = ("dataset", "protocol", "data_key", "n_users")
"""What two reports must share for their figures to be of the same thing."""

HEADER = ("model", "metric", "a", "b", "b - a", "95% interval", "p")

AGAIN = "write it anew by vitrine eval --json (finished cells are not fitted again)"


def read_reports(path: Path) -> tuple[Report, ...]:
    """Return the reports of a JSON file that `vitrine eval` wrote, one a protocol, each with its `"file"`.

    Raises:
        ConfigError: When there is no such file.
        DataError: When it holds no report.
    """
    if not path.is_file():
        raise ConfigError(f"report {str(path)!r} is no file; a JSON report that vitrine eval wrote would be valid")
    try:
        whole = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise DataError(f"report {str(path)!r} is not JSON: {error}") from error
    parts = whole["reports"] if isinstance(whole, dict) and whole.get("reports") else [whole]
    if not all(isinstance(part, dict) and isinstance(part.get("models"), dict) for part in parts):
        raise DataError(f"report {str(path)!r} has no models; a JSON report that vitrine eval wrote would be valid")
    return tuple({**part, "file": str(path)} for part in parts)


def compare(first: Sequence[Report], second: Sequence[Report], *, anyway: bool = False) -> str:
    """Return every protocol that two files share, as `compared` sets them side by side.

    Where they share none, the first of each is taken, which only `anyway` allows.

    Raises:
        DataError: When the reports are of different data or protocols, unless `anyway`; the text names what differs.
    """
    ours, theirs = ({report.get("protocol"): report for report in reports} for reports in (first, second))
    shared = [name for name in ours if name in theirs]
    pairs = [(ours[name], theirs[name]) for name in shared] or [(first[0], second[0])]
    texts = [compared(a, b, anyway=anyway) for a, b in pairs]
    left = [f"{name} ({file})" for file, mine, other in (("a", ours, theirs), ("b", theirs, ours))
            for name in mine if shared and name not in other]  # fmt: skip
    return "\n".join([*texts, *([f"Protocols in one file alone: {', '.join(left)}.\n"] if left else [])])


def compared(a: Report, b: Report, *, anyway: bool = False) -> str:
    """Return a table of every model and metric two reports share, `b` against `a`.

    Where both keep their per-user values for the same users, the difference has a paired 95% interval and p;
    else only the means stand side by side, and a line says what is missing and how to get it.

    Raises:
        DataError: When the reports are of different data or protocols, unless `anyway`; the text names what differs.
    """
    differs = [f"{name} {a.get(name)!r} and {b.get(name)!r}" for name in SAME if a.get(name) != b.get(name)]
    if a.get("split", {}).get("source") != b.get("split", {}).get("source"):
        differs.append(f"split {a.get('split', {}).get('source')!r} and {b.get('split', {}).get('source')!r}")
    if differs and not anyway:
        raise DataError(f"the reports differ in {'; '.join(differs)}: reports of one split would be valid, or --anyway")
    lines = [f"{name}: {_named(report)}" for name, report in (("a", a), ("b", b))]
    lines += [f"not of the same thing: {each}" for each in differs]
    ours, theirs = ({} if differs else _per_user(report) for report in (a, b))
    rows = list(_rows(a, b, ours, theirs))
    if rows:
        lines += ["", *aligned([HEADER, *rows], left=2), ""]
        lines += [] if differs else [why for report in (a, b) if (why := _missing(report))]
    else:
        lines += [f"No model has a metric in both. a: {_holds(a)}; b: {_holds(b)}."]
    missing = sorted(set(a["models"]) ^ set(b["models"]))
    lines += [f"Models in one of them alone: {', '.join(missing)}."] if missing and rows else []
    return "\n".join(lines).rstrip() + "\n"


def _named(report: Report) -> str:
    users = f", {report['n_users']} users" if "n_users" in report else ""
    return f"{report['file']} ({report.get('dataset')}, protocol {report.get('protocol')}{users})"


def _holds(report: Report) -> str:
    """Return what was measured: every model and every metric."""
    metrics = dict.fromkeys(metric for row in report["models"].values() for metric in row["metrics"])
    return f"{', '.join(report['models'])} by {', '.join(metrics)}"


def _rows(a: Report, b: Report, ours: Mapping[str, Values], theirs: Mapping[str, Values]) -> Iterator[tuple[str, ...]]:
    for model, row in b["models"].items():
        before = a["models"].get(model, {"metrics": {}})["metrics"]
        for metric, value in row["metrics"].items():
            if metric in before:
                yield _row(model, metric, before[metric]["mean"], value["mean"], ours, theirs)


def _row(
    model: str, metric: str, a: float | None, b: float | None, ours: Mapping[str, Values], theirs: Mapping[str, Values]
) -> tuple[str, ...]:
    if a is None or b is None:
        return model, metric, *("no user" if each is None else f"{each:.4f}" for each in (a, b)), "", "", ""
    cells = (model, metric, f"{a:.4f}", f"{b:.4f}", f"{b - a:+.4f}")
    key = f"{model}\t{metric}"
    if key not in ours or key not in theirs or len(ours[key]) != len(theirs[key]):
        return *cells, "-", ""
    paired = paired_test(theirs[key], ours[key], seed=0)
    return *cells, f"[{paired.difference.low:+.4f}, {paired.difference.high:+.4f}]", f"{paired.p:.4f}"


def _missing(report: Report) -> str | None:
    """Say why a report has no per-user values and how to get them, None where it has them."""
    kept = report.get("per_user")
    if not kept:
        return f"No intervals: {report['file']!r} names no file of every user's values; {AGAIN}."
    if not _place(report).is_file():
        return (
            f"No intervals: every user's values of {report['file']!r} should be in {str(_place(report))!r}, which is "
            f"not there; copy {str(kept)!r} from where the report was made, or {AGAIN}."
        )
    return None


def _place(report: Report) -> Path:
    return Path(report["file"]).parent / str(report.get("per_user"))


def _per_user(report: Report) -> dict[str, Values]:
    """Return the kept per-user values by `model<tab>metric`; {} where there are none."""
    if not report.get("per_user") or not _place(report).is_file():
        return {}
    with np.load(_place(report), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
