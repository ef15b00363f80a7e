"""A shop where neither words nor pictures alone tell what goes together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable
from embedding.fusion.config import FusionConfig

START = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = FusionConfig(dim=16, queries=2, heads=2, epochs=6, batch_size=64, learning_rate=0.01, modality_dropout=0.1)
COLOURS, SHAPES, MAKERS, EACH = 4, 3, 5, 5


@dataclass(frozen=True)
class Toy:
    """60 items of 12 kinds (colour by shape), their tables, and shoppers who each take items of one kind.

    The text tells colour softly and the maker, which nobody cares for, loudly; the picture tells the shape.
    """

    items: IdMap
    kinds: np.ndarray
    tables: dict[str, EmbeddingTable]
    events: pl.DataFrame
    quick: FusionConfig = QUICK


def one_hot(codes: np.ndarray, width: int) -> np.ndarray:
    return np.eye(width, dtype=np.float32)[codes]


@pytest.fixture(scope="session")
def toy() -> Toy:
    rng = np.random.default_rng(5)
    kinds = np.repeat(np.arange(COLOURS * SHAPES), EACH)
    items = IdMap([f"i{n:02}" for n in range(len(kinds))])
    maker = np.arange(len(kinds)) % MAKERS
    text = np.concatenate([0.6 * one_hot(kinds // SHAPES, COLOURS), one_hot(maker, MAKERS)], axis=1)
    picture = one_hot(kinds % SHAPES, SHAPES)
    noisy = {
        role: each + 0.1 * rng.standard_normal(each.shape) for role, each in (("text", text), ("picture", picture))
    }
    tables = {role: EmbeddingTable(items, each.astype(np.float32), f"{role}-toy") for role, each in noisy.items()}
    rows = []
    for user in range(150):
        own = np.flatnonzero(kinds == user % (COLOURS * SHAPES))
        for day, item in enumerate(rng.permutation(own)[:4]):
            moment = START + timedelta(days=int(day), minutes=user)
            rows.append((items.ids[item], f"u{user}", f"s{user}-{day // 2}", moment))
    schema = {
        "item_id": pl.String, "user_id": pl.String, "session_id": pl.String,
        "timestamp": pl.Datetime("us", "UTC"),
    }  # fmt: skip
    return Toy(items, kinds, tables, pl.DataFrame(rows, schema=schema, orient="row"))
