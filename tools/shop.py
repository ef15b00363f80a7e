"""`Shop`: everything loaded that answers a shopper; wiring builds it, tools and agent read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.events import EventStore
from catalog.items import Catalog
from catalog.nouns import Caption, User
from catalog.vectors import EmbeddingTable
from embedding.base import TextEmbedder
from indexes.base import Index
from indexes.facets import FacetIndex
from models.base import Recommender

if TYPE_CHECKING:
    from models.features import ItemStatistics
    from models.ranker import Ranker


@dataclass(frozen=True)
class Shop:
    """A shop, open: read-only but for `events`.

    Attributes:
        name: Data set name.
        catalog: Items in order.
        users: Shoppers the shop knows.
        captions: What was read from each item's media.
        spaces: Embedding tables by space name (`text-minilm`, `caption-pixels-minilm`).
        indexes: Indexes by name: `keyword` and one a vector space, same name as the space.
        embedder: Embeds a wish into the space of every `*-minilm` index (or its replacement).
        recommender: The served model, None before `vitrine train`.
        ranker: The served re-ranker, None before `vitrine train`.
        statistics: Per-item aggregates and shopper histories as of the load, for ranking features.
        events: Live events; a tool that writes writes here.
        root: Workspace root, against which relative media paths resolve.
    """

    name: str
    catalog: Catalog
    users: Mapping[str, User]
    captions: Mapping[str, tuple[Caption, ...]]
    spaces: Mapping[str, EmbeddingTable]
    indexes: Mapping[str, Index]
    embedder: TextEmbedder
    events: EventStore
    root: Path
    recommender: Recommender | None = None
    ranker: Ranker | None = None
    statistics: ItemStatistics | None = None
    active: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def facets(self) -> FacetIndex:
        """The catalogue's facets as columns, made at the first question."""
        return FacetIndex(self.catalog)
