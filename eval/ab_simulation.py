"""A generated shop's shoppers come back: every list by the real pipeline, every click drawn by the hidden truth."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from catalog.boutique.sessions import keenness
from catalog.boutique.truth import Truth
from catalog.nouns import Interaction, Kind, Slate
from catalog.vectors import Floats
from tools.base import Shopper
from tools.experiment import ExperimentConfig, assigned
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.run import run
from tools.shop import Shop

TOP_N = 8


@dataclass(frozen=True, eq=False)
class Shown:
    """A list that an arm shows to one shopper.

    Attributes:
        item_ids: In order, (n,).
        clicking: The truth's chance of a click at each place, (n,).
        buying: The truth's chance of a purchase after a click there, (n,).
    """

    item_ids: tuple[str, ...]
    clicking: Floats
    buying: Floats


@dataclass(frozen=True, eq=False)
class Crowd:
    """Shoppers, each with the list of every arm, worked out once: nobody learns from one visit to the next.

    Attributes:
        user_ids: Who they are, (n,).
        lists: By arm, in the order of `user_ids`.
    """

    user_ids: tuple[str, ...]
    lists: Mapping[str, tuple[Shown, ...]]

    def clicks_a_list(self, arm: str) -> float:
        """Return the expected clicks a list, over all these shoppers, whoever is drawn into the arm."""
        return float(np.mean([each.clicking.sum() for each in self.lists[arm]]))

    def purchases_a_list(self, arm: str) -> float:
        """Return the expected purchases a list, likewise."""
        return float(np.mean([(each.clicking * each.buying).sum() for each in self.lists[arm]]))

    def drawn_again(self, rng: np.random.Generator) -> Crowd:
        """Return as many shoppers, drawn from these with replacement, each somebody of their own."""
        n = len(self.user_ids)
        rows = rng.integers(0, n, n).tolist()
        return Crowd(
            tuple(f"{self.user_ids[row]}.{place}" for place, row in enumerate(rows)),
            {arm: tuple(each[row] for row in rows) for arm, each in self.lists.items()},
        )


def crowd_of(shop: Shop, truth: Truth, user_ids: Sequence[str], *, now: datetime) -> Crowd:
    """Return what each arm of a shop's experiment would show to some shoppers at a moment, and how they would like it.

    Args:
        shop: With an `experiment`.
        truth: The hidden tastes.
        user_ids: Who comes.
        now: Moment of all lists.
    """
    return Crowd(
        tuple(user_ids),
        {name: tuple(_shown(arm, truth, user_id, now) for user_id in user_ids) for name, arm in shop.arms.items()},
    )


def visits_of(
    crowd: Crowd, experiment: ExperimentConfig, *, visits: float, rng: np.random.Generator, start: datetime
) -> Iterator[tuple[Slate, list[Interaction]]]:
    """Yield each list that is shown, with what follows it.

    A click at each position comes with the truth's probability, a purchase after it with the truth's keenness, as in
    the generated log. A shopper sees the same list at every visit.

    Args:
        crowd: Who comes.
        experiment: Draws their arms.
        visits: Lists a shopper is shown on average before the least of one is held (`lists_each`).
        rng: Of the draws.
        start: Moment of the first visit; the others follow it by seconds.
    """
    for n, user_id in enumerate(crowd.user_ids):
        drawn = assigned(experiment, user_id, None)
        assert drawn is not None
        shown = crowd.lists[drawn.arm][n]
        for turn in range(max(1, int(rng.poisson(visits)))):
            now = start + timedelta(seconds=n, hours=turn)
            request_id = f"v{n}-{turn}"
            slate = Slate(request_id, user_id, None, now, shown.item_ids, (1.0,) * len(shown.item_ids), drawn)
            events: list[Interaction] = []
            for position in np.flatnonzero(rng.random(len(shown.item_ids)) < shown.clicking).tolist():
                kinds: tuple[Kind, ...] = ("click",)
                if rng.random() < shown.buying[position]:
                    kinds = ("click", "purchase")
                moment = now + timedelta(seconds=4 * (position + 1))
                events += [
                    Interaction(f"{request_id}-{position}-{kind}", user_id, shown.item_ids[position], moment, kind,
                                request_id=request_id)
                    for kind in kinds
                ]  # fmt: skip
            yield slate, events


def visit(shop: Shop, crowd: Crowd, *, visits: float, seed: int, start: datetime) -> None:
    """Let a crowd visit a shop that runs an experiment; slates, clicks and purchases go to its event store.

    Args:
        shop: With an `experiment`.
        crowd: Who comes; its lists are those of the shop's arms.
        visits: As in `visits_of`.
        seed: Of the draws; two experiments with the same seed have the same luck.
        start: Moment of the first visit.
    """
    assert shop.experiment is not None
    events: list[Interaction] = []
    rng = np.random.default_rng(seed)
    for slate, followed in visits_of(crowd, shop.experiment, visits=visits, rng=rng, start=start):
        shop.events.put_slate(slate)
        events += followed
    shop.events.put(events)


def lists_each(visits: float) -> float:
    """Return how many lists a shopper is shown on average: max(1, N) with N Poisson of mean `visits`."""
    return visits + math.exp(-visits)


def clicking(truth: Truth, liking: Floats) -> Floats:
    """Return the chance of a click at each place of a list, (n,), whose items are liked so much."""
    places = range(1, len(liking) + 1)
    return np.array([truth.click.probability(liking[k - 1 : k], k)[0] for k in places], np.float32)


def _shown(shop: Shop, truth: Truth, user_id: str, now: datetime) -> Shown:
    request = PipelineRequest(Shopper(user_id), now, "recommend", top_n=TOP_N)
    item_ids = tuple(each.item_id for each in run(shop, request).ranked)
    liking = truth.relevance(user_id)[truth.items.rows(list(item_ids))]
    return Shown(item_ids, clicking(truth, liking), np.array([keenness(each) for each in liking], np.float32))
