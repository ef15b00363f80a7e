"""The generated shop of `bench.serve`: 200,000 items in two vector spaces of 64, found by words and by taste."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from bench.agent_shop import COLOURS, DEPARTMENTS, MATERIALS, SPACES, spaces, stock, taught_shop
from bench.pipeline_shop import LOADED, generated_log
from bench.retrieval import DIM, Mixture
from catalog.events import SqliteEventStore
from catalog.id_files import known_ids
from catalog.mapped import mapped
from catalog.nouns import Interaction
from catalog.vectors import EmbeddingTable, Floats
from embedding.base import TextEmbedder
from embedding.minilm import MiniLM
from indexes.config import VectorIndexConfig
from indexes.job import KEYWORD
from indexes.keyword import KeywordIndex
from indexes.opening import build_vectors
from tools.pipeline.config import PipelineConfig
from tools.shop import Shop

QUOTAS = {"als": 84, "itemknn": 51, "liked": 25, "popularity": 18}
"""Who proposes how many: united about 200 candidates."""

LIVE_SHOPPERS = 1_000
"""Shoppers `u0`, `u1`, ... who have looked at three items since the load."""


class Narrow(TextEmbedder):
    """MiniLM, its vectors turned onto their first 64 directions of a fixed random rotation and made unit again."""

    name, dim = "minilm", DIM

    def __init__(self) -> None:
        self._wide = MiniLM()
        self.model = f"{self._wide.model}, {DIM} directions"
        drawn = np.random.default_rng(64).normal(size=(self._wide.dim, DIM))
        self._turn = np.asarray(np.linalg.qr(drawn)[0], np.float32)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, 64) float32, each row of length 1."""
        found = self._wide.embed(texts) @ self._turn
        return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def wishes(count: int, seed: int) -> list[str]:
    """Return distinct wishes as people type them: a colour, a material, a kind."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        place = str(rng.choice(list(DEPARTMENTS)))
        kind, material = rng.choice(DEPARTMENTS[place].split()), rng.choice(MATERIALS[place].split())
        end = rng.choice(["", " for a gift", " for my mother", " please", " that lasts", " for every day"])
        found[f"{rng.choice(COLOURS)} {material} {kind}{end}"] = None
    return list(found)


def opened_serve_shop(n: int, seed: int, folder: Path) -> Shop:
    """Build what is not yet in `folder`, and open the shop as a trained store opens: indexes, model and ranker."""
    rng, mixture = np.random.default_rng(seed), Mixture(n, seed)
    made, embedder = stock(mixture.labels, rng), Narrow()
    known_ids(made.catalog.ids)
    log, config = generated_log(mixture, rng), VectorIndexConfig()
    if not (folder / "vectors" / f"{[*SPACES][-1]}.npy").exists():
        _make_vectors(spaces(made, embedder, rng), config, folder)
    tables = {
        name: EmbeddingTable(made.catalog.ids, mapped(folder / "vectors" / f"{name}.npy"), name) for name in SPACES
    }
    if not (folder / KEYWORD).exists():
        (folder / KEYWORD).mkdir()
        KeywordIndex.build(made.catalog, made.captions).save(folder / KEYWORD)
    keywords, pipeline = KeywordIndex.load(folder / KEYWORD), PipelineConfig(retrievers=QUOTAS)
    return taught_shop(made, log, tables, keywords, embedder, _events(folder, n, seed), folder, rng, pipeline)


def _make_vectors(tables: Mapping[str, EmbeddingTable], config: VectorIndexConfig, folder: Path) -> None:
    (folder / "vectors").mkdir(exist_ok=True)
    for name, table in tables.items():
        (folder / name).mkdir(exist_ok=True)
        build_vectors(table, config).save(folder / name)
        np.save(folder / "vectors" / f"{name}.npy", table.vectors)


def _events(folder: Path, n: int, seed: int) -> SqliteEventStore:
    """Return the store with what the live shoppers looked at; the same again is a duplicate."""
    events = SqliteEventStore(folder / "events.sqlite")
    looked = np.random.default_rng(seed).integers(0, n, (LIVE_SHOPPERS, 3))
    events.put(
        [
            Interaction(f"live{user}-{nth}", f"u{user}", f"i{looked[user, nth]}", LOADED, "view", f"s{user}")
            for user in range(LIVE_SHOPPERS)
            for nth in range(3)
        ]
    )
    return events
