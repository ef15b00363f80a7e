"""How shoppers behave: home-page slates that are logged, and browsing that is not, by taste and by exposure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.boutique import feedback
from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.pieces import Piece
from catalog.boutique.truth import Truth
from catalog.nouns import Kind

LAST_DAY = datetime(2025, 6, 30, tzinfo=UTC)
SLATE = 8
HOME_SHARE = 0.22
"""Sessions that begin on the home page; the others browse."""
WISH_SHARE = 0.65
"""Browses that keep to the category the shopper has in mind."""
BROWSED = 48
"""Items weighed up in a browse."""
OPENED = 2.5
"""Pages a browse opens on average: 1 to 4, each as likely."""
EVENTS_A_SESSION = 6.92
"""Measured once; it only sets how many sessions `n_events` becomes."""

_HOURS = np.array([1, 1, 0.5, 0.4, 0.4, 0.6, 1.5, 3, 4, 4, 4, 4.5, 5, 4.5, 4, 4, 4.5, 5, 6, 8, 9, 9, 6, 3])


@dataclass(slots=True)
class Draft:
    """An event before ids are dealt; sessions and slates are numbered within their shopper."""

    when: datetime
    user: int
    item: int
    kind: Kind
    session: int | None = None
    slate: int | None = None
    value: float | None = None
    text: str | None = None
    context: dict[str, Any] = field(default_factory=dict)


def session_counts(config: BoutiqueConfig, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return how many sessions each shopper has, (n_users,): a long tail, and some with none at all."""
    wanted = round(config.n_events / EVENTS_A_SESSION)
    activity = np.exp(rng.normal(0, 0.6, config.n_users))
    activity[rng.random(config.n_users) < 0.02] = 0
    if not activity.any():
        activity[:] = 1
    return rng.multinomial(wanted, activity / activity.sum())


def put_forward(push: npt.NDArray[np.float64], launched: npt.NDArray[np.int64], day: int) -> npt.NDArray[np.float64]:
    """Return how much each item is put forward on a day, (n_items,): new ones more, unlaunched ones not at all."""
    age = day - launched
    return np.asarray(np.where(age >= 0, push * (1 + 1.5 * np.exp(-np.maximum(age, 0) / 20)), 0.0))


def keenness(liking: Any) -> Any:
    """Return the chance that someone who opened a page takes the item, shaped as `liking`."""
    return 1 / (1 + np.exp(-(-0.75 + 1.25 * liking)))


