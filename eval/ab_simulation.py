"""A generated shop's shoppers come back: every list by the real pipeline, every click drawn by the hidden truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from catalog.boutique.sessions import keenness
from catalog.boutique.truth import Truth
from catalog.nouns import Interaction, Kind, Slate
from catalog.vectors import Floats
from tools.base import Shopper
from tools.experiment import arm_for, assignment_of
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.run import run
from tools.shop import Shop

TOP_N = 8


def visit(shop: Shop, truth: Truth, user_ids: Sequence[str], *, visits: int, seed: int, start: datetime) -> None:
    """Let shoppers visit a shop that runs an experiment; slates, clicks and purchases go to its event store.

    A click at each position comes with the truth's probability, a purchase after it with the truth's keenness, as in
    the generated log. A shopper sees the same list at every visit, made before the first: nobody learns.

    Args:
        shop: With an `experiment`.
        truth: The hidden tastes.
        user_ids: Who comes.
        visits: Lists a shopper is shown on average (Poisson, at least one).
        seed: Of the draws; two experiments with the same seed have the same luck.
        start: Moment of the first visit; the others follow it by seconds.
    """
    rng = np.random.default_rng(seed)
    events: list[Interaction] = []
    for n, user_id in enumerate(user_ids):
        shopper = Shopper(user_id)
        shown = _shown(arm_for(shop, shopper), shopper, start)
        liking = truth.relevance(user_id)[truth.items.rows(shown)]
        for turn in range(max(1, int(rng.poisson(visits)))):
            now = start + timedelta(seconds=n, hours=turn)
            request_id = f"v{n}-{turn}"
            drawn = assignment_of(shop, shopper)
            shop.events.put_slate(Slate(request_id, user_id, None, now, tuple(shown), (1.0,) * len(shown), drawn))
            for position in np.flatnonzero(rng.random(len(shown)) < clicking(truth, liking)).tolist():
                kinds: tuple[Kind, ...] = ("click",)
                if rng.random() < keenness(liking[position]):
                    kinds = ("click", "purchase")
                moment = now + timedelta(seconds=4 * (position + 1))
                events += [
                    Interaction(f"{request_id}-{position}-{kind}", user_id, shown[position], moment, kind,
                                request_id=request_id)
                    for kind in kinds
                ]  # fmt: skip
    shop.events.put(events)


def true_lift(shop: Shop, truth: Truth, user_ids: Sequence[str], *, now: datetime) -> dict[str, float]:
    """Return the expected clicks a list of each arm, over all these shoppers, whoever is drawn into it."""
    found = {}
    for name, arm in shop.arms.items():
        chances = []
        for user_id in user_ids:
            liking = truth.relevance(user_id)[truth.items.rows(_shown(arm, Shopper(user_id), now))]
            chances.append(float(clicking(truth, liking).sum()))
        found[name] = float(np.mean(chances))
    return found


def clicking(truth: Truth, liking: Floats) -> Floats:
    """Return the chance of a click at each place of a list, (n,), whose items are liked so much."""
    places = range(1, len(liking) + 1)
    return np.array([truth.click.probability(liking[k - 1 : k], k)[0] for k in places], np.float32)


def _shown(shop: Shop, shopper: Shopper, now: datetime) -> list[str]:
    request = PipelineRequest(shopper, now, "recommend", top_n=TOP_N)
    return [each.item_id for each in run(shop, request).ranked]
