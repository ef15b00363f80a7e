"""Teaches the re-ranker: what the pipeline would have retrieved just before the cut, and what was then taken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from catalog.errors import DataError
from catalog.events import SqliteEventStore
from catalog.progress import SILENT, Progress
from catalog.shop_data import ShopData
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from models.ranker import LightGBMRanker
from models.ranking_data import RankingDataConfig, build_ranking_data
from tools.pipeline.training import training_candidates
from tools.shop import Shop
from vitrine.ctr import undated_free
from vitrine.retrievers import fitted_beside
from vitrine.scorers import Lessons
from vitrine.settings import Settings
from vitrine.training import Scout, ranker_intents, serving_statistics

MAX_SHOPPERS = 1500
"""Shoppers whose held-out tenth teaches the ranker; more add time and little else."""


@dataclass(frozen=True, eq=False)
class TaughtRanker:
    """The ranker and what it was taught from; `why_not` when there was too little."""

    ranker: LightGBMRanker | None
    groups: int = 0
    rows: int = 0
    spaces: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    intents: str | None = None
    why_not: str = ""

    def meta(self) -> dict[str, Any]:
        """Return what serving must know of it."""
        return {
            "groups": self.groups,
            "rows": self.rows,
            "spaces": list(self.spaces),
            "sources": list(self.sources),
            "intents": self.intents,
        }


def fit_ranker(
    settings: Settings,
    workspace: Workspace,
    data: ShopData,
    spaces: Mapping[str, EmbeddingTable],
    scout: Scout,
    progress: Progress = SILENT,
    *,
    modalities: Mapping[str, EmbeddingTable] | None = None,
) -> TaughtRanker:
    """Fit LambdaRank on the held-out tenth, with features and retrieval as of the moment before it.

    `modalities` are what the scorers beside the recommender read, by role; None: `vitrine.ctr.undated_free`.
    """
    from indexes.job import load_indexes
    from vitrine.wiring import make_embedder

    shop = Shop(
        name=data.name,
        catalog=data.catalog,
        users=data.user_nouns,
        captions={},
        spaces=spaces,
        indexes=load_indexes(workspace, settings.indexes.vectors),
        embedder=make_embedder(settings),
        events=SqliteEventStore(":memory:"),
        root=workspace.root,
        recommender=scout.model,
        retrievers=fitted_beside(settings, data.log, data.catalog.ids, scout.modalities, scout.cut),
        pipeline=settings.pipeline,
    )

    if modalities is None:
        modalities = undated_free(settings, workspace)
    said = ranker_intents(settings, workspace)
    # What a scorer reads may not have been learned from the log that comes after the cut.
    scorers = Lessons(data.log, data.catalog.ids, modalities, settings.positives).fitted(scout.cut)
    store = serving_statistics(settings, data, shop, scout.cut, intents=said, scorers=tuple(scorers))
    shop = replace(shop, statistics=store)
    try:
        taught = build_ranking_data(
            data.log,
            store,
            lambda user_id: training_candidates(shop, user_id, scout.cut),
            recommender=scout.model,
            recommenders=scorers,
            config=RankingDataConfig(max_groups=MAX_SHOPPERS),
            seed=settings.seed,
            progress=progress,
        )
    except DataError as error:
        return TaughtRanker(None, why_not=str(error))
    finally:
        shop.events.close()
    ranker = LightGBMRanker()
    ranker.fit(taught.table, taught.groups, taught.labels, seed=settings.seed)
    return TaughtRanker(ranker, len(taught.groups), len(taught.table), tuple(store.units), store.config.sources, said)
