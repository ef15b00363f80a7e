"""A report's picture: intervals, what accuracy is bought with, and how validation went. The only door to matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#000000")
"""Okabe and Ito's, which colour-blind readers can tell apart."""


def draw(report: Mapping[str, Any], path: Path) -> None:
    """Write the picture of one report as PNG; the same report gives the same bytes.

    Rows of the first metric with their 95% intervals; beside them the first metric against coverage or novelty,
    and validation by epoch, where the report has them.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    models = report["models"]
    metric = next(iter(next(iter(models.values()))["metrics"]))
    other = _traded(models)
    curves = {name: row["history"] for name, row in models.items() if any(len(h) > 1 for h in row.get("history", ()))}
    panels = 1 + (other is not None) + bool(curves)
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "x"}):
        height = max(3.2, 0.32 * len(models) + 1.6)
        figure = Figure(figsize=(4.8 * panels + 0.8, height), layout="constrained", dpi=120)
        axes = list(figure.subplots(1, panels, squeeze=False)[0])
        _forest(axes.pop(0), models, metric)
        if other is not None:
            _trade(axes.pop(0), models, metric, other)
        if curves:
            _curves(axes.pop(0), curves, report["config"]["select_by"])
        figure.suptitle(
            f"{report['dataset']}, protocol {report['protocol']}, {report['n_users']:,} users ({report['label']})",
            fontsize=10,
        )
        figure.savefig(path, format="png", metadata={"Software": None})


def _traded(models: Mapping[str, Any]) -> str | None:
    """Return the metric beyond accuracy that is shown beside it."""
    there = next(iter(models.values()))["metrics"]
    names = [name for kind in ("novelty", "coverage", "diversity") for name in there if name.startswith(f"{kind}@")]
    return next((name for name in names if all(m["metrics"][name]["mean"] is not None for m in models.values())), None)


def _forest(axes: Axes, models: Mapping[str, Any], metric: str) -> None:
    """Draw one line a model, best on top: the mean, its interval, and single seeds as small marks."""
    values = {
        name: row["metrics"][metric] for name, row in models.items() if row["metrics"][metric]["mean"] is not None
    }
    order = sorted(values, key=lambda name: (values[name]["mean"], name))
    for at, name in enumerate(order):
        low, high = values[name]["ci95"]
        axes.plot([low, high], [at, at], color=COLOURS[0], linewidth=1.6, solid_capstyle="round")
        axes.plot(values[name]["mean"], at, "o", color=COLOURS[0], markersize=5)
        if values[name].get("seeds"):
            axes.plot(values[name]["seeds"], [at, at], "|", color=COLOURS[1], markersize=8)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlabel(f"{metric}, 95% interval over users (bars: least and greatest seed)")
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)


def _trade(axes: Axes, models: Mapping[str, Any], metric: str, other: str) -> None:
    """Draw accuracy against what it may be bought with."""
    points = [(name, row["metrics"][other]["mean"], row["metrics"][metric]["mean"]) for name, row in models.items()]
    points = sorted(p for p in points if p[1] is not None and p[2] is not None)
    for at, (name, x, y) in enumerate(points):
        style = "os^Dv"[at // len(COLOURS) % 5]
        axes.plot(x, y, style, color=COLOURS[at % len(COLOURS)], label=name, markersize=5)
    axes.set_xlabel(other)
    axes.set_ylabel(metric)
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.legend(fontsize=6.5, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _curves(axes: Axes, curves: Mapping[str, Sequence[Sequence[float]]], metric: str) -> None:
    """Draw validation by epoch, one line a seed."""
    for at, (name, series) in enumerate(sorted(curves.items())):
        for seed, values in enumerate(series):
            axes.plot(
                range(1, len(values) + 1), values, color=COLOURS[at % len(COLOURS)], linewidth=1,
                linestyle=("-", "--", ":", "-.")[at // len(COLOURS) % 4], label=name if seed == 0 else None,
            )  # fmt: skip
    axes.set_xlabel("epoch or trial")
    axes.set_ylabel(f"validation {metric}")
    axes.set_xscale("log")
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.legend(fontsize=6.5, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
