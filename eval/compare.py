"""Two reports side by side: what changed, and whether it is more than chance."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from catalog.errors import ConfigError, DataError
from eval.intervals import paired_test
from eval.metrics import Values

SAME = ("dataset", "protocol", "data_key", "n_users")
"""What two reports must share for their figures to be of the same thing."""


def read_report(path: Path) -> dict[str, Any]:
    """Return the first report of a JSON file that `vitrine eval` wrote.

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
    report = whole["reports"][0] if isinstance(whole, dict) and whole.get("reports") else whole
    if not isinstance(report, dict) or not isinstance(report.get("models"), dict):
        raise DataError(f"report {str(path)!r} has no models; a JSON report that vitrine eval wrote would be valid")
    return {**report, "folder": str(path.parent)}


def compare(a: Mapping[str, Any], b: Mapping[str, Any], *, anyway: bool = False) -> str:
    """Return a Markdown table of every model and metric the reports share, `b` against `a`.

    Where both keep their per-user values for the same users, the difference has a paired 95% interval and p;
    else only the means stand side by side.

    Raises:
        DataError: When the reports are of different data or protocols, unless `anyway`; the text names what differs.
    """
    differs = [f"{name} {a.get(name)!r} and {b.get(name)!r}" for name in SAME if a.get(name) != b.get(name)]
    if a.get("split", {}).get("source") != b.get("split", {}).get("source"):
        differs.append(f"split {a.get('split', {}).get('source')!r} and {b.get('split', {}).get('source')!r}")
    if differs and not anyway:
        raise DataError(f"the reports differ in {'; '.join(differs)}: reports of one split would be valid, or --anyway")
    lines = [f"- not of the same thing: {each}" for each in differs]
    lines += ["| model | metric | a | b | b - a | 95% interval | p |", "|---|---|---|---|---|---|---|"]
    ours, theirs = ({} if differs else _per_user(report) for report in (a, b))
    for model, row in b["models"].items():
        before = a["models"].get(model)
        for metric, value in row["metrics"].items():
            if before is None or metric not in before["metrics"]:
                continue
            lines.append(_line(model, metric, before["metrics"][metric], value, ours, theirs))
    missing = sorted(set(a["models"]) ^ set(b["models"]))
    lines += [f"\nOnly in one of them: {', '.join(missing)}."] if missing else []
    return "\n".join(lines) + "\n"


def _line(
    model: str,
    metric: str,
    a: Mapping[str, Any],
    b: Mapping[str, Any],
    ours: dict[str, Values],
    theirs: dict[str, Values],
) -> str:
    if a["mean"] is None or b["mean"] is None:
        return f"| {model} | {metric} | no user | no user | | | |"
    cells = f"| {model} | {metric} | {a['mean']:.4f} | {b['mean']:.4f} | {b['mean'] - a['mean']:+.4f} |"
    key = f"{model}\t{metric}"
    if key not in ours or key not in theirs or len(ours[key]) != len(theirs[key]):
        return f"{cells} not kept | |"
    paired = paired_test(theirs[key], ours[key], seed=0)
    return f"{cells} [{paired.difference.low:+.4f}, {paired.difference.high:+.4f}] | {paired.p:.4f} |"


def _per_user(report: Mapping[str, Any]) -> dict[str, Values]:
    """Return the kept per-user values by `model<tab>metric`; {} where there are none."""
    path = Path(report["folder"]) / str(report.get("per_user", ""))
    if not report.get("per_user") or not path.is_file():
        return {}
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
