"""The generated shop of `bench.agent_turn`: as large as `bench.pipeline_shop`'s, with the words people ask by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from bench.pipeline_shop import LOADED, fitted_models, generated_log, taught_ranker
from bench.retrieval import Mixture
from catalog.events import EventStore, SqliteEventStore
from catalog.items import Catalog
from catalog.nouns import Caption, Interaction, Item
from catalog.vectors import EmbeddingTable, Floats
from embedding.base import TextEmbedder
from embedding.minilm import MiniLM
from indexes.config import VectorIndexConfig
from indexes.job import KEYWORD
from indexes.keyword import KeywordIndex
from indexes.opening import build_vectors, open_vectors_index
from models.features import FeatureConfig, FeatureStore
from tools.pipeline.config import PipelineConfig
from tools.pipeline.training import source_names
from tools.shop import Shop

SPACES = {"text-minilm": 0.5, "caption-pixels-minilm": 0.7}
"""How far an item stands from the words that tell it, by space: spread of the noise beside vectors of length 1."""

DEPARTMENTS = {
    "home": "vase lamp rug cushion mirror clock candle basket blanket shelf stool frame",
    "kitchen": "mug bowl plate teapot kettle pan jug glass tray apron grater colander",
    "clothing": "dress shirt jacket scarf hat sweater skirt coat glove belt sock blouse",
    "bags": "backpack tote wallet suitcase clutch pouch satchel briefcase",
    "garden": "planter trowel bench lantern hammock fountain trellis wheelbarrow",
}
COLOURS = ("blue", "red", "green", "black", "white", "grey", "brown", "yellow", "pink", "orange", "purple", "beige")
MATERIALS = {
    "home": "ceramic glass brass oak rattan linen marble",
    "kitchen": "ceramic glass steel copper oak enamel",
    "clothing": "cotton wool silk linen denim leather",
    "bags": "leather canvas nylon straw velvet",
    "garden": "terracotta steel teak rattan stone",
}
PATTERNS = ("plain", "striped", "floral", "dotted", "checked", "ribbed", "marbled", "speckled")
STYLES = ("small", "large", "slim", "round", "tall", "folding", "handmade", "vintage", "modern", "soft", "sturdy")
SIZES = ("XS", "S", "M", "L", "XL")
SOUNDS = "an bel cor dal el fen gal hol is jor kal lin mor nor os per quin ras sol tav ul ver wil yar zen"
BRANDS, SERIES = 400, 3_000


@dataclass(frozen=True)
class Stock:
    """The records, what was read from their pictures, and the phrase that tells what each is."""

    catalog: Catalog
    captions: Mapping[str, tuple[Caption, ...]]
    phrases: list[tuple[str, str]]


def names(count: int, rng: np.random.Generator) -> list[str]:
    """Return distinct names of two or three syllables, as brands and series have them."""
    sounds, found = SOUNDS.split(), dict[str, None]()
    while len(found) < count:
        found["".join(rng.choice(sounds, rng.integers(2, 4))).capitalize()] = None
    return list(found)


def stock(labels: npt.NDArray[np.int64], rng: np.random.Generator) -> Stock:
    """Return records: items of one label are one kind of thing in one material, one in ten a variant of another."""
    n = len(labels)
    brands, series = names(BRANDS, rng), names(SERIES, rng)
    kinds = [(place, kind) for place, words in DEPARTMENTS.items() for kind in words.split()]
    prices = np.round(rng.lognormal(3.5, 0.8, n), 2)
    drawn = {
        name: rng.integers(0, size, n).tolist()
        for name, size in {"brand": BRANDS, "series": SERIES, "colour": 12, "pattern": 8, "style": 11}.items()
    }
    gone, stars, counts = rng.random(n) < 0.03, np.round(rng.uniform(3, 5, n), 1), rng.integers(1, 400, n)
    items, captions, phrases = [], {}, []
    for row, label in enumerate(labels.tolist()):
        place, kind = kinds[label % len(kinds)]
        materials = MATERIALS[place].split()
        material = materials[label // len(kinds) % len(materials)]
        colour, pattern = COLOURS[drawn["colour"][row]], PATTERNS[drawn["pattern"][row]]
        style, name = STYLES[drawn["style"][row]], series[drawn["series"][row]]
        item_id = f"i{row}"
        items.append(
            Item(
                item_id=item_id,
                parent_id=f"p{row - row % 10 % 2}" if row % 10 < 2 else None,
                title=f"{name} {style} {material} {kind}, {colour}",
                description=f"A {style} {pattern} {kind} of {material} in {colour}, number {row} of the {name} series.",
                price=float(prices[row]),
                currency="EUR",
                brand=brands[drawn["brand"][row]],
                categories=(place, f"{kind}s"),
                attributes={"colour": (colour,), "material": (material,), "pattern": (pattern,)},
                availability=not gone[row],
                rating=float(stars[row]),
                rating_count=int(counts[row]),
                sizes=SIZES if place == "clothing" else (),
            )
        )
        seen = f"a {colour} {kind} with a {pattern} surface"
        captions[item_id] = (Caption(item_id, f"{item_id}.jpg", seen, "generated", "", ""),)
        phrases.append((f"{material} {kind}", f"{colour} {kind}"))
    return Stock(Catalog(items), captions, phrases)


def spaces(made: Stock, embedder: TextEmbedder, rng: np.random.Generator) -> dict[str, EmbeddingTable]:
    """Return a table a space: the mean of the vectors of an item's two phrases, and noise of its own."""
    said = list(dict.fromkeys(phrase for both in made.phrases for phrase in both))
    place = {phrase: row for row, phrase in enumerate(said)}
    vectors = embedder.embed(said)
    rows = np.array([[place[phrase] for phrase in both] for both in made.phrases])
    centres = vectors[rows].mean(axis=1)
    return {name: EmbeddingTable(made.catalog.ids, _around(centres, far, rng), name) for name, far in SPACES.items()}


