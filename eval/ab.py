"""The report of an A/B experiment: what each arm's shoppers were shown and did, and how the arms differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from eval.ab_statistics import Difference, Estimate, adjusted, difference, mean_of, ratio_of, split_p
from eval.captions.holm import holm
from eval.metrics import Values

COUNTS = ("clicks", "likes", "carts", "purchases", "dismissals")
"""Metrics a shopper, each a count of what they did (`eval.ab_units.counted`)."""

RATE = "clicks per item shown"

MISMATCH = 0.001
"""Below this p the split is not the one that was meant, and no difference below can be trusted."""

FEW = 30
"""Shoppers in an arm below which the normal approximation is not to be trusted."""


@dataclass(frozen=True, eq=False)
class ArmData:
    """What the shoppers of one arm were shown and did.

    Attributes:
        name: Of the arm.
        share: Chance of anyone to be in it.
        slates, shown: Lists and items shown, (n_shoppers,).
        followed: Clicks on an item in one of those lists, (n_shoppers,).
        done: By metric of `COUNTS`, events since the first list, (n_shoppers,).
        before: The same before the first list, (n_shoppers,).
    """

    name: str
    share: float
    slates: Values
    shown: Values
    followed: Values
    done: Mapping[str, Values]
    before: Mapping[str, Values]

    def __len__(self) -> int:
        return len(self.shown)


@dataclass(frozen=True)
class ArmRow:
    """One arm by one metric, and what it has more than the control; None for the control itself."""

    arm: str
    mean: float
    error: float
    difference: Difference | None
    p_adjusted: float | None


@dataclass(frozen=True)
class AbReport:
    """An experiment's figures.

    Attributes:
        shoppers, slates, shown, events: By arm.
        expected: Share of the shoppers that each arm was meant to have.
        split_p: p of a split as uneven as this.
        metrics: By metric, the control first.
        cuped: Whether counts were adjusted by what shoppers did before.
        warnings: What speaks against trusting the figures.
    """

    experiment: str
    control: str
    shoppers: Mapping[str, int]
    slates: Mapping[str, int]
    shown: Mapping[str, int]
    events: Mapping[str, Mapping[str, int]]
    expected: Mapping[str, float]
    split_p: float
    metrics: Mapping[str, tuple[ArmRow, ...]]
    cuped: bool
    warnings: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values; what cannot be told is null."""
        found: dict[str, Any] = _plain(asdict(self))
        return found


def ab_report(experiment: str, arms: Sequence[ArmData], *, cuped: bool = False, notes: Sequence[str] = ()) -> AbReport:
    """Compare every arm with the first.

    Args:
        experiment: Its name.
        arms: The control first.
        cuped: Take out of the counts what each shopper's own past foretells.
        notes: Further warnings.
    """
    rows: dict[str, list[Estimate]] = {}
    for name in COUNTS:
        values = [arm.done[name] for arm in arms]
        if not any(each.any() for each in values):
            continue
        rows[name] = [mean_of(v) for v in (adjusted(values, [arm.before[name] for arm in arms]) if cuped else values)]
    rows[RATE] = [ratio_of(arm.followed, arm.shown) for arm in arms]
    names = [arm.name for arm in arms]
    p = split_p([len(arm) for arm in arms], [arm.share for arm in arms])
    return AbReport(
        experiment, names[0],
        {arm.name: len(arm) for arm in arms},
        {arm.name: int(arm.slates.sum()) for arm in arms},
        {arm.name: int(arm.shown.sum()) for arm in arms},
        {arm.name: {name: int(arm.done[name].sum()) for name in COUNTS} for arm in arms},
        {arm.name: arm.share for arm in arms},
        p, _compared(names, rows), cuped, (*_warnings(arms, p), *notes),
    )  # fmt: skip


def _compared(names: Sequence[str], rows: Mapping[str, Sequence[Estimate]]) -> dict[str, tuple[ArmRow, ...]]:
    """Return the rows of every metric, with p adjusted for all comparisons of the report together."""
    found = {metric: [difference(each[0], other) for other in each[1:]] for metric, each in rows.items()}
    told = [gap.p for gaps in found.values() for gap in gaps if not math.isnan(gap.p)]
    ps = iter(holm(told))
    out: dict[str, tuple[ArmRow, ...]] = {}
    for metric, estimates in rows.items():
        made = [ArmRow(names[0], estimates[0].mean, estimates[0].error, None, None)]
        for name, estimate, gap in zip(names[1:], estimates[1:], found[metric], strict=True):
            p = math.nan if math.isnan(gap.p) else next(ps)
            made.append(ArmRow(name, estimate.mean, estimate.error, gap, p))
        out[metric] = tuple(made)
    return out


def _warnings(arms: Sequence[ArmData], p: float) -> list[str]:
    told = []
    if p < MISMATCH:
        counts = ", ".join(f"{arm.name} {len(arm):,}" for arm in arms)
        told.append(
            f"the split is not the one that was meant ({counts}; p {p:.1g}): something loses shoppers of one arm, and "
            "no difference here can be trusted before it is found"
        )
    few = [f"{arm.name} has {len(arm):,}" for arm in arms if len(arm) < FEW]
    if few:
        told.append(f"too few shoppers for an interval to hold: {', '.join(few)}; {FEW} an arm is the least")
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, np.floating | float):
        return float(value) if math.isfinite(value) else None
    return value
