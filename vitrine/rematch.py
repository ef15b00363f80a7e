"""Two versions judged on the same events, which neither has learned from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.progress import SILENT, Progress
from catalog.vectors import Floats, Mask
from catalog.workspace import Workspace
from eval.cells import Judged
from eval.intervals import FEWEST, Paired, paired_test
from eval.metrics import Values, parse_metric
from models.base import Recommender, TrainingData, UserScorer
from vitrine.settings import Settings
from vitrine.shelf import Version
from vitrine.training import HELD_OUT

METRIC = "ndcg@20"
MOST_SHOPPERS = 2_000
"""Shoppers that are looked at, drawn by the seed where there are more."""

MOST_OF_ONE = 20
"""Takes of one shopper, the newest, that say how far back is looked: nobody alone fills what is judged by."""

_NOT_SOLD = np.float32(-1e30)
"""Score of an item that a model does not know; finite, as scores are."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What two versions are judged on.

    Attributes:
        since: The first moment of what is to be foretold.
        before: Positives before it: what may be known.
        after: Positives from it on, each shopper's first take of an item alone.
        until: The last moment the served version has learned from.
    """

    since: datetime
    before: pl.DataFrame
    after: pl.DataFrame
    until: datetime


@dataclass(frozen=True)
class Duel:
    """How two versions did for some shoppers, each of whom weighs the same however much they did.

    Attributes:
        new, old: Mean NDCG@20 over shoppers, of the candidate and of what is served.
        paired: The difference over the same shoppers.
        shoppers: How many.
    """

    new: float
    old: float
    paired: Paired
    shoppers: int

    @classmethod
    def of(cls, new: Values, old: Values, seed: int) -> Duel:
        """Compare values of the same shoppers, (n,) each."""
        return cls(float(new.mean()), float(old.mean()), paired_test(new, old, seed=seed), len(new))


@dataclass(frozen=True)
class Rematch:
    """How two versions did on the same events.

    Attributes:
        everyone: Over all shoppers of them.
        known: Over those the served version has learned of, where others are among them: whoever was made up since
            has no say in it. None where they are too few to say anything, or all.
        events: How many were judged by.
        since: When those events begin.
    """

    everyone: Duel
    known: Duel | None
    events: int
    since: datetime


def until_of(version: Version) -> datetime:
    """Return the last moment a version has learned from; of one that does not say so, when it was made."""
    return datetime.fromisoformat(version.meta.get("until") or version.made_at)


def ground_of(taken: pl.DataFrame, until: datetime, at_least: int, known: Collection[str] = ()) -> Ground:
    """Return the newest tenth of the positives, `at_least` so many of them, as far as they came after `until`.

    What somebody takes again is none of them: nobody is shown what they have, so it says nothing of either version.
    Where others crowd in, it goes further back, to `at_least` of those who are known.

    Args:
        taken: Positives, oldest first.
        until: Nothing up to this moment is judged by.
        at_least: How many are held out where a tenth is fewer.
        known: Shoppers whom the served version has learned of.
    """
    first = taken.unique(["user_id", "item_id"], keep="first", maintain_order=True)
    later = first.filter(pl.col("timestamp") > until)
    newest_of_each = later.filter(pl.int_range(pl.len(), 0, -1).over("user_id") <= MOST_OF_ONE)
    newest = newest_of_each.tail(max(at_least, round(len(first) * HELD_OUT)))
    of_known = newest_of_each.filter(pl.col("user_id").is_in(list(known))).tail(at_least)
    since = pl.concat([newest, of_known])["timestamp"].min() if len(newest) else until
    assert isinstance(since, datetime)
    after = later.filter(pl.col("timestamp") >= since)  # those of the first moment whole
    return Ground(since, taken.filter(pl.col("timestamp") < since), after, until)


def rematch(
    settings: Settings,
    workspace: Workspace,
    ground: Ground,
    items: IdMap,
    candidate: Version,
    served: Recommender,
    progress: Progress = SILENT,
) -> Rematch | None:
    """Judge a candidate's recipe, fitted again without the events of `after`, beside what is served; both by these.

    Each ranks the whole catalogue for each shopper as the shop would have at that moment: what a shopper took since a
    version's training is told to it, and nobody is shown what they have. An item that a version does not know is last.

    Args:
        settings: Of the shop.
        workspace: Of the store.
        ground: What is judged by.
        items: Of the catalogue.
        candidate: Fitted on everything, `after` too.
        served: As it is.
        progress: Told of the fit.

    Returns:
        None where fewer shoppers of `after` were met before it than say anything (`FEWEST`).
    """
    users = IdMap(dict.fromkeys(ground.before["user_id"].to_list()), "user")
    train = Interactions.from_log(ground.before, users, items)
    part = Interactions.from_log(ground.after, users, items)
    part = part.take(np.isin(part.user_rows, _drawn(np.unique(part.user_rows), settings.seed)))
    if len(np.unique(part.user_rows)) < FEWEST:
        return None
    twin = _fitted_again(workspace, candidate, train, ground.before, settings.seed, progress)
    judged = Judged.of(part, (train,))
    new = _values(judged, as_served(twin, users, items, {}))
    told = ground.before.filter(pl.col("timestamp") > ground.until)
    recent = {user: rows["item_id"].to_list() for (user,), rows in told.group_by("user_id", maintain_order=True)}
    old = _values(judged, as_served(served, users, items, recent))
    known = served.users.rows(users.at(judged.users), missing=-1) >= 0
    return Rematch(*duels(new, old, known, settings.seed), len(part), ground.since)


def duels(new: Values, old: Values, known: Mask, seed: int) -> tuple[Duel, Duel | None]:
    """Return `Rematch.everyone` and `Rematch.known` of shoppers, (n,) each; `known` says whom the served one knows."""
    apart = FEWEST <= int(known.sum()) < len(known)
    return Duel.of(new, old, seed), Duel.of(new[known], old[known], seed) if apart else None


def as_served(model: Recommender, users: IdMap, items: IdMap, recent: Mapping[object, list[str]]) -> UserScorer:
    """Return how a fitted model scores, in the rows of other id worlds.

    Args:
        model: With id worlds of its own.
        users: Whose rows are asked for; a shopper the model has not met is scored by `recent` alone.
        items: In whose order the scores are given.
        recent: By user id, what they took since the fit, newest last.
    """
    known = model.users.rows(users.ids, missing=-1)
    columns = model.items.rows(items.ids, missing=-1)
    there = columns >= 0

    def scores(rows: npt.NDArray[np.int64]) -> Floats:
        out = np.full((len(rows), len(items)), _NOT_SOLD, np.float32)
        ids = users.at(rows)
        plain = np.array(
            [known[row] >= 0 and user not in recent for row, user in zip(rows, ids, strict=True)], np.bool_
        )
        values = np.empty((len(rows), len(model.items)), np.float32)
        if plain.any():
            values[plain] = model.score_users(known[rows[plain]].astype(np.int64))
        for place in np.flatnonzero(~plain).tolist():
            values[place] = model.score(ids[place], recent.get(ids[place], ())).values
        out[:, there] = values[:, columns[there]]
        return out

    return scores


def _values(judged: Judged, scorer: UserScorer) -> Values:
    values, _ = judged.measure(scorer, [parse_metric(METRIC)])
    return values[METRIC]


def _drawn(rows: npt.NDArray[np.int32], seed: int) -> npt.NDArray[np.int32]:
    if len(rows) <= MOST_SHOPPERS:
        return rows
    return np.random.default_rng(seed).choice(rows, MOST_SHOPPERS, replace=False)


def _fitted_again(
    workspace: Workspace, version: Version, train: Interactions, log: pl.DataFrame, seed: int, progress: Progress
) -> Recommender:
    """Return a model of a version's settings and epochs that knows `train` alone, in what it reads as well."""
    from models import registry
    from vitrine.fusing import relearned
    from vitrine.wiring import load_modalities

    roles = version.meta.get("roles") or {}
    modalities, _ = relearned(workspace, roles, load_modalities(workspace, roles), train, log, progress)
    whole = registry.load(version.folder)
    twin: Recommender = type(whole)(whole.config)  # type: ignore[attr-defined,call-arg]  # a Protocol says nothing of it
    twin.fit(TrainingData(train, modalities), seed=seed, progress=progress)
    return twin
