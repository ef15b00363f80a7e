"""Which fusion each category should use, picked on validation, and what that gained on test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from eval.intervals import FEWEST, TOO_FEW, Interval
from eval.metrics import Values
from eval.probabilities import interval
from eval.rungs import BOTH, RUNGS, STRUCTURED, TEXT, Climbed, RungConfig

OTHERS = "(other categories)"
HALVINGS = 50
"""Times that validation is cut in two to see whether a rung of their own pays for the categories."""

ALL = "all categories"


@dataclass(frozen=True)
class Advised:
    """One category.

    Attributes:
        valid, test: NDCG by rung, with intervals over shoppers.
        pick: The rung picked on validation.
        gain: NDCG of the pick minus that of structured features alone, on test.
        shoppers: In validation, and in test.
    """

    category: str
    shoppers: tuple[int, int]
    valid: Mapping[str, Interval]
    test: Mapping[str, Interval]
    pick: str
    gain: Interval


@dataclass(frozen=True)
class Advice:
    """The picks, and what they gained over structured features and over one rung for all.

    Attributes:
        single: The rung that is best on validation over all categories.
        over_structured, over_single: Gain of the picks on test, over shoppers.
        whole: Every category together.
        least: Shoppers in validation below which a category went with the others.
    """

    metric: str
    categories: tuple[Advised, ...]
    whole: Advised
    single: str
    over_structured: Interval
    over_single: Interval
    least: int

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)


def advise(climbed: Climbed, config: RungConfig) -> Advice:
    """Pick a rung for each category on validation, and measure the picks on test.

    A category picks by each rung's gain over structured features, its own mean drawn to that of all categories: by as
    much as chance alone would scatter the means of so few shoppers, beside how far they do scatter. Where they scatter
    no more than by chance, or where picks of one half of validation do not pay on the other half, every category goes
    with the best rung of all. Equals go to the lower rung. The test part has no say.

    Source:
        Empirical Bayes with moments: Efron and Morris, JASA 1975; DerSimonian and Laird 1986.
    """
    rungs = tuple(rung for rung in RUNGS if rung in climbed.valid)
    valid_names = _merged(climbed.valid_part.categories, climbed.valid_part.categories, config.least)
    test_names = _merged(climbed.test_part.categories, climbed.valid_part.categories, config.least)
    gains = {rung: climbed.valid[rung] - climbed.valid[STRUCTURED] for rung in rungs}
    single, picks = _picks(gains, valid_names)
    if not _departing_pays(gains, valid_names):
        picks = {}
    picked_values, rows = np.zeros(len(test_names)), []
    categories = set(valid_names.tolist()) | set(test_names.tolist())
    for category in sorted(categories, key=lambda name: (name == OTHERS, name)):
        mine, judged = valid_names == category, test_names == category
        pick = single if category == OTHERS else picks.get(category, single)
        picked_values[judged] = climbed.test[pick][judged]
        rows.append(_advised(category, climbed, mine, judged, climbed.test[pick], pick))
    everything = np.ones(len(valid_names), np.bool_), np.ones(len(test_names), np.bool_)
    users = climbed.test_part.users
    return Advice(
        f"ndcg@{config.metric_k}",
        tuple(rows),
        _advised(ALL, climbed, *everything, picked_values, single),
        single,
        _mean(picked_values - climbed.test[STRUCTURED], users),
        _mean(picked_values - climbed.test[single], users),
        config.least,
    )


def _picks(gains: Mapping[str, Values], names: npt.NDArray[np.str_]) -> tuple[str, dict[str, str]]:
    """Return the best rung of all, and of each category."""
    rungs = tuple(gains)
    common = {rung: float(gain.mean()) for rung, gain in gains.items()}
    single = max(rungs, key=lambda rung: (common[rung], -rungs.index(rung)))
    drawn = {rung: _drawn(gain, names) for rung, gain in gains.items()}
    best = {
        str(name): max(rungs, key=lambda rung: (drawn[rung].get(str(name), common[rung]), -rungs.index(rung)))
        for name in np.unique(names)
    }
    return single, best


def _departing_pays(gains: Mapping[str, Values], names: npt.NDArray[np.str_]) -> bool:
    """Whether picks of one half of validation beat its single best rung on the other half, over many halvings."""
    rng = np.random.default_rng(0)
    paid = []
    for _ in range(HALVINGS):
        half = rng.permutation(len(names)) % 2 == 0
        if not half.any() or half.all():
            return False
        single, picks = _picks({rung: gain[half] for rung, gain in gains.items()}, names[half])
        others = names[~half].tolist()
        picked = [gains[picks.get(name, single)][~half][at] for at, name in enumerate(others)]
        paid.append(float(np.mean(picked) - gains[single][~half].mean()))
    return float(np.mean(paid)) > 0


def _drawn(gain: Values, names: npt.NDArray[np.str_]) -> dict[str, float]:
    """Return the mean gain of each category, drawn to the mean of all by how much of its scatter is chance."""
    groups = {str(name): gain[names == name] for name in np.unique(names)}
    if len(gain) < 2:
        return {}
    noise = {name: float(gain.var(ddof=1)) / len(mine) for name, mine in groups.items()}
    whole = float(gain.mean())
    scatter = float(np.mean([(mine.mean() - whole) ** 2 - noise[name] for name, mine in groups.items()]))
    real = max(scatter, 0.0)
    return {
        name: whole + (float(mine.mean()) - whole) * (real / (real + noise[name]) if real > 0 else 0.0)
        for name, mine in groups.items()
    }


def _merged(names: tuple[str, ...], judged: tuple[str, ...], least: int) -> npt.NDArray[np.str_]:
    """Return the category of each group, those of fewer than `least` groups in `judged` as one."""
    counts = {name: judged.count(name) for name in set(names) | set(judged)}
    return np.array([name if counts[name] >= least else OTHERS for name in names])


def _advised(
    category: str,
    climbed: Climbed,
    mine: npt.NDArray[np.bool_],
    judged: npt.NDArray[np.bool_],
    picked: Values,
    pick: str,
) -> Advised:
    def told(values: Mapping[str, Values], users: tuple[str, ...], where: npt.NDArray[np.bool_]) -> dict[str, Interval]:
        names = tuple(np.asarray(users)[where].tolist())
        return {rung: _mean(each[where], names) for rung, each in values.items()}

    gain = (picked - climbed.test[STRUCTURED])[judged]
    users = tuple(np.asarray(climbed.test_part.users)[judged].tolist())
    return Advised(
        category, (int(mine.sum()), int(judged.sum())),
        told(climbed.valid, climbed.valid_part.users, mine), told(climbed.test, climbed.test_part.users, judged),
        pick, _mean(gain, users),
    )  # fmt: skip


def _mean(values: Values, users: tuple[str, ...]) -> Interval:
    if not len(values):
        return Interval(float("nan"), float("nan"), float("nan"))
    return interval(lambda at: float(values[at].mean()), users)


def advice_text(advice: Advice) -> str:
    """Return the advice as lines for a terminal: a table on test, the pick of validation marked."""
    rungs = tuple(advice.whole.test)
    width = max(len(row.category) for row in (*advice.categories, advice.whole))
    head = "  ".join(f"{rung:>23}" for rung in rungs)
    lines = [
        f"{advice.metric} within a category on test, the fusion picked on validation marked *",
        f"{'':{width}}  {'valid/test':>11}  {head}  gain of the pick over structured",
    ]
    for row in (*advice.categories, advice.whole):
        cells = "  ".join(
            f"{_told(row.test[rung], row.shoppers[1]) + ('*' if rung == row.pick else ' '):>23}" for rung in rungs
        )
        counts = f"{row.shoppers[0]}/{row.shoppers[1]}"
        lines.append(f"{row.category:{width}}  {counts:>11}  {cells}  {_signed(row.gain, row.shoppers[1])}")
    judged = advice.whole.shoppers[1]
    lines += [
        "",
        f"the picks over structured features: {_signed(advice.over_structured, judged)}; over {advice.single!r} for "
        f"all, the best single one of validation: {_signed(advice.over_single, judged)}",
    ]
    if any(row.shoppers[1] < FEWEST for row in (*advice.categories, advice.whole)):
        lines.append(f"[{TOO_FEW}]: fewer than {FEWEST} shoppers on test, of whom no interval can be told")
    if any(row.category == OTHERS for row in advice.categories):
        lines.append(f"{OTHERS}: those with fewer than {advice.least} shoppers in validation, as one")
    if BOTH not in rungs:
        missing = "pictures" if TEXT in rungs else "text"
        lines.append(f"no rung with {missing}: the store has no space of that role that knows nothing of the log")
    return "\n".join(lines)


def _told(each: Interval, shoppers: int) -> str:
    bounds = TOO_FEW if shoppers < FEWEST else f"{each.low:.3f}, {each.high:.3f}"
    return f"{each.mean:.3f} [{bounds}]"


def _signed(each: Interval, shoppers: int) -> str:
    bounds = TOO_FEW if shoppers < FEWEST else f"{each.low:+.4f}, {each.high:+.4f}"
    return f"{each.mean:+.4f} [{bounds}]"
