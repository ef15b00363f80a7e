"""A shop with some items written or deleted: a new snapshot that shares everything else with the one before."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from catalog.ids import IdMap
from catalog.items import Catalog
from catalog.nouns import Caption, Item
from catalog.vectors import EmbeddingTable
from indexes.base import Index
from indexes.job import KEYWORD
from indexes.keyword import KeywordIndex
from tools.shop import Shop

if TYPE_CHECKING:
    from models.features import FeatureStore

Statistics = Callable[[Shop], "FeatureStore | None"]
"""Makes the look-ups of the ranker's features for a shop whose rows are others than before."""


@dataclass(frozen=True)
class Change:
    """Items that come, change or go, with what was read and made of those that stay.

    Attributes:
        items: New records; one whose id is known takes the old one's place.
        captions: By item id, what was read from its media; an item of `items` that is not here has none.
        vectors: By space, rows of some of `items`.
        deleted: Ids that go; those that nobody knows are passed over.
        read: Whether `captions` and `vectors` are all there is of these records; False: they follow, and until then
            known items keep what was made of the record before.
    """

    items: tuple[Item, ...] = ()
    captions: Mapping[str, tuple[Caption, ...]] = field(default_factory=dict)
    vectors: Mapping[str, EmbeddingTable] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()
    read: bool = True

    def lacking(self, space: str) -> tuple[str, ...]:
        """Return which of `items` have no vector of a space any more."""
        rows = self.vectors.get(space)
        if not self.read:
            return ()
        return tuple(item.item_id for item in self.items if rows is None or item.item_id not in rows.ids)

    def only(self, item_ids: Container[str]) -> Change:
        """Return the change without the records, captions and vectors of other items."""
        vectors = {}
        for space, table in self.vectors.items():
            rows = [row for row, item_id in enumerate(table.ids.ids) if item_id in item_ids]
            vectors[space] = EmbeddingTable(IdMap(table.ids.at(rows)), table.vectors[rows], space)
        captions = {item_id: said for item_id, said in self.captions.items() if item_id in item_ids}
        items = tuple(item for item in self.items if item.item_id in item_ids)
        return replace(self, items=items, captions=captions, vectors=vectors)


def renewed(
    shop: Shop, change: Change, indexes: Mapping[str, Index], statistics: Statistics, *, reword: bool = True
) -> Shop:
    """Return the shop as it is after a change; the one before stays as it was, for those who still read it.

    Known items keep their order, new ones follow. Vectors of what was deleted stay in tables and indexes, where no
    row of the catalogue leads to them.

    Args:
        shop: The one before.
        change: What is different.
        indexes: Those that are others than before by name, with the rows of `change.vectors` in them.
        statistics: Makes the look-ups anew.
        reword: Whether the keyword index is built anew, which takes longer the larger the catalogue is.
    """
    catalog = changed_catalog(shop.catalog, change)
    touched = {item.item_id for item in change.items if change.read} | change.deleted
    captions = {item_id: said for item_id, said in shop.captions.items() if item_id not in touched}
    captions |= {item_id: said for item_id, said in change.captions.items() if item_id in catalog}
    after = {**shop.indexes, **indexes}
    if (words := shop.words) is not None:
        after[KEYWORD] = KeywordIndex.build(catalog, captions, words.config) if reword else words
    new = replace(
        shop,
        catalog=catalog,
        captions=captions,
        spaces={name: _upserted(table, name, change) for name, table in shop.spaces.items()},
        further={name: _upserted(table, name, change) for name, table in shop.further.items()},
        indexes=after,
    )
    return replace(new, statistics=statistics(new))


def changed_catalog(catalog: Catalog, change: Change) -> Catalog:
    """Return the items after a change: the known ones in their order, the new ones behind them."""
    coming = {item.item_id: item for item in change.items}
    kept = [coming.pop(item.item_id, item) for item in catalog if item.item_id not in change.deleted]
    return Catalog([*kept, *(item for item in coming.values() if item.item_id not in change.deleted)])


def carried(standing: Shop, fresh: Shop) -> Change | None:
    """Return what was made of records while a shop was open, and a shop opened anew from its artifacts has not.

    The batch jobs of the store make it too, in their time. None where there is nothing of the kind.

    Args:
        standing: The shop as it was until now.
        fresh: The shop in its place.
    """
    same = {
        i.item_id for i in standing.catalog if i.item_id not in fresh.captions and fresh.catalog.get(i.item_id) == i
    }
    captions = {item_id: said for item_id, said in standing.captions.items() if item_id in same}
    vectors: dict[str, EmbeddingTable] = {}
    for space, table in {**standing.further, **standing.spaces}.items():
        known = fresh.spaces.get(space) or fresh.further.get(space)
        if known is None or known.dim != table.dim:
            continue
        new = [
            row
            for row, item_id in enumerate(table.ids.ids)
            if item_id not in known.ids
            and item_id in fresh.catalog
            and standing.catalog.get(item_id) == fresh.catalog[item_id]
        ]
        if new:
            vectors[space] = EmbeddingTable(IdMap(table.ids.at(new)), table.vectors[new], space)
    return Change(captions=captions, vectors=vectors) if captions or vectors else None


def warm(shop: Shop) -> Shop:
    """Make now what the first shopper of a snapshot would otherwise wait for, and return it."""
    for name in _MADE_LATE:
        getattr(shop, name)
    for arm in shop.arms.values():
        warm(arm)
    return shop


_MADE_LATE = (
    "facets", "index_rows", "model_rows", "retriever_rows", "same_rows", "table_rows", "parents", "rule_rows", "fresh",
    "children", "narrowest", "by_popularity", "kin", "factors", "sort_columns", "in_stock", "arms",
)  # fmt: skip
"""What `Shop` makes at the first question; a test holds the list complete."""


def _upserted(table: EmbeddingTable, space: str, change: Change) -> EmbeddingTable:
    """Return a table with the change's rows in it, and without those of records that have no vector any more."""
    rows, lacking = change.vectors.get(space), table.ids.rows(change.lacking(space), missing=-1)
    keep = np.ones(len(table.ids), np.bool_)
    keep[lacking[lacking >= 0]] = False
    if not keep.all():
        kept = np.flatnonzero(keep)
        table = EmbeddingTable(IdMap(table.ids.at(kept)), table.vectors[kept], table.space)
    if rows is None or not len(rows.ids):
        return table
    at = table.ids.rows(rows.ids.ids, missing=-1)
    known, new = np.flatnonzero(at >= 0), np.flatnonzero(at < 0)
    vectors = np.concatenate([table.vectors, rows.vectors[new]])
    vectors[at[known]] = rows.vectors[known]
    return EmbeddingTable(IdMap([*table.ids, *rows.ids.at(new)]), vectors, table.space)
