"""The room a medium has in a generated shop: the ranking of who knows every taste, with and without what it shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.factors import Medium
from catalog.boutique.oracle import expected_takes
from catalog.boutique.plan import Plan, plan
from catalog.splits import Split
from eval.cells import judged_parts
from eval.metrics import Values, parse_metric


def denied(made: Plan, medium: Medium) -> Plan:
    """Return the plan as one would know it who never saw `medium`: tastes that nothing else shows count nothing."""
    truth = made.truth
    weights = truth.weights.copy()
    for factor, start in zip(truth.factors, truth.starts, strict=True):
        if factor.seen_in == {medium}:
            weights[:, start : start + len(factor.levels)] = 0
    return replace(made, truth=replace(truth, weights=weights))


def ceilings(config: BoutiqueConfig, split: Split, metric: str, media: tuple[Medium, ...]) -> dict[str, Values]:
    """Return the metric of every judged user, ranked by the takes the generator expects.

    Args:
        config: The shop that `split` is of.
        split: The parts that the models are judged by.
        metric: Such as `ndcg@20`.
        media: Each is denied in turn.

    Returns:
        By `""` for one who knows everything, and by medium for one who is denied it, (n_judged,) each.
    """
    made = plan(config)
    users, items = made.truth.users.rows(list(split.users)), made.truth.items.rows(list(split.items))
    judged = judged_parts(split)[1]

    def values(known: Plan) -> Values:
        expected = expected_takes(known, config.days)
        found, _ = judged.measure(
            lambda rows: np.ascontiguousarray(expected[users[rows]][:, items]), [parse_metric(metric)]
        )
        return found[metric]

    return {"": values(made)} | {medium: values(denied(made, medium)) for medium in media}
