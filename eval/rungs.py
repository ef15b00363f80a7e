"""Rungs: the same ranker from structured features alone, with text, with pictures, with both, category by category.

What a category gains by a medium differs: patterns sell scarves, words sell notebooks. Each rung is judged on what
shoppers took next, and the fusion of each category is picked on validation; the test part only says what that gained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.log import Interactions, positives
from catalog.nouns import Candidate, User
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable
from eval.metrics import Metric, Values, per_user
from models.base import Recommender, TrainingData
from models.exposure import EXPOSURE_FEATURES
from models.feature_columns import ITEM_FEATURES, SHOPPER_FEATURES, SHOWN
from models.feature_table import FeatureTable, stacked
from models.features import MODEL_LIFT, FeatureConfig, FeatureContext, FeatureStore, build_features
from models.item_statistics import before
from models.membership import MEMBERSHIP_FEATURES
from models.ranker import LightGBMRanker, RankerConfig

STRUCTURED, TEXT, PICTURE, BOTH = "structured", "+ text", "+ picture", "+ both"
RUNGS = (STRUCTURED, TEXT, PICTURE, BOTH)
READS: Mapping[str, tuple[str, ...]] = {
    STRUCTURED: (), TEXT: ("text",), PICTURE: ("picture",), BOTH: ("text", "picture")
}  # fmt: skip
"""Roles that each rung reads beside the structured features."""

CONTENT_ITEMS = 6000
"""Items up to which a rung's media are read by a recommender too; beyond it by likeness alone."""


class RungConfig(BaseModel):
    """Settings of the rungs; every one changes results."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    metric_k: int = Field(20, ge=1)
    """Cut-off of NDCG within a category."""

    taught: float = Field(0.15, gt=0, lt=0.9)
    """Share of the train positives, the newest, whose shoppers teach the rankers."""

    max_groups: int = Field(1500, ge=10)
    """Shoppers in a category at most, in each part, drawn at random."""

    max_items: int = Field(300, ge=20)
    """Items of a category at most; those the shopper took, and of the others as many as fit, drawn at random."""

    least: int = Field(25, ge=1)
    """Shoppers in validation below which a category has no choice of its own but goes with the others."""

    ranker: RankerConfig = RankerConfig(trees=120, leaves=15, min_leaf_rows=50, feature_share=0.7)
    """The ranker, the same for every rung."""


@dataclass(frozen=True, eq=False)
class Shelf:
    """What a shop is judged from.

    Attributes:
        modalities: Tables by role, of `text` and `picture`; a rung whose role is missing is left out.
    """

    catalog: Catalog
    log: pl.DataFrame
    users: Mapping[str, User]
    modalities: Mapping[str, EmbeddingTable]
    kinds: tuple[str, ...] | None = None

    @property
    def rungs(self) -> tuple[str, ...]:
        """The rungs whose roles are there."""
        return tuple(rung for rung in RUNGS if set(READS[rung]) <= set(self.modalities))


@dataclass(frozen=True, eq=False)
class Part:
    """Groups of one part: a shopper and a category, its items, and which of them were taken next.

    Attributes:
        groups: (g,) items each.
        taken: (n,) labels.
        users, categories: (g,) of each group.
    """

    table: FeatureTable
    groups: npt.NDArray[np.int64]
    taken: npt.NDArray[np.bool_]
    users: tuple[str, ...]
    categories: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Climbed:
    """NDCG of each group by rung, (g,), on validation and on test."""

    valid: Mapping[str, Values]
    test: Mapping[str, Values]
    valid_part: Part
    test_part: Part


def climb(
    shelf: Shelf,
    valid_from: datetime,
    test_from: datetime,
    config: RungConfig,
    *,
    seed: int,
    progress: Progress = SILENT,
) -> Climbed:
    """Teach a ranker a rung on the newest train takes, and rank each category for who took from it later.

    Look-ups and recommenders of each part know nothing at or after the part's first moment. A category is the narrowest
    an item names; its items that the shopper has not taken are the candidates, all of them up to `max_items`.

    Args:
        shelf: The shop.
        valid_from: First moment of validation; what comes before teaches.
        test_from: First moment of test.
        config: Settings.
        seed: Of draws and fits.
        progress: Told once a part.

    Raises:
        DataError: When a part has no shopper.
    """
    taken = positives(before(shelf.log, valid_from), shelf.kinds).sort("timestamp", maintain_order=True)
    if len(taken) < 2:
        raise DataError(f"{len(taken)} positives before {valid_from.isoformat()}: there is nothing to teach rungs on")
    taught_from = taken["timestamp"][min(int(len(taken) * (1 - config.taught)), len(taken) - 1)]
    windows = ((taught_from, valid_from), (valid_from, test_from), (test_from, None))
    progress.start("rungs", len(windows) + len(shelf.rungs))
    parts = []
    for at, (since, until) in enumerate(windows):
        parts.append(_part(shelf, since, until, config, np.random.default_rng([seed, at])))
        progress.advance()
    lessons, valid, test = parts
    found: list[dict[str, Values]] = [{}, {}]
    for rung in shelf.rungs:
        names = features_of(rung, lessons.table.names)
        ranker = LightGBMRanker(config.ranker)
        ranker.fit(lessons.table.select(names), lessons.groups, lessons.taken.astype(np.int64), seed=seed)
        for values, part in zip(found, (valid, test), strict=True):
            values[rung] = group_ndcg(ranker.score(part.table.select(names)), part, config.metric_k)
        progress.advance()
    progress.finish()
    return Climbed(found[0], found[1], valid, test)


def features_of(rung: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns a rung reads, in the table's order."""
    structured = {*ITEM_FEATURES, *SHOPPER_FEATURES, *MEMBERSHIP_FEATURES, *EXPOSURE_FEATURES}
    structured |= {f"{MODEL_LIFT}.{STRUCTURED}", f"{MODEL_LIFT}.{rung}"}
    roles = READS[rung]
    media = {f"{what}.{role}" for role in roles for what in ("similarity", "nearest")}
    media |= {f"{MODEL_LIFT}.{other}" for other in RUNGS if READS[other] and set(READS[other]) <= set(roles)}
    return tuple(name for name in names if name in structured or name in media)


