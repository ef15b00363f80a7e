"""`Shop`: everything loaded that answers a shopper; wiring builds it, tools and agent read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catalog.events import EventStore
from catalog.filters import Filters
from catalog.ids import Rows
from catalog.items import Catalog
from catalog.nouns import Caption, User
from catalog.vectors import EmbeddingTable, Floats, Mask
from embedding.base import TextEmbedder
from indexes.base import Index
from indexes.facets import FacetIndex
from indexes.job import KEYWORD
from indexes.keyword import KeywordIndex
from models.base import Ranker, Recommender
from tools.crossmodal.senses import Senses
from tools.experiment import ExperimentConfig, arms_of
from tools.pipeline.config import PipelineConfig
from tools.pipeline.kin import Kin, kin_of
from tools.sort_columns import SortColumns

if TYPE_CHECKING:
    from models.ctr import CtrModel
    from models.features import FeatureStore
    from tools.pipeline.factor_taste import FactorTable


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
        retrievers: Further recommenders by name that propose candidates beside it.
        ranker: The served re-ranker, None before `vitrine train`.
        ctr: The served click model, None where there is none.
        scorers: Small recommenders by name whose scores are features of both.
        statistics: Per-item aggregates and shopper histories as of the load, for ranking features.
        events: Live events; a tool that writes writes here.
        root: Workspace root, against which relative media paths resolve.
        active: Which implementation serves each row of the design's table of defaults, for health and page.
        pipeline: How candidates are found and ordered.
        further: Tables of spaces that only a query which names them searches (`picture-clip`, `video-clip`, `fused`):
            pictures, films and voices reach them, a shopper's taste does not.
        senses: What turns a query's picture, film or voice into vectors and words.
        experiment: Which shoppers are answered by which variant of the pipeline; None: all by the same.
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
    retrievers: Mapping[str, Recommender] = field(default_factory=dict)
    ranker: Ranker | None = None
    ctr: CtrModel | None = None
    scorers: Mapping[str, Recommender] = field(default_factory=dict)
    statistics: FeatureStore | None = None
    active: Mapping[str, str] = field(default_factory=dict)
    pipeline: PipelineConfig = field(default_factory=PipelineConfig)
    further: Mapping[str, EmbeddingTable] = field(default_factory=dict)
    senses: Senses = field(default_factory=Senses)
    experiment: ExperimentConfig | None = None

    @cached_property
    def arms(self) -> Mapping[str, Shop]:
        """The shop as each arm of its experiment has it, made at the first question."""
        return arms_of(self)

    def table(self, space: str) -> EmbeddingTable:
        """Return the table of a space, one of `spaces` or of `further`."""
        return self.spaces[space] if space in self.spaces else self.further[space]

    @cached_property
    def facets(self) -> FacetIndex:
        """The catalogue's facets as columns, made at the first question."""
        return FacetIndex(self.catalog)

    @cached_property
    def centres(self) -> dict[str, Floats]:
        """The mean unit vector of spaces, (d,), as far as it was asked for."""
        return {}

    @cached_property
    def index_rows(self) -> Mapping[str, Rows]:
        """For each index, the catalogue row of every row of its own (-1: no longer sold)."""
        return {name: self.catalog.ids.rows(index.items.ids, missing=-1) for name, index in self.indexes.items()}

    @cached_property
    def model_rows(self) -> Rows:
        """For each catalogue row, the recommender's row (-1: unknown to it)."""
        known = self.recommender.items.rows(self.catalog.ids.ids, missing=-1) if self.recommender else None
        return np.full(len(self.catalog), -1, np.int64) if known is None else known

    def in_catalogue(self, values: Floats) -> Floats:
        """Return the recommender's scores (n_model_items,) in catalogue order, -inf for items unknown to it."""
        if self._unknown is None:
            return values.copy()
        out: Floats = values[self.model_rows]
        out[self._unknown] = -np.inf
        return out

    @cached_property
    def _unknown(self) -> Mask | None:
        """Items the recommender does not know; None where its order is the catalogue's."""
        rows = self.model_rows
        return None if np.array_equal(rows, np.arange(len(rows))) else rows < 0

    @cached_property
    def retriever_rows(self) -> Mapping[str, Rows]:
        """For each further retriever, the catalogue row of every item of its own (-1: no longer sold)."""
        return {name: self.catalog.ids.rows(model.items.ids, missing=-1) for name, model in self.retrievers.items()}

    @cached_property
    def same_rows(self) -> frozenset[str]:
        """Indexes whose rows are the catalogue's."""
        whole = np.arange(len(self.catalog))
        return frozenset(name for name, rows in self.index_rows.items() if np.array_equal(rows, whole))

    @cached_property
    def table_rows(self) -> Mapping[str, Rows]:
        """For each space, the row of its table of every catalogue row (-1: no vector)."""
        return {
            name: table.ids.rows(self.catalog.ids.ids, missing=-1)
            for name, table in {**self.further, **self.spaces}.items()
        }

    @cached_property
    def parents(self) -> Rows:
        """For each catalogue row, a code of its parent (-1: it has none)."""
        codes: dict[str, int] = {}
        given = [-1 if i.parent_id is None else codes.setdefault(i.parent_id, len(codes)) for i in self.catalog]
        return np.array(given, np.int64)

    @cached_property
    def rule_rows(self) -> Mapping[str, Mask]:
        """Which items each rule of the house is about, (n_items,) bool, by its name."""
        from tools.pipeline.business import rows_of

        return {rule.name: rows_of(self, rule) for rule in self.pipeline.rules}

    @cached_property
    def fresh(self) -> Mask:
        """Which items nobody was shown, looked at or took as of the load, (n_items,) bool."""
        if self.statistics is None:
            return np.array([not item.rating_count for item in self.catalog], np.bool_)
        found: Mask = np.isnan(self.statistics.statistics.columns["first_event"])
        return found

    @cached_property
    def children(self) -> Sequence[Sequence[int]]:
        """For each code of a parent, the catalogue rows of its variants."""
        found: list[list[int]] = [[] for _ in range(int(self.parents.max(initial=-1)) + 1)]
        for row in np.flatnonzero(self.parents >= 0).tolist():
            found[self.parents[row]].append(row)
        return found

    @cached_property
    def narrowest(self) -> Rows:
        """For each catalogue row, a code of its narrowest category (-1: it has none)."""
        codes: dict[str, int] = {}
        given = [codes.setdefault(i.categories[-1], len(codes)) if i.categories else -1 for i in self.catalog]
        return np.array(given, np.int64)

    @cached_property
    def by_popularity(self) -> Rows:
        """Catalogue rows, the most taken first, ties by lower row."""
        return np.argsort(-self.popularity, kind="stable")

    @cached_property
    def kin(self) -> Kin:
        """What stands for the items the recommender knows nothing of, looked for at the first recommendation."""
        return kin_of(self)

    @cached_property
    def factors(self) -> FactorTable | None:
        """The rows of a factor model in a large shop, searched in place of scored; None elsewhere."""
        from tools.pipeline.factor_taste import factor_table

        return factor_table(self)

    @cached_property
    def sort_columns(self) -> SortColumns:
        """What items can be sorted by."""
        return SortColumns.of(self.catalog)

    @cached_property
    def in_stock(self) -> Mask:
        """Which items are not known to be out of stock, (n_items,) bool."""
        mask = self.facets.mask(Filters(available=True))
        return np.ones(len(self.catalog), np.bool_) if mask is None else mask

    @property
    def words(self) -> KeywordIndex | None:
        """The keyword index, where there is one: it alone can say which words matched."""
        found = self.indexes.get(KEYWORD)
        return found if isinstance(found, KeywordIndex) else None

    @cached_property
    def popularity(self) -> Floats:
        """How often each item is taken, (n_items,) in catalogue order: from the log, else from the count of ratings."""
        if self.statistics is not None:
            return np.asarray(self.statistics.statistics.columns["popularity"], np.float32)
        return np.array([item.rating_count or 0 for item in self.catalog], np.float32)
