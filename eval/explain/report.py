"""How often evidence moved its item: with it taken away, and with something else of the same kind taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from eval.explain.claims import KINDS, Trial, fell, lost
from eval.explain.config import FaithfulnessConfig
from eval.intervals import bootstrap_interval
from eval.metrics import Values

_TOLD = {
    "event": "an event of the shopper's",
    "retriever": "the signal that found it",
    "feature": "a feature of the ranker",
    "caption": "words of a caption",
    "description": "words of the description",
    "title": "words of the title",
    "field": "a value of the record",
    "price": "the price under a limit",
}

Moved = Callable[[Trial, bool], bool | None]


def report(trials: Sequence[Trial], config: FaithfulnessConfig, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures as JSON-ready values.

    Args:
        trials: Every piece of evidence that was tested.
        config: How.
        about: The shop, its model, the data's hash.

    Returns:
        `{"about", "config", "kinds": {kind: {"claims", "lists", "lower": {"named", "other", "difference"}, "rank",
        "places"}}}`. `lower` is the share whose score or rank fell, `rank` whose rank did, each
        `{"mean", "low", "high"}` with 95% intervals over lists; `other` and `difference` where there was something else
        to take away. `places` is the median number of places lost, those gone from the list counted to its end.
    """
    kinds = [kind for kind in KINDS if any(trial.claim.kind == kind for trial in trials)]
    return {
        "about": dict(about),
        "config": config.model_dump(mode="json"),
        "kinds": {kind: _figures([t for t in trials if t.claim.kind == kind], config) for kind in kinds},
    }


def report_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| evidence | claims | falls without it | falls without something else | difference | places lost |",
        "|---|---|---|---|---|---|",
    ]
    for kind, found in figures["kinds"].items():
        lower = found["lower"]
        cells = [_share(lower[name]) if name in lower else "-" for name in ("named", "other", "difference")]
        lines.append(f"| {_TOLD[kind]} | {found['claims']} | {' | '.join(cells)} | {found['places']:g} |")
    about = figures["about"]
    return "\n".join(
        [*lines, "", f"{about['shop']}, recommender {about['model']}; 95% intervals over lists; falls: score or rank."]
    )


def _figures(trials: Sequence[Trial], config: FaithfulnessConfig) -> dict[str, Any]:
    return {
        "claims": len(trials),
        "lists": len({trial.request for trial in trials}),
        "lower": _compared(trials, _lower, config.seed),
        "rank": _compared(trials, _rank, config.seed),
        "places": float(np.median([_places(trial, config.depth) for trial in trials])),
    }


def _lower(trial: Trial, named: bool) -> bool | None:
    after = trial.named if named else trial.other
    return None if after is None else fell(trial.before, after) or lost(trial.before, after)


def _rank(trial: Trial, named: bool) -> bool | None:
    after = trial.named if named else trial.other
    return None if after is None else fell(trial.before, after)


def _compared(trials: Sequence[Trial], moved: Moved, seed: int) -> dict[str, dict[str, float]]:
    both = [trial for trial in trials if trial.other is not None]
    found = {"named": _interval(_by_list(trials, lambda t: float(bool(moved(t, True)))), seed)}
    if both:
        found["other"] = _interval(_by_list(both, lambda t: float(bool(moved(t, False)))), seed)
        gains = _by_list(both, lambda t: float(bool(moved(t, True))) - float(bool(moved(t, False))))
        found["difference"] = _interval(gains, seed)
    return found


def _by_list(trials: Sequence[Trial], value: Callable[[Trial], float]) -> Values:
    """Return the mean of each list: items of one list fall together, so lists are what is drawn again."""
    lists: dict[int, list[float]] = {}
    for trial in trials:
        lists.setdefault(trial.request, []).append(value(trial))
    return np.array([np.mean(each) for each in lists.values()], np.float64)


def _places(trial: Trial, depth: int) -> int:
    if trial.before.rank is None:
        return 0
    return (trial.named.rank if trial.named.rank is not None else depth + 1) - trial.before.rank


def _interval(values: Values, seed: int) -> dict[str, float]:
    found = bootstrap_interval(values, seed=seed)
    return {"mean": found.mean, "low": found.low, "high": found.high}


def _share(found: Mapping[str, float]) -> str:
    return f"{found['mean']:.0%} ({found['low']:.0%} to {found['high']:.0%})"
