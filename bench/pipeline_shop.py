"""The generated shop of `bench.pipeline`: large, and built in about two minutes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from bench.retrieval import Mixture
from catalog.columns import INTERACTIONS
from catalog.events import SqliteEventStore
from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.log import Interactions
from catalog.nouns import Interaction, Item
from catalog.vectors import EmbeddingTable
from indexes.config import VectorIndexConfig
from indexes.opening import build_vectors, open_vectors_index
from models.als import ALS, ALSConfig
from models.base import Recommender, TrainingData
from models.feature_table import stacked
from models.features import FeatureConfig, FeatureContext, FeatureStore, build_features
from models.itemknn import ItemKNN
from models.ranker import LightGBMRanker
from tools.doubles import HashingEmbedder
from tools.pipeline.config import PipelineConfig
from tools.pipeline.training import source_names, training_candidates
from tools.shop import Shop

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LOADED = NOW - timedelta(hours=6)
SHOPPERS, TAKES, BRANDS = 4_000, 30, 500
SPACES = ("text", "caption")
KNOWN_TO_KNN = 20_000
"""Items that itemknn is fitted on, the most taken: a matrix of all pairs of a large shop is not for a bench."""


def generated_items(mixture: Mixture, rng: np.random.Generator) -> Catalog:
    """Return items in categories (the clusters of their vectors), one in ten a variant of the one before it."""
    n = len(mixture.labels)
    brands, prices = rng.integers(0, BRANDS, n), np.round(rng.lognormal(3.5, 0.8, n), 2)
    gone = rng.random(n) < 0.03
    return Catalog(
        Item(
            item_id=f"i{row}",
            parent_id=f"p{row - row % 10 % 2}" if row % 10 < 2 else None,
            title=f"Item {row}",
            price=float(prices[row]),
            brand=f"brand {brands[row]}",
            categories=(f"kind {mixture.labels[row]}",),
            availability=not gone[row],
        )
        for row in range(n)
    )


def generated_log(mixture: Mixture, rng: np.random.Generator) -> pl.DataFrame:
    """Return purchases: every shopper keeps to three categories and in them to what is much taken; all sell once."""
    n = len(mixture.labels)
    members = [rows for label in range(mixture.clusters) if len(rows := np.flatnonzero(mixture.labels == label))]
    users, items = [rng.integers(0, SHOPPERS, n)], [np.arange(n)]
    for user in range(SHOPPERS):
        kinds = rng.choice(len(members), 3, replace=False)
        for rows in (members[kind] for kind in kinds):
            places = np.minimum(rng.exponential(0.15 * len(rows), TAKES // 3).astype(np.int64), len(rows) - 1)
            users.append(np.full(TAKES // 3, user))
            items.append(rows[places])
    who, what = np.concatenate(users), np.concatenate(items)
    seconds = np.sort(rng.random(len(what))) * 90 * 86_400
    order, began = rng.permutation(len(what)), int((LOADED - timedelta(days=90)).timestamp() * 1e6)
    stamps = pl.Series(began + (seconds * 1e6).astype(np.int64)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return pl.DataFrame(
        {
            "event_id": [f"e{number}" for number in range(len(what))],
            "user_id": [f"u{each}" for each in who[order].tolist()],
            "session_id": None,
            "item_id": [f"i{each}" for each in what[order].tolist()],
            "timestamp": stamps,
            "kind": "purchase",
            "value": None,
            "text": None,
            "context": None,
            "request_id": None,
        },
        schema=INTERACTIONS,
    )


def opened_shop(n: int, seed: int, folder: Path, pool: int, kind: str = "auto") -> Shop:
    """Build what is not yet in `folder`, and open the shop with a ranker taught on its own candidates."""
    rng, mixture = np.random.default_rng(seed), Mixture(n, seed)
    catalog, log = generated_items(mixture, rng), generated_log(mixture, rng)
    spaces = {name: EmbeddingTable(catalog.ids, mixture.around(mixture.labels), name) for name in SPACES}
    config = VectorIndexConfig.model_validate({"kind": kind})
    for name, table in spaces.items():
        home = folder / f"{name}-{kind}"
        if not (home / "index.json").exists():
            home.mkdir(parents=True, exist_ok=True)
            build_vectors(table, config).save(home)
    events = SqliteEventStore(folder / "events.sqlite")
    live = rng.integers(0, n, (SHOPPERS, 3))
    moments = [NOW - timedelta(minutes=3 - nth) for nth in range(3)]
    events.put(
        [
            Interaction(f"live{user}-{nth}", f"u{user}", f"i{live[user, nth]}", moments[nth], "view", f"s{user}")
            for user in range(200)
            for nth in range(3)
        ]
    )
    served, knn = fitted_models(log, catalog, folder)
    shop = Shop(
        name="generated",
        catalog=catalog,
        users={},
        captions={},
        spaces=spaces,
        indexes={name: open_vectors_index(folder / f"{name}-{kind}", config) for name in SPACES},
        embedder=HashingEmbedder(),
        events=events,
        root=folder,
        recommender=served,
        retrievers={"itemknn": knn},
        pipeline=PipelineConfig(pool=pool),
    )
    store = FeatureStore(
        catalog, log, as_of=LOADED, spaces=spaces, config=FeatureConfig(sources=source_names(shop)), users={}
    )
    shop = replace(shop, statistics=store)
    return replace(shop, ranker=taught_ranker(shop, folder, rng))


def fitted_models(log: pl.DataFrame, catalog: Catalog, folder: Path) -> tuple[Recommender, Recommender]:
    """Return the served model over all items and item-kNN over the most taken, kept in `folder`."""
    users = IdMap(dict.fromkeys(log["user_id"].to_list()), "user")
    als, knn = folder / "als", folder / "itemknn"
    if not (als / "model.json").exists():
        model = ALS(ALSConfig(epochs=1))
        model.fit(TrainingData(Interactions.from_log(log, users, catalog.ids)))
        als.mkdir(exist_ok=True)
        model.save(als)
    if not (knn / "model.json").exists():
        most = log["item_id"].value_counts(sort=True)["item_id"].to_list()[:KNOWN_TO_KNN]
        near = ItemKNN()
        near.fit(TrainingData(Interactions.from_log(log, users, IdMap(sorted(most)))))
        knn.mkdir(exist_ok=True)
        near.save(knn)
    return ALS.load(als), ItemKNN.load(knn)


def taught_ranker(shop: Shop, folder: Path, rng: np.random.Generator, space: str = "text") -> LightGBMRanker:
    """Return a ranker taught on the shop's own candidates to like what is near in `space`, kept in `folder`."""
    home = folder / "ranker"
    if (home / "ranker.txt").exists():
        return LightGBMRanker.load(home)
    assert shop.statistics is not None
    tables = []
    for user in rng.choice(SHOPPERS, 40, replace=False):
        found = training_candidates(shop, f"u{user}", NOW)
        tables.append(build_features(found, FeatureContext(shop.statistics, f"u{user}", (), shop.recommender), NOW))
    table = stacked(tables)
    near = np.nan_to_num(table.column(f"similarity.{space}"))
    liked = np.nan_to_num(table.column("category_affinity")) + 0.3 * near
    labels = (liked + rng.normal(0, 0.2, len(table)) > 0.4).astype(np.int64)
    ranker = LightGBMRanker()
    ranker.fit(table, np.array([len(each) for each in tables]), labels)
    home.mkdir(exist_ok=True)
    ranker.save(home)
    return ranker
