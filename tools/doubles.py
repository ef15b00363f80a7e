"""Doubles for tests of tools, agent and api: a small shop that opens in milliseconds and never changes.

`toy_shop(folder)` is the door; its stock is in `tools.toy_items`.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError
from catalog.events import SqliteEventStore
from catalog.ids import IdMap
from catalog.item_journal import JOURNAL, ItemJournal
from catalog.items import Catalog
from catalog.nouns import Caption, Interaction, Item, Kind, User
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats, Mask
from embedding.base import TextEmbedder
from indexes.base import Index
from indexes.fields import item_fields
from indexes.flat import FlatIndex
from indexes.keyword import KeywordIndex
from indexes.words import terms
from models.base import FitReport, Scores, TrainingData, Validate
from tools.live import LiveParts, LiveShop
from tools.live_config import LiveConfig
from tools.renewal import Change
from tools.shop import Shop
from tools.toy_items import toy_captions, toy_items

TOY_NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
"""The moment toy tests happen; every toy event is earlier."""


class HashingEmbedder(TextEmbedder):
    """Texts as bags of hashed terms: texts that share words are near, and nothing needs a model."""

    name = "hashing"
    model = "double/hashing"
    dim = 256

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, 256) float32, rows of length 1; a text without words points along the first axis."""
        out = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            for term in terms(text):
                digest = hashlib.blake2b(term.encode(), digest_size=8).digest()
                out[row, int.from_bytes(digest) % self.dim] += 1
            if not out[row].any():
                out[row, 0] = 1
        return np.asarray(out / np.linalg.norm(out, axis=1, keepdims=True), np.float32)