def _around(centres: Floats, far: float, rng: np.random.Generator) -> Floats:
    noise = rng.normal(size=centres.shape).astype(np.float32) * np.float32(far / centres.shape[1] ** 0.5)
    found = centres + noise
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), np.float32)


def opened_agent_shop(n: int, seed: int, folder: Path) -> Shop:
    """Build what is not yet in `folder`, and open the shop as a trained store opens: indexes, model and ranker."""
    rng, mixture = np.random.default_rng(seed), Mixture(n, seed)
    made, embedder = stock(mixture.labels, rng), MiniLM()
    log, tables = generated_log(mixture, rng), spaces(made, embedder, rng)
    config = VectorIndexConfig()
    for name, table in tables.items():
        if not (folder / name / "index.json").exists():
            (folder / name).mkdir(parents=True, exist_ok=True)
            build_vectors(table, config).save(folder / name)
    events = SqliteEventStore(folder / "events.sqlite")
    looked = rng.integers(0, n, (200, 3))
    events.put(
        [
            Interaction(f"seen{user}-{nth}", f"u{user}", f"i{looked[user, nth]}", LOADED, "view", f"before{user}")
            for user in range(200)
            for nth in range(3)
        ]
    )
    keywords = KeywordIndex.build(made.catalog, made.captions)
    return taught_shop(made, log, tables, keywords, embedder, events, folder, rng)


def taught_shop(
    made: Stock,
    log: pl.DataFrame,
    tables: Mapping[str, EmbeddingTable],
    keywords: KeywordIndex,
    embedder: TextEmbedder,
    events: EventStore,
    folder: Path,
    rng: np.random.Generator,
    pipeline: PipelineConfig | None = None,
) -> Shop:
    """Return a shop with its model and its ranker, taught in its first space; the vectors' indexes lie in `folder`."""
    served, knn = fitted_models(log, made.catalog, folder)
    shop = Shop(
        name="generated",
        catalog=made.catalog,
        users={},
        captions=made.captions,
        spaces=tables,
        indexes={
            KEYWORD: keywords,
            **{name: open_vectors_index(folder / name, VectorIndexConfig()) for name in tables},
        },
        embedder=embedder,
        events=events,
        root=folder,
        recommender=served,
        retrievers={"itemknn": knn},
        pipeline=pipeline or PipelineConfig(),
    )
    known = FeatureConfig(sources=source_names(shop))
    statistics = FeatureStore(made.catalog, log, as_of=LOADED, spaces=tables, config=known, users={})
    shop = replace(shop, statistics=statistics)
    return replace(shop, ranker=taught_ranker(shop, folder, rng, space=next(iter(tables))))
