"""What a replay found, for machines and for people."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from eval.columns import aligned
from eval.intervals import FEWEST, TOO_FEW, Interval
from eval.replay import Replayed

HEADER = ("list made before", "moments", "informed", "frozen", "adapted", "adapted / frozen - 1", "difference", "p")

MEANING = {
    "opening": "the shopper's first look at the item in that session",
    "taking": "the taking itself, the item's own views known",
}


def replay_json(found: Mapping[str, Replayed], *, metric: str, **facts: Any) -> dict[str, Any]:
    """Return a report: `facts` as they are, and for each way of choosing moments the figures with 95% intervals."""
    return {"replay": {**facts, "metric": metric, "before": {name: _figures(each) for name, each in found.items()}}}


def replay_text(report: Mapping[str, Any]) -> str:
    """Return the report as a table, with what its rows mean below."""
    told = report["replay"]
    rows = [_row(name, figures) for name, figures in told["before"].items()]
    meanings = [f"{name}: {MEANING[name]}." for name in told["before"] if name in MEANING]
    if any(figures["shoppers"] < FEWEST for figures in told["before"].values()):
        meanings.append(f"{TOO_FEW}: fewer than {FEWEST} shoppers, of whom no interval and no p can be told.")
    head = f"{told['model']} replayed from {told['start']}, {told['metric']} over the whole catalogue"
    return "\n".join([head, "", *aligned([HEADER, *rows], left=1), "", *meanings]) + "\n"


def _figures(found: Replayed) -> dict[str, Any]:
    paired = found.paired()
    frozen, adapted = found.means()
    return {
        "moments": len(found.moments),
        "shoppers": len({moment.user_id for moment in found.moments}),
        "informed": int(found.informed.sum()),
        "frozen": _interval(frozen),
        "adapted": _interval(adapted),
        "gain": _interval(found.gain()),
        "difference_by_shopper": {**_interval(paired.difference), "p": paired.p},
        "frozen_informed": float(np.mean(found.frozen[found.informed])) if found.informed.any() else None,
        "adapted_informed": float(np.mean(found.adapted[found.informed])) if found.informed.any() else None,
    }


def _interval(value: Interval) -> dict[str, float | None]:
    """Return an interval as JSON can hold it: what is infinite is null."""
    told = {"mean": value.mean, "low": value.low, "high": value.high}
    return {name: None if math.isinf(each) else each for name, each in told.items()}


def _percent(value: float | None) -> str:
    return "+∞" if value is None else f"{value:+.0%}"


def _row(name: str, figures: Mapping[str, Any]) -> Sequence[str]:
    gain, difference = figures["gain"], figures["difference_by_shopper"]
    few = figures["shoppers"] < FEWEST
    between = TOO_FEW if few else f"{_percent(gain['low'])}, {_percent(gain['high'])}"
    apart = TOO_FEW if few else f"{difference['low']:+.4f}, {difference['high']:+.4f}"
    return (
        name,
        str(figures["moments"]),
        str(figures["informed"]),
        f"{figures['frozen']['mean']:.4f}",
        f"{figures['adapted']['mean']:.4f}",
        f"{_percent(gain['mean'])} [{between}]",
        f"{difference['mean']:+.4f} [{apart}]",
        TOO_FEW if few else f"{difference['p']:.4f}",
    )