class Shopping:
    """One shopper's months in the shop.

    Args:
        config: Length of the log.
        pieces: Products, in the order of `truth.items`.
        truth: Hidden tastes.
        user: Row of the shopper.
        rng: Their own stream.
    """

    def __init__(
        self, config: BoutiqueConfig, pieces: list[Piece], truth: Truth, user: int, rng: np.random.Generator
    ) -> None:
        self.config, self.pieces, self.truth, self.user, self.rng = config, pieces, truth, user, rng
        self.first_day = LAST_DAY - timedelta(days=config.days - 1)
        self.liking = truth.relevance(truth.users.ids[user])
        self.push = np.exp(truth.appeal.astype(float))
        self.launched = np.array([piece.launched for piece in pieces])
        self.kinds = np.array([piece.category.name for piece in pieces])
        self.taken = np.zeros(len(pieces), bool)
        self.slates = 0

    def run(self, n_sessions: int) -> Iterator[Draft]:
        """Yield the drafts of all sessions."""
        if not n_sessions:
            return
        joined = self.rng.integers(self.config.days) if self.rng.random() < 0.25 else 0
        span = self.config.days - joined
        days = np.sort(joined + self.rng.random(n_sessions) * span).astype(int)
        for session, day in enumerate(days.tolist()):
            hour = int(np.searchsorted(np.cumsum(_HOURS) / _HOURS.sum(), self.rng.random()))
            start = self.first_day + timedelta(days=day, hours=hour, seconds=int(self.rng.integers(3600)))
            exposure = self._exposure(day)
            if not exposure.any():
                continue
            device = ("phone", "phone", "laptop", "tablet")[int(self.rng.integers(4))]
            if self.rng.random() < HOME_SHARE:
                yield from self._home(session, start, exposure, device)
            else:
                yield from self._browse(session, start, exposure, device)

    def _exposure(self, day: int) -> npt.NDArray[np.float64]:
        """Return how much each item is put forward on a day: pushed items and new ones more, unlaunched ones not."""
        return put_forward(self.push, self.launched, day)

    def _home(self, session: int, start: datetime, exposure: npt.NDArray[np.float64], device: str) -> Iterator[Draft]:
        """Show a logged slate; clicks follow the truth's click model."""
        weight = 0.85 * exposure / exposure.sum() + 0.15 * (exposure > 0) / (exposure > 0).sum()
        shown, chances = self._draw(weight, min(SLATE, int((weight > 0).sum())))
        slate, self.slates = self.slates, self.slates + 1
        base = {"device": device, "surface": "home"}
        clicks: list[int] = []
        for position, (item, chance) in enumerate(zip(shown, chances, strict=True), start=1):
            place = {**base, "position": position, "propensity": round(chance, 6)}
            yield Draft(start, self.user, item, "impression", session, slate, context=place)
            clicked = self.rng.random() < self.truth.click.probability(self.liking[item : item + 1], position)[0]
            when = start + timedelta(seconds=4 * position + int(self.rng.integers(4)))
            if clicked:
                yield Draft(when, self.user, item, "click", session, slate, context={**base, "position": position})
                clicks.append(item)
            elif self.rng.random() < 0.09 / (1 + np.exp(1.5 * float(self.liking[item]) + 0.5)):
                yield Draft(when, self.user, item, "dismiss", session, slate, context={**base, "position": position})
        now = start + timedelta(seconds=50)
        for item in clicks:
            now += timedelta(seconds=int(self.rng.integers(10, 90)))
            yield from self._visit(session, item, now, base, slate)

    def _browse(self, session: int, start: datetime, exposure: npt.NDArray[np.float64], device: str) -> Iterator[Draft]:
        """Search or walk through a category, weigh up what is put forward, open the best few."""
        weight = np.where(self.taken, 0.0, exposure)
        searching = self.rng.random() < 0.5
        if self.rng.random() < WISH_SHARE:
            weight = weight * (self.kinds == self.kinds[self._wish(weight)])
        able = int((weight > 0).sum())
        if not able:
            return
        seen, _ = self._draw(weight / weight.sum(), min(BROWSED, able))
        score = 2.8 * self.liking[seen] + self.rng.gumbel(size=len(seen))
        opened = [seen[k] for k in np.argsort(-score, kind="stable")[: int(self.rng.integers(1, 5))].tolist()]
        context: dict[str, Any] = {"device": device, "surface": "search" if searching else "category"}
        if searching:
            context["query"] = feedback.query(self.pieces[opened[0]], self.rng)
        now = start
        for item in opened:
            now += timedelta(seconds=int(self.rng.integers(15, 150)))
            yield from self._visit(session, item, now, context, None)

    def _wish(self, weight: npt.NDArray[np.float64]) -> int:
        """Return an item whose category the shopper has in mind: one they would like, as far as they know."""
        chance = np.where(weight > 0, np.exp(0.8 * self.liking.astype(float)), 0.0)
        if not chance.any():
            return 0
        return int(np.searchsorted(np.cumsum(chance) / chance.sum(), self.rng.random(), side="right"))

    def _draw(self, weight: npt.NDArray[np.float64], n: int) -> tuple[list[int], list[float]]:
        """Draw `n` items one after another; return them and the chance each had when it was drawn."""
        keys = np.where(weight > 0, self.rng.exponential(size=len(weight)) / np.maximum(weight, 1e-300), np.inf)
        order = np.argsort(keys, kind="stable")[:n]
        before = np.concatenate([[0.0], np.cumsum(weight[order])[:-1]])
        chance = weight[order] / np.maximum(weight.sum() - before, 1e-12)
        return order.tolist(), np.minimum(chance, 1.0).tolist()

    def _visit(
        self, session: int, item: int, now: datetime, context: dict[str, Any], slate: int | None
    ) -> Iterator[Draft]:
        """Open a page, perhaps put the item into the cart, perhaps buy it."""
        liking = float(self.liking[item])
        dwell = round(float(np.exp(self.rng.normal(3.0 + 0.25 * liking, 0.5))), 1)
        yield Draft(now, self.user, item, "view", session, slate, dwell, context=context)
        if self.taken[item] or not self.pieces[item].available:
            return
        if self.rng.random() >= keenness(liking):
            return
        now += timedelta(seconds=int(dwell) + 5)
        carted, bought = self.rng.random() < 0.55, self.rng.random() < 0.62
        if carted or not bought:
            yield Draft(now, self.user, item, "cart", session, slate, 1.0, context=context)
        self.taken[item] = True
        if bought:
            now += timedelta(seconds=int(self.rng.integers(40, 600)))
            yield Draft(now, self.user, item, "purchase", session, slate, 1.0, context=context)
            yield from self._aftermath(item, now, liking)

    def _aftermath(self, item: int, bought: datetime, liking: float) -> Iterator[Draft]:
        """Rate, praise, complain, send back: days later, outside any session."""
        piece, rng = self.pieces[item], self.rng
        level = 3.05 + 0.45 * liking + 0.55 * float(self.truth.quality[item]) + 0.7 * float(rng.normal())
        stars = int(np.clip(round(level), 1, 5))
        now = bought + timedelta(days=int(rng.integers(2, 8)), seconds=int(rng.integers(40_000)))
        drafts: list[Draft] = []
        if rng.random() < 0.62:
            text = feedback.review(piece, stars, rng) if rng.random() < 0.6 else None
            drafts.append(Draft(now, self.user, item, "rating", value=float(stars), text=text))
        later = now + timedelta(hours=int(rng.integers(1, 60)))
        if stars == 5 and rng.random() < 0.3:
            drafts.append(Draft(later, self.user, item, "praise", text=feedback.praise(piece, rng)))
        if stars <= 2:
            if rng.random() < 0.5:
                drafts.append(Draft(later, self.user, item, "complaint", text=feedback.complaint(piece, rng)))
            if rng.random() < 0.6:
                after = later + timedelta(hours=int(rng.integers(2, 72)))
                drafts.append(Draft(after, self.user, item, "return", text=feedback.return_note(piece, rng)))
        elif rng.random() < 0.03:
            drafts.append(Draft(later, self.user, item, "return", text=feedback.return_note(piece, rng)))
        end = LAST_DAY + timedelta(days=1)
        yield from (draft for draft in drafts if draft.when < end)