class PopularityDouble:
    """A recommender that scores by how often an item was bought, and lifts what shares the category of `recent`."""

    name = "popularity-double"

    def __init__(self, users: IdMap, items: IdMap, counts: Mapping[str, float], groups: Mapping[str, str]) -> None:
        self.users = users
        self.items = items
        self.content_items: frozenset[str] = frozenset()
        self._counts = dict(counts)
        self._groups = dict(groups)

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Learn nothing: the counts came with the constructor."""
        return FitReport(0, 0.0)

    def score_users(self, user_rows: npt.NDArray[np.int64]) -> Floats:
        """Return the same popularity for everyone, (b, n_items)."""
        return np.tile(self._popularity(), (len(user_rows), 1))

    def score(self, user_id: str | None, recent: Sequence[str] = (), against: Sequence[str] = ()) -> Scores:
        """Return popularity, plus 100 for every item of a category the shopper touched lately."""
        values = self._popularity()
        liked = {self._groups[i] for i in recent if i in self._groups}
        values += [100.0 * (self._groups.get(i) in liked) for i in self.items]
        known = user_id is not None and user_id in self.users
        return Scores(values.astype(np.float32), "history" if known else "session" if liked else "popularity")

    def grounded(self) -> Mask:
        """Return True for every item, (n_items,)."""
        return np.ones(len(self.items), np.bool_)

    def add_items(self, modalities: Mapping[str, EmbeddingTable]) -> int:
        """Add nothing."""
        return 0

    def save(self, folder: Path) -> None:
        """Write everything as one JSON file."""
        state = {
            "users": self.users.ids,
            "items": self.items.ids,
            "counts": self._counts,
            "groups": self._groups,
        }
        (folder / "double.json").write_text(json.dumps(state), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        state = json.loads((folder / "double.json").read_text(encoding="utf-8"))
        return cls(IdMap(state["users"], "user"), IdMap(state["items"]), state["counts"], state["groups"])

    def _popularity(self) -> Floats:
        return np.array([self._counts.get(item_id, 0.0) for item_id in self.items], np.float32)


def toy_shop(folder: Path, *, recommender: bool = True, pictures: bool = False) -> Shop:
    """Open the toy shop.

    Shoppers: `ana` (bought S01, viewed V01 and M01: blue things), `ben` (bought B01, returned B04),
    `cleo` (known by name only). Anyone else is unknown. Spaces `text-hashing` and
    `caption-toy-hashing`, both text-queryable.

    Args:
        folder: An existing folder for `events.sqlite` (and `media/` with `pictures`).
        recommender: Whether a popularity double serves; without it the shop has no model.
        pictures: Whether to draw each item's picture (64 x 64 PNG in its colour).
    """
    if not folder.is_dir():
        raise DataError(f"toy shop: {str(folder)!r} is not a folder")
    items = toy_items()
    catalog = Catalog(items)
    captions = toy_captions(items)
    embedder = HashingEmbedder()
    texts = {
        "text-hashing": [" ".join(item_fields(item).values()) for item in items],
        "caption-toy-hashing": [captions[item.item_id][0].text for item in items],
    }
    spaces = {name: EmbeddingTable(catalog.ids, embedder.embed(t), name) for name, t in texts.items()}
    indexes: dict[str, Index] = {"keyword": KeywordIndex.build(catalog, captions)}
    indexes.update({name: FlatIndex.build(table) for name, table in spaces.items()})
    events = SqliteEventStore(folder / "events.sqlite")
    events.put(toy_events())
    if pictures:
        draw_pictures(items, folder)
    return Shop(
        name="toy",
        catalog=catalog,
        users={u: User(u) for u in ("ana", "ben", "cleo")},
        captions=captions,
        spaces=spaces,
        indexes=indexes,
        embedder=embedder,
        events=events,
        root=folder,
        recommender=_popularity(items) if recommender else None,
        active={"captions": "toy", "text vectors": "hashing", "events": "sqlite"},
    )


class ToyReader:
    """Makes captions and vectors of new toy items as `toy_shop` does; the words of a picture are its first colour.

    Args:
        delay: Seconds a batch takes.
    """

    def __init__(self, delay: float = 0.0) -> None:
        self._delay = delay

    def read(self, items: Sequence[Item]) -> Change:
        """See `tools.reading.ItemReader`."""
        time.sleep(self._delay)
        captions = {
            item.item_id: (
                Caption(item.item_id, item.images[0], f"A {colours[0]} object.", "toy", "toy-prompt", "toy"),
            )
            for item in items
            if item.images and (colours := item.attributes.get("colour", ()))
        }
        embedder, ids = HashingEmbedder(), IdMap(item.item_id for item in items)
        texts = [" ".join(item_fields(item).values()) for item in items]
        vectors = {"text-hashing": EmbeddingTable(ids, embedder.embed(texts), "text-hashing")}
        if captions:
            words = embedder.embed([said[0].text for said in captions.values()])
            vectors["caption-toy-hashing"] = EmbeddingTable(IdMap(captions), words, "caption-toy-hashing")
        return Change(tuple(items), captions, vectors)


def toy_live(shop: Shop, *, delay: float = 0.0, config: LiveConfig | None = None) -> LiveShop[Shop]:
    """Return a toy shop that takes writes; its journal is `items.sqlite` in the shop's folder.

    Args:
        shop: From `toy_shop`.
        delay: Seconds that reading a batch of records takes.
        config: How writes are taken in.
    """
    parts = LiveParts(ToyReader(delay), lambda same: same.statistics, config=config or LiveConfig())
    return LiveShop(shop, ItemJournal(shop.root / JOURNAL, shop.name), parts, lambda same: same)


def toy_events() -> tuple[Interaction, ...]:
    """Return the past of the toy shop's shoppers, oldest first."""
    rows: tuple[tuple[str, str, Kind], ...] = (
        ("ana", "V01", "view"), ("ben", "B04", "purchase"), ("ana", "S01", "purchase"), ("ben", "B01", "purchase"),
        ("ben", "B04", "return"), ("ana", "M01", "view"),
    )  # fmt: skip
    start = TOY_NOW - timedelta(days=len(rows) + 1)
    return tuple(
        Interaction(f"toy-{n}", user, item, start + timedelta(days=n), kind)
        for n, (user, item, kind) in enumerate(rows)
    )


def draw_pictures(items: Sequence[Item], folder: Path) -> None:
    """Draw each item as a disc in its first colour under `folder/media`."""
    from PIL import Image, ImageColor, ImageDraw

    (folder / "media").mkdir(exist_ok=True)
    for item in items:
        colour = item.attributes["colour"][0]
        fill = ImageColor.getrgb(colour if colour != "transparent" else "lightcyan")
        picture = Image.new("RGB", (64, 64), "whitesmoke")
        ImageDraw.Draw(picture).ellipse((8, 8, 56, 56), fill=fill, outline="dimgrey")
        picture.save(folder / item.images[0])


def _popularity(items: Sequence[Item]) -> PopularityDouble:
    counts = {item.item_id: float(item.rating_count or 0) for item in items}
    groups = {item.item_id: item.categories[-1] for item in items}
    return PopularityDouble(IdMap(("ana", "ben"), "user"), IdMap(counts), counts, groups)
