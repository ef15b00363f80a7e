"""A report's picture: intervals, what accuracy is bought with, and how validation went. The only door to matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.report import model_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#000000")
"""Okabe and Ito's, which colour-blind readers can tell apart."""


STYLES = ("-", "--", ":", "-.")
MARKS = "os^Dv"


def draw(report: Mapping[str, Any], path: Path) -> None:
    """Write the picture of one report as PNG; the same report gives the same bytes.

    Rows of the first metric with their 95% intervals; beside them the first metric against coverage or novelty,
    and validation by epoch, where the report has them. A model has one colour throughout, its controls the same.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    models = report["models"]
    metric = next(iter(next(iter(models.values()))["metrics"]))
    other = _traded(models)
    curves = _by_epoch(report)
    colours = _colours(models)
    panels = 1 + (other is not None) + bool(curves)
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "x"}):
        height = max(3.2, 0.32 * len(models) + 1.6)
        figure = Figure(figsize=(4.8 * panels + 0.8, height), layout="constrained", dpi=120)
        axes = list(figure.subplots(1, panels, squeeze=False)[0])
        _forest(axes.pop(0), models, metric, colours)
        if other is not None:
            _trade(axes.pop(0), models, metric, other, colours)
        if curves:
            _curves(axes.pop(0), curves, report["config"]["select_by"], colours)
        figure.suptitle(
            f"{report['dataset']}, protocol {report['protocol']}, {report['n_users']:,} users ({report['label']})",
            fontsize=10,
        )
        figure.savefig(path, format="png", metadata={"Software": None})


def _colours(rows: Iterable[str]) -> dict[str, str]:
    """Return a colour for each row, a model's controls in its own."""
    models = list(dict.fromkeys(map(model_of, rows)))
    return {row: COLOURS[models.index(model_of(row)) % len(COLOURS)] for row in rows}


def _same_colour(rows: Sequence[str], colours: Mapping[str, str]) -> dict[str, int]:
    """Return how many rows of its colour come before each, which its mark or dash tells apart."""
    return {row: sum(colours[before] == colours[row] for before in rows[:at]) for at, row in enumerate(rows)}


def _by_epoch(report: Mapping[str, Any]) -> dict[str, Sequence[Sequence[float]]]:
    """Return the validation histories that are counted in epochs; settings that a model tried are no course."""
    return {
        name: row["history"]
        for name, row in report["models"].items()
        if model_of(name) not in report.get("by_trial", ()) and any(len(each) > 1 for each in row.get("history", ()))
    }


def _traded(models: Mapping[str, Any]) -> str | None:
    """Return the metric beyond accuracy that is shown beside it."""
    there = next(iter(models.values()))["metrics"]
    names = [name for kind in ("novelty", "coverage", "diversity") for name in there if name.startswith(f"{kind}@")]
    return next((name for name in names if all(m["metrics"][name]["mean"] is not None for m in models.values())), None)


def _forest(axes: Axes, models: Mapping[str, Any], metric: str, colours: Mapping[str, str]) -> None:
    """Draw one line a model, best on top: the mean, its interval, and single seeds as small marks."""
    values = {
        name: row["metrics"][metric] for name, row in models.items() if row["metrics"][metric]["mean"] is not None
    }
    order = sorted(values, key=lambda name: (values[name]["mean"], name))
    for at, name in enumerate(order):
        low, high = values[name]["ci95"]
        axes.plot([low, high], [at, at], color=colours[name], linewidth=1.6, solid_capstyle="round")
        axes.plot(values[name]["mean"], at, "o", color=colours[name], markersize=5)
        if values[name].get("seeds"):
            axes.plot(values[name]["seeds"], [at, at], "|", color="0.15", markersize=8)
    axes.set_yticks(range(len(order)), order)
    seeds = "\n(bars: least and greatest seed)" if any(each.get("seeds") for each in values.values()) else ""
    axes.set_xlabel(f"{metric}, 95% interval over users{seeds}")
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)


def _trade(axes: Axes, models: Mapping[str, Any], metric: str, other: str, colours: Mapping[str, str]) -> None:
    """Draw accuracy against what it may be bought with."""
    again = _same_colour(list(models), colours)
    for name, row in models.items():
        x, y = row["metrics"][other]["mean"], row["metrics"][metric]["mean"]
        if x is None or y is None:
            continue
        axes.plot(x, y, MARKS[again[name] % len(MARKS)], color=colours[name], label=name, markersize=5)
    axes.set_xlabel(other)
    axes.set_ylabel(metric)
    _finish(axes)


def _curves(
    axes: Axes, curves: Mapping[str, Sequence[Sequence[float]]], metric: str, colours: Mapping[str, str]
) -> None:
    """Draw validation by epoch, one line a seed."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    again = _same_colour(list(curves), colours)
    for name, series in curves.items():
        style = STYLES[again[name] % len(STYLES)]
        for seed, values in enumerate(series):
            label = name if seed == 0 else None
            epochs = range(1, len(values) + 1)
            axes.plot(epochs, values, color=colours[name], linewidth=1, linestyle=style, label=label)
    axes.set_xlabel("epoch")
    axes.set_ylabel(f"validation {metric}")
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda epoch, _: f"{epoch:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    _finish(axes)


def _finish(axes: Axes) -> None:
    axes.grid(color="0.9")
    axes.set_axisbelow(True)
    axes.legend(fontsize=6.5, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
