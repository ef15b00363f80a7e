"""What makes a live shop of a shop, and what of a record has to be read before the snapshots know it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from catalog.ids import IdMap
from catalog.nouns import Caption, Item
from catalog.vectors import EmbeddingTable
from tools.live_config import LiveConfig
from tools.reading import ItemReader
from tools.renewal import Change, Statistics
from tools.shop import Shop

log = logging.getLogger("vitrine.tools")

TOLD = ("price", "currency", "availability", "rating", "rating_count", "url")
"""Fields of a record that no caption and no vector is made of."""


@dataclass
class LiveParts:
    """What makes a `LiveShop` of a shop.

    Attributes:
        reader: Makes captions and vectors of records.
        statistics: Makes the ranker's look-ups for other rows.
        reload: Opens the shop anew where its artifacts changed since; None where they did not. Called by the worker.
        config: As it says.
    """

    reader: ItemReader
    statistics: Statistics
    reload: Callable[[], Shop | None] = field(default=lambda: None)
    config: LiveConfig = field(default_factory=LiveConfig)

    def read(self, items: Sequence[Item], shop: Shop, unread: Collection[str] = ()) -> Change:
        """Return records with what is made of them; of those that only cost something else, what was made before.

        Args:
            items: The new records.
            shop: As it stands.
            unread: Items of it that nothing was made of yet.
        """
        same = [item for item in items if item.item_id not in unread and _alike(shop.catalog.get(item.item_id), item)]
        ids = {item.item_id for item in same}
        others = [item for item in items if item.item_id not in ids]
        if not others:
            return _standing(same, shop)
        try:
            made = self.reader.read(others)
        # A record that a reader stumbles over is sold all the same, by what it says itself.
        except Exception:
            log.exception("live catalogue: records could not be read item_ids=%s", [item.item_id for item in others])
            return Change(tuple(items), read=False)
        return _united(made, _standing(same, shop)) if same else made


def _alike(old: Item | None, new: Item) -> bool:
    return old is not None and replace(old, **{name: getattr(new, name) for name in TOLD}) == new


def _standing(items: Sequence[Item], shop: Shop) -> Change:
    """Return records with the captions and vectors that the shop has of them."""
    ids = [item.item_id for item in items]
    captions: dict[str, tuple[Caption, ...]] = {each: shop.captions[each] for each in ids if each in shop.captions}
    vectors: dict[str, EmbeddingTable] = {}
    for space, table in {**shop.further, **shop.spaces}.items():
        rows = table.ids.rows(ids, missing=-1)
        rows = rows[rows >= 0]
        if len(rows):
            vectors[space] = EmbeddingTable(IdMap(table.ids.at(rows)), table.vectors[rows], space)
    return Change(tuple(items), captions, vectors)


def _united(one: Change, other: Change) -> Change:
    """Return two changes of different items as one."""
    vectors = {**one.vectors, **other.vectors}
    for space in one.vectors.keys() & other.vectors.keys():
        tables = (one.vectors[space], other.vectors[space])
        ids = IdMap([item_id for table in tables for item_id in table.ids.ids])
        vectors[space] = EmbeddingTable(ids, np.concatenate([table.vectors for table in tables]), space)
    return Change((*one.items, *other.items), {**one.captions, **other.captions}, vectors)
