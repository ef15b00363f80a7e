"""The service that `bench.serve` compares with: FastAPI, numpy and LightGBM, as most teams would write it.

One file, models in memory, `def` endpoints and pydantic answers: the shopper's factors times those of every item, the
best 200, LightGBM over their features; a search embeds the words and multiplies by every vector. It has the same data,
vectors and trees as the shop, and its features come from the shop's own quick code, not from pandas. It does less: one
retriever, no live catalogue, nothing kept of what was shown, no word search, no diversity, no reasons.

    VITRINE_BENCH_SHOP=folder:items:seed uvicorn bench.serve_baseline:app --factory --workers 2 --no-access-log
"""

from __future__ import annotations

import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel

from bench.agent_shop import SPACES
from bench.serve_shop import opened_serve_shop
from catalog.nouns import Candidate
from models.als import ALS
from models.features import FeatureContext, build_features
from tools.shop import Shop

if TYPE_CHECKING:
    from fastapi import FastAPI

SHOP = "VITRINE_BENCH_SHOP"
"""Environment variable that names the shop: `folder:items:seed`."""

CANDIDATES = 200


class RecommendIn(BaseModel):
    """Whom to recommend to."""

    user_id: str | None = None
    session_id: str | None = None
    top_n: int = 10


class SearchIn(BaseModel):
    """What to look for."""

    query: str
    top_n: int = 10


class ItemOut(BaseModel):
    """One result."""

    item_id: str
    title: str | None
    price: float | None
    currency: str | None
    brand: str | None
    rank: int
    score: float


class PageOut(BaseModel):
    """A page of results."""

    items: list[ItemOut]


def app() -> FastAPI:
    """Open the shop that the environment names, and serve it."""
    folder, items, seed = os.environ[SHOP].rsplit(":", 2)
    return served(opened_serve_shop(int(items), int(seed), Path(folder)))


def served(shop: Shop) -> FastAPI:
    """Put a shop's data on the wire in the usual way."""
    import lightgbm
    from fastapi import FastAPI

    model, store = shop.recommender, shop.statistics
    assert isinstance(model, ALS) and store is not None and shop.ranker is not None
    trees, names = lightgbm.Booster(model_file=shop.root / "ranker" / "ranker.txt"), shop.ranker.names
    factors = model.factors
    vectors = shop.spaces[next(iter(SPACES))].vectors
    units = np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)
    available = np.array([item.availability is not False for item in shop.catalog])
    shop.embedder.embed(["warm"])
    made = FastAPI()

    @made.post("/v1/recommendations", response_model=PageOut)
    def recommendations(body: RecommendIn) -> PageOut:
        recent = _recent(shop.root / "events.sqlite", body.user_id)
        wish = model.wish(body.user_id, recent)
        scores = factors @ wish[0] if wish is not None else shop.popularity.copy()
        scores[~available] = -np.inf
        scores[store.taken(body.user_id)] = -np.inf
        best = np.argpartition(-scores, CANDIDATES)[:CANDIDATES]
        best = best[np.argsort(-scores[best])]
        ids = [shop.catalog.ids.ids[row] for row in best.tolist()]
        found = [Candidate(item_id, float(score), "als") for item_id, score in zip(ids, scores[best], strict=True)]
        context = FeatureContext(store, body.user_id, recent, model)
        features = build_features(found, context, datetime.now(UTC)).select(names)
        ranked = np.asarray(trees.predict(features.values))
        order = np.argsort(-ranked)[: body.top_n]
        return PageOut(items=[_item(shop, ids[at], rank, ranked[at]) for rank, at in enumerate(order.tolist(), 1)])

    @made.post("/v1/search", response_model=PageOut)
    def search(body: SearchIn) -> PageOut:
        scores = units @ shop.embedder.embed([body.query])[0]
        scores[~available] = -np.inf
        best = np.argpartition(-scores, body.top_n)[: body.top_n]
        best = best[np.argsort(-scores[best])]
        ids = [shop.catalog.ids.ids[row] for row in best.tolist()]
        return PageOut(items=[_item(shop, ids[at], at + 1, scores[row]) for at, row in enumerate(best.tolist())])

    @made.get("/health/ready")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    return made


def _recent(path: Path, user_id: str | None) -> list[str]:
    import sqlite3

    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT item_id FROM events WHERE user_id = ? ORDER BY timestamp DESC LIMIT 200", (user_id,)
        ).fetchall()
    return [item_id for (item_id,) in reversed(found)]


def _item(shop: Shop, item_id: str, rank: int, score: float) -> ItemOut:
    item = shop.catalog[item_id]
    return ItemOut(
        item_id=item_id, title=item.title, price=item.price, currency=item.currency, brand=item.brand, rank=rank,
        score=float(score),
    )  # fmt: skip
