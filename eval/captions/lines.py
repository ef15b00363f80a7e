"""One line of the scoreboard: vectors read by the probe at the weight that validation chose."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from catalog.vectors import EmbeddingTable, Floats
from eval.captions.parts import Part
from eval.captions.probe import Scoring, Solution
from eval.captions.reading import read
from eval.metrics import Metric, Values
from models.base import UserScorer

Kind = Literal["base", "contender", "shuffled", "random"]


@dataclass(frozen=True, eq=False)
class Line:
    """What somebody's vectors buy in one part, on one ground.

    Attributes:
        values: (n_users,) float64 on test, the mean over deals for a control.
        valid: Mean of the validation value at the chosen weight, over deals.
        weights: Chosen, one a deal; none for the base.
        seconds: Of probing, choosing and judging.
    """

    name: str
    kind: Kind
    values: Values
    valid: float
    weights: tuple[float, ...] = ()
    seconds: float = 0.0


def base_line(part: Part, base: Solution, name: str, metric: Metric, seed: int) -> Line:
    """Return what there is without the contender; nothing at all orders new items by chance."""
    scorer = _scorer(part, base)
    if part.name == "cold" and not base.content:
        scorer = _by_chance(len(part.new), seed)
    valid, values = (part.judge(each, scorer, metric) for each in (part.valid, part.test))
    return Line(name, "base", values, float(valid.mean()) if len(valid) else float("nan"))


def probed_line(
    part: Part,
    base: Solution,
    tables: Sequence[EmbeddingTable],
    weights: Sequence[float],
    metric: Metric,
    *,
    name: str,
    kind: Kind,
) -> Line:
    """Return the line of a contender, or of a control in as many deals as there are tables."""
    started = time.perf_counter()
    each = [best_weight(part, base, table, weights, metric) for table in tables]
    values = np.mean([found[2] for found in each], axis=0)
    valid = float(np.mean([found[1] for found in each]))
    return Line(name, kind, values, valid, tuple(found[0] for found in each), time.perf_counter() - started)


def best_weight(
    part: Part, base: Solution, table: EmbeddingTable, weights: Sequence[float], metric: Metric
) -> tuple[float, float, Values]:
    """Return the weight with the best validation value (the smallest of equals), that value, and the test values.

    Without a validation part it is the middle one of the grid, and the value NaN.
    """
    probing = base.probing(read(table, part.known, part.new))
    best = (sorted(weights)[len(weights) // 2], float("nan"))
    if len(part.valid.users):
        tried = [(w, float(part.judge(part.valid, _scorer(part, probing.at(w)), metric).mean())) for w in weights]
        best = max(tried, key=lambda found: found[1])
    return *best, part.judge(part.test, _scorer(part, probing.at(best[0])), metric)


def _scorer(part: Part, solution: Scoring) -> UserScorer:
    return solution.scores if part.name == "warm" else solution.placed


def _by_chance(n: int, seed: int) -> UserScorer:
    rng = np.random.default_rng(seed)

    def scores(rows: npt.NDArray[np.int64]) -> Floats:
        return rng.random((len(rows), n), np.float32)

    return scores
