"""The report of a reproduction: JSON for machines, and the table a person reads beside the paper's claim."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.intervals import Interval, paired_test
from eval.metrics import Values
from eval.table import Row

RESAMPLES = 2000

Spaces = Mapping[str, str]
"""Role -> embedding space."""


@dataclass(frozen=True, eq=False)
class Chosen:
    """A row of the comparison: what it reads, the settings that validation chose, and its test values.

    Attributes:
        tried: Every candidate with its best validation value.
    """

    title: str
    spaces: Spaces
    parameters: Mapping[str, Any]
    tried: Sequence[tuple[Mapping[str, Any], float]]
    row: Row


def rows_json(chosen: Sequence[Chosen], metrics: Sequence[str], select_by: str) -> dict[str, Any]:
    """Return `n_users`, `rows` by title, and the `gains` of each over the first on the first metric."""
    first, *others = chosen
    return {
        "n_users": len(first.row.users),
        "rows": {each.title: _row_json(each, select_by) for each in chosen},
        "gains": {each.title: _gain_json(each, first, metrics[0]) for each in others},
    }


def relative_gain(values: Values, baseline: Values, *, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """Return by how many percent the mean of `values` (n_users,) lies above that of `baseline`, the users paired.

    Both means are taken over the same resampled users, so what moves them together cancels.
    Source: percentile bootstrap, as `eval.intervals.bootstrap_interval`.
    """
    rng = np.random.default_rng(seed)
    gains = np.empty(resamples)
    for n in range(resamples):
        drawn = rng.integers(0, len(values), len(values))
        below = baseline[drawn].mean()
        gains[n] = (values[drawn].mean() / below - 1) * 100 if below else np.nan
    low, high = np.nanquantile(gains, [0.025, 0.975]) if np.isfinite(gains).any() else (np.nan, np.nan)
    mean = baseline.mean()
    return Interval(float((values.mean() / mean - 1) * 100) if mean else float("nan"), float(low), float(high))


def reproduction_markdown(report: Mapping[str, Any]) -> str:
    """Return our rows, their paired differences, and the paper's claim beside them."""
    metrics = list(next(iter(report["rows"].values()))["metrics"])
    lines = [
        f"## LIRDRec with captions, on {report['dataset']}, {report['n_users']} users ({report['label']})",
        "",
        "| features | " + " | ".join(metrics) + " | seeds' least and greatest | chosen on validation | epochs |",
        "|---" * (len(metrics) + 4) + "|",
    ]
    for title, row in report["rows"].items():
        reads = ", ".join(f"{role} = {space}" for role, space in row["spaces"].items())
        cells = [_interval_text(row["metrics"][name]["mean"], row["metrics"][name]["ci95"]) for name in metrics]
        spread = " to ".join(_number(value) for value in row["seed_spread"][metrics[0]])
        settings = ", ".join(f"{name} = {value}" for name, value in row["parameters"].items()) or "its defaults"
        epochs = ", ".join(map(str, row["epochs"]))
        lines.append(f"| {title} ({reads}) | " + " | ".join(cells) + f" | {spread} | {settings} | {epochs} |")
    lines.append("")
    for title, gain in report["gains"].items():
        lines.append(_gain_line(title, gain))
    paper = report["paper"]
    lines += ["", f"The paper ({paper['source']}): {paper['claim_percent']:+.2f}% NDCG@20, a mean over five data sets."]
    if paper["dataset"]:
        lines.append(f"This is {paper['dataset']}; LIRDRec with the original features there: {paper['ndcg@20']:.4f}.")
    lines += [_verdict(title, gain, paper["claim_percent"]) for title, gain in report["gains"].items()]
    lines += [
        "",
        f"Seeds {', '.join(map(str, report['seeds']))}; a user's value is the mean over them, brackets are 95% "
        f"bootstrap intervals over users; settings and epochs chosen by validation {report['select_by']}. "
        f"Data {report['data_key'][:12]}, commit {report['commit'] or 'unknown'}.",
    ]
    return "\n".join(lines) + "\n"


def _gain_line(title: str, gain: Mapping[str, Any]) -> str:
    low, high = gain["ci95"]
    return (
        f"- {title} against the original features: {gain['metric']} {_signed(gain['difference'])} "
        f"[{_signed(low)}, {_signed(high)}], p = {gain['p']:.4f}; that is {_percent(gain)}"
    )


def _verdict(title: str, gain: Mapping[str, Any], claim: float) -> str:
    """Say in plain words where the claim and zero lie with respect to our interval; decided by the numbers alone."""
    low, high = gain["percent_ci95"]
    if low is None or high is None:
        return f"Here, {title}: no interval, so nothing can be said."
    if low <= claim <= high:
        paper = "inside that range, so these data do not contradict it"
    else:
        paper = f"outside that range: the gain here is {'smaller' if claim > high else 'larger'} than the paper's"
    if low <= 0 <= high:
        ours = "Zero is inside the range, so these data show no difference from the original features"
    else:
        ours = f"Zero is outside the range: {title} rank {'better' if low > 0 else 'worse'} than the original features"
    return f"Here, {title}: {_percent(gain)}. The paper's {claim:+.2f}% is {paper}. {ours}."


def _percent(gain: Mapping[str, Any]) -> str:
    low, high = gain["percent_ci95"]
    if gain["percent"] is None:
        return "no percentage: the original features score 0"
    return f"{gain['percent']:+.2f}% [{low:+.2f}%, {high:+.2f}%]"


def _row_json(each: Chosen, select_by: str) -> dict[str, Any]:
    row = each.row
    return {
        "spaces": dict(each.spaces),
        "parameters": dict(each.parameters),
        "tried": [{"parameters": dict(parameters), select_by: _finite(value)} for parameters, value in each.tried],
        "metrics": {
            name: {"mean": _finite(found.mean), "ci95": [_finite(found.low), _finite(found.high)]}
            for name, found in row.intervals.items()
        },
        "seed_spread": {name: [_finite(value) for value in spread] for name, spread in row.spread.items()},
        "epochs": list(row.epochs),
        "fit_seconds": round(row.fit_seconds, 1),
    }


def _gain_json(each: Chosen, first: Chosen, metric: str) -> dict[str, Any]:
    values, baseline = each.row.values[metric], first.row.values[metric]
    paired, gain = paired_test(values, baseline, seed=0), relative_gain(values, baseline)
    return {
        "metric": metric,
        "difference": _finite(paired.difference.mean),
        "ci95": [_finite(paired.difference.low), _finite(paired.difference.high)],
        "p": paired.p,
        "percent": _finite(gain.mean),
        "percent_ci95": [_finite(gain.low), _finite(gain.high)],
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4f}"


def _signed(value: float | None) -> str:
    return "none" if value is None else f"{value:+.4f}"


def _interval_text(mean: float | None, ci95: Sequence[float | None]) -> str:
    return f"{_number(mean)} [{_number(ci95[0])}, {_number(ci95[1])}]"
