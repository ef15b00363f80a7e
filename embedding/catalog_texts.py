"""What a catalogue's items say, read a few thousand at a time: the work of the embedding job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import polars as pl

from batch.base import Piece, Work
from batch.keys import Keys
from batch.tables import read_tables
from catalog.columns import CAPTIONS
from catalog.errors import NothingToDo
from catalog.items import item_from_row
from catalog.nouns import Caption
from catalog.spoken import TRANSCRIPTS_FILE, with_spoken
from catalog.workspace import Workspace
from embedding.base import TextEmbedder
from embedding.item_text import TEMPLATE, Fitted, Part, fit, item_parts
from embedding.reviews import ReviewConfig, chosen_reviews, review_texts, reviews_meta
from embedding.tokens import TokenCounter


@dataclass(frozen=True, slots=True)
class Fitting:
    """The parts of an item to one text within the budget, as a step of a job."""

    budget_chars: int
    counter: TokenCounter | None

    def __call__(self, piece: Piece) -> Fitted:
        """Fit one item's parts."""
        parts: dict[Part, str] = json.loads(piece.payload["parts"])
        return fit(parts, budget_chars=self.budget_chars, counter=self.counter)


class CatalogTexts:
    """Reads the texts of the catalogue's items, a few thousand at a time, and counts them."""

    def __init__(
        self,
        workspace: Workspace,
        embedder: TextEmbedder,
        parts: tuple[Part, ...],
        captions: str | None,
        reviews: ReviewConfig | None,
        budget_chars: int,
        budget_tokens: int,
    ) -> None:
        workspace.path("catalog")
        self._workspace, self._parts = workspace, parts
        counter = embedder.counter()
        if counter is not None:
            counter = TokenCounter(counter.folder, min(counter.limit, budget_tokens))
        self.fitting = Fitting(budget_chars, counter)
        self.budget = ("characters", budget_chars) if counter is None else ("tokens", counter.limit)
        self._keys = Keys("embedding", TEMPLATE, self.budget, embedder.name, embedder.model, embedder.dim)
        self._review_config = reviews or ReviewConfig()
        self.reviews: pl.DataFrame | None = None
        if "reviews" in parts:
            with workspace.reading("catalog") as folder:
                log = pl.read_parquet(folder / "log.parquet")
            if (said := self._review_config.transcripts) is not None:
                with workspace.reading(f"transcripts/{said}") as folder:
                    log = with_spoken(log, pl.read_parquet(folder / TRANSCRIPTS_FILE, columns=["event_id", "text"]))
            self.reviews = chosen_reviews(log, self._review_config)
        self._captions = None
        if captions is not None:
            with workspace.reading(f"captions/{captions}") as folder:
                self._captions = pl.read_parquet(folder / "captions.parquet").select(list(CAPTIONS))
        self.items = self.with_text = 0

    def work(self, space: str) -> Work:
        """Return one piece an item that has a text.

        Raises:
            NothingToDo: When none has.
        """
        work = Work.of(self._pieces(), ("item_id",), {"parts": pl.String})
        frames = iter(work.frames)
        first = next(frames, None)
        if first is None:
            raise NothingToDo(f"space {space!r}: none of the {self.items} items has {' or '.join(self._parts)}")
        return Work(work.labels, work.payload, chain([first], frames))

    def reviews_meta(self) -> Mapping[str, Any] | None:
        """Return what the manifest says of the reviews, or None where none are read."""
        return None if self.reviews is None else reviews_meta(self.reviews, self._review_config)

    def _pieces(self) -> Iterator[Piece]:
        with self._workspace.reading("catalog") as folder:
            for table in read_tables(folder / "items.parquet"):
                words, written = self._words(table["item_id"]), self._written(table["item_id"])
                for row in table.iter_rows(named=True):
                    item = item_from_row(row)
                    self.items += 1
                    said, opinions = words.get(item.item_id, ()), written.get(item.item_id, ())
                    if parts := item_parts(item, said, opinions, parts=self._parts):
                        self.with_text += 1
                        text = json.dumps(parts, ensure_ascii=False)
                        yield Piece({"item_id": item.item_id}, self._keys.key(text), {"parts": text})

    def _written(self, item_ids: pl.Series) -> dict[str, tuple[str, ...]]:
        """Return what shoppers wrote of some items."""
        if self.reviews is None:
            return {}
        return review_texts(self.reviews.filter(pl.col("item_id").is_in(item_ids.implode())), self._review_config)

    def _words(self, item_ids: pl.Series) -> dict[str, tuple[Caption, ...]]:
        """Return the captions of some items; this layer stands below captioning, so it reads the table itself."""
        if self._captions is None:
            return {}
        found: dict[str, tuple[Caption, ...]] = {}
        for row in self._captions.filter(pl.col("item_id").is_in(item_ids.implode())).iter_rows(named=True):
            found[row["item_id"]] = (*found.get(row["item_id"], ()), Caption(**row))
        return found