def group_ndcg(scores: npt.NDArray[np.float32], part: Part, k: int) -> Values:
    """Return NDCG@k of each group (g,); ties by the order of the catalogue."""
    values, start = np.zeros(len(part.groups)), 0
    for at, size in enumerate(part.groups.tolist()):
        mine = slice(start, start + size)
        order = np.argsort(-scores[mine], kind="stable")
        hit = part.taken[mine][order][None, :k]
        values[at] = per_user(Metric("ndcg", k), hit, np.array([part.taken[mine].sum()]))[0]
        start += size
    return values


def _part(shelf: Shelf, since: datetime, until: datetime | None, config: RungConfig, rng: np.random.Generator) -> Part:
    store = FeatureStore(
        shelf.catalog, shelf.log, as_of=since, spaces=shelf.modalities, users=shelf.users,
        config=FeatureConfig(models=shelf.rungs, positives=shelf.kinds),
    )  # fmt: skip
    scorers = _scorers(shelf, since)
    past = positives(before(shelf.log, since), shelf.kinds)
    owned = {user[0]: set(rows["item_id"].to_list()) for user, rows in past.group_by("user_id")}
    window = positives(shelf.log, shelf.kinds).filter(pl.col("timestamp") >= since)
    if until is not None:
        window = window.filter(pl.col("timestamp") < until)
    shown = _categories(shelf.catalog)
    wanted: dict[tuple[str, str], set[str]] = {}
    for user, item_id in window.select("user_id", "item_id").iter_rows():
        item = shelf.catalog.get(item_id)
        # Whom nobody knows no rung can tell apart; a second purchase is no choice.
        if item is None or not item.categories or user not in owned or item_id in owned[user]:
            continue
        wanted.setdefault((user, item.categories[-1]), set()).add(item_id)
    keys = sorted(wanted)
    if len(keys) > config.max_groups:
        keys = [keys[at] for at in np.sort(rng.choice(len(keys), config.max_groups, replace=False)).tolist()]
    tables, taken, kept = [], [], []
    for user, category in keys:
        mine = wanted[user, category]
        others = [item for item in shown[category] if item not in mine and item not in owned[user]]
        if not others:
            continue
        if len(others) > config.max_items - len(mine):
            drawn = rng.choice(len(others), max(config.max_items - len(mine), 1), replace=False)
            others = [others[at] for at in drawn.tolist()]
        items = shelf.catalog.ids.at(np.sort(shelf.catalog.ids.rows([*mine, *others])))
        context = FeatureContext(store, user, recommenders=scorers)
        tables.append(build_features([Candidate(item, float("nan"), SHOWN) for item in items], context, since))
        taken.append(np.array([item in mine for item in items], np.bool_))
        kept.append((user, category))
    if not kept:
        raise DataError(f"nobody met before {since.isoformat()} took anything of a category after it")
    groups = np.array([len(table) for table in tables], np.int64)
    users, categories = zip(*kept, strict=True)
    return Part(stacked(tables), groups, np.concatenate(taken), users, categories)


def _categories(catalog: Catalog) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in catalog:
        if item.categories:
            found.setdefault(item.categories[-1], []).append(item.item_id)
    return found


def _scorers(shelf: Shelf, as_of: datetime) -> dict[str, Recommender]:
    """Return a recommender a rung, fitted on what came before a moment: by takes, by takes and the rung's media."""
    from models.registry import build

    taken = positives(before(shelf.log, as_of), shelf.kinds).sort("timestamp", maintain_order=True)
    users = IdMap(dict.fromkeys(taken["user_id"].to_list()), "user")
    rows = Interactions.from_log(taken, users, shelf.catalog.ids)
    found: dict[str, Recommender] = {}
    for rung in shelf.rungs:
        roles = READS[rung]
        if roles and len(shelf.catalog) > CONTENT_ITEMS:
            continue
        model = build("content_linear" if roles else "itemknn")
        model.fit(TrainingData(rows, {role: shelf.modalities[role] for role in roles}))
        found[rung] = model
    return found
