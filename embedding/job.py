"""The embedding job: items to vectors of one named space, redone only where the text changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from batch.assembly import Rows
from batch.base import PLANNED_ROWS, BatchEngine, JobReport, Piece, Result, Schema, Usage, Work
from batch.job import JobConfig, plan_job, run_job
from batch.keys import Keys
from batch.report import JobPlan
from catalog.columns import CAPTIONS
from catalog.errors import DataError, NotBuiltError, NothingToDo, did_you_mean
from catalog.items import item_from_row
from catalog.nouns import Caption
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, save_frames
from catalog.workspace import Workspace
from embedding.base import TextEmbedder
from embedding.item_text import CATALOGUE_PARTS, TEMPLATE, Part, item_text


class EmbedJobConfig(JobConfig):
    """How the texts are cut and the job runs."""

    batch_size: int = Field(64, ge=1)
    """Texts handed to the embedder at once."""
    workers: int = Field(1, ge=1)
    """Batches at the same time; the embedders here are parallel within themselves."""
    decoders: int = Field(1, ge=1)
    """Texts made ready at the same time; with one, batches are always the same texts."""
    budget_chars: int = Field(2000, ge=1)
    """Characters of an item's text that are read; changes vectors."""


def embed_catalog(
    workspace: Workspace,
    embedder: TextEmbedder,
    *,
    parts: tuple[Part, ...] | None = None,
    captions: str | None = None,
    space: str | None = None,
    engine: BatchEngine,
    config: EmbedJobConfig | None = None,
    progress: Progress = SILENT,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobReport:
    """Write `embeddings/<space>`: one vector an item that has any of `parts`; the others are absent.

    Args:
        workspace: Holds the catalogue, and the captions if asked for.
        embedder: Texts to vectors.
        parts: Parts of `item_text`. None: what the shop wrote, or the captions alone where `captions` is named.
        captions: Name of the captions artifact that the part "captions" reads.
        space: Name of the space. None: `default_space`.
        engine: Who runs the job.
        config: How it runs.
        progress: Told of every item.
        limit: New texts at most; the space then holds what there is.
        retry_all: Try even what failed too often.

    Raises:
        NotBuiltError: When the catalogue or the captions are missing.
        NothingToDo: When no item has a text.
        DataError: When `captions` and `parts` disagree, or an artifact is damaged.
        BusyError: When the same job is running already.
        ServiceError: When the embedder is unreachable; what was finished is kept.
    """
    config, parts, space = _chosen(embedder, parts, captions, space, config)
    reading = _Reading(workspace, embedder, parts, captions, config)
    caption_manifest = workspace.manifest(f"captions/{captions}") if captions is not None else None

    def assemble(folder: Path, rows: Rows) -> None:
        save_frames(folder, rows.frames, rows.count, embedder.dim, space)

    def meta() -> dict[str, Any]:
        return {
            "space": space,
            "embedder": embedder.name,
            "model": embedder.model,
            "dim": embedder.dim,
            "template": TEMPLATE,
            "parts": list(parts),
            "captions": captions,
            "captions_key": caption_manifest.key if caption_manifest else None,
            "items": reading.items,
            "items_without_text": reading.items - reading.with_text,
        }

    return run_job(
        workspace,
        f"embeddings/{space}",
        work=reading.work(space),
        prepare=_text,
        infer=Embedding(embedder),
        schema=_schema(embedder),
        assemble=assemble,
        engine=engine,
        config=config,
        meta=meta,
        progress=progress,
        limit=limit,
        retry_all=retry_all,
    )


def plan_embeddings(
    workspace: Workspace,
    embedder: TextEmbedder,
    *,
    parts: tuple[Part, ...] | None = None,
    captions: str | None = None,
    space: str | None = None,
    config: EmbedJobConfig | None = None,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobPlan:
    """Return what `embed_catalog` with these arguments would do; nothing is written.

    Raises:
        NotBuiltError: When the catalogue or the captions are missing.
        NothingToDo: When no item has a text.
        DataError: When `captions` and `parts` disagree, or an artifact is damaged.
    """
    config, parts, space = _chosen(embedder, parts, captions, space, config)
    return plan_job(
        workspace,
        f"embeddings/{space}",
        work=_Reading(workspace, embedder, parts, captions, config).work(space),
        schema=_schema(embedder),
        config=config,
        limit=limit,
        retry_all=retry_all,
    )


@dataclass(frozen=True, slots=True)
class Embedding:
    """Texts to vectors, as a step of a job."""

    embedder: TextEmbedder

    def __call__(self, texts: Sequence[str]) -> list[Result]:
        """Embed a batch."""
        found = self.embedder.embed_counted(texts)
        counts = found.tokens or (0,) * len(texts)
        return [
            Result({"vector": vector}, usage=Usage(prompt=count))
            for vector, count in zip(found.vectors, counts, strict=True)
        ]


def _text(piece: Piece) -> str:
    return str(piece.payload["text"])


def _schema(embedder: TextEmbedder) -> Schema:
    return {"vector": pl.Array(pl.Float32, embedder.dim)}


def _chosen(
    embedder: TextEmbedder,
    parts: tuple[Part, ...] | None,
    captions: str | None,
    space: str | None,
    config: EmbedJobConfig | None,
) -> tuple[EmbedJobConfig, tuple[Part, ...], str]:
    parts = parts or (("captions",) if captions is not None else CATALOGUE_PARTS)
    if ("captions" in parts) != (captions is not None):
        raise DataError(f"parts {parts!r} with captions={captions!r}: name both, or neither")
    return config or EmbedJobConfig(), parts, space or default_space(embedder.name, captions)


class _Reading:
    """Reads the texts of the catalogue's items, a few thousand at a time, and counts them."""

    def __init__(
        self,
        workspace: Workspace,
        embedder: TextEmbedder,
        parts: tuple[Part, ...],
        captions: str | None,
        config: EmbedJobConfig,
    ) -> None:
        workspace.path("catalog")
        self._workspace, self._parts, self._budget = workspace, parts, config.budget_chars
        self._keys = Keys("embedding", embedder.name, embedder.model, embedder.dim)
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
        work = Work.of(self._pieces(), ("item_id",), {"text": pl.String})
        frames = iter(work.frames)
        first = next(frames, None)
        if first is None:
            raise NothingToDo(f"space {space!r}: none of the {self.items} items has any of {', '.join(self._parts)}")
        return Work(work.labels, work.payload, chain([first], frames))

    def _pieces(self) -> Iterator[Piece]:
        with self._workspace.reading("catalog") as folder:
            for table in read_tables(folder / "items.parquet"):
                words = self._words(table["item_id"])
                for row in table.iter_rows(named=True):
                    item = item_from_row(row)
                    self.items += 1
                    said = words.get(item.item_id, ())
                    if text := item_text(item, said, parts=self._parts, budget_chars=self._budget):
                        self.with_text += 1
                        yield Piece({"item_id": item.item_id}, self._keys.key(text), {"text": text})

    def _words(self, item_ids: pl.Series) -> dict[str, tuple[Caption, ...]]:
        """Return the captions of some items; this layer stands below captioning, so it reads the table itself."""
        if self._captions is None:
            return {}
        found: dict[str, tuple[Caption, ...]] = {}
        for row in self._captions.filter(pl.col("item_id").is_in(item_ids.implode())).iter_rows(named=True):
            found[row["item_id"]] = (*found.get(row["item_id"], ()), Caption(**row))
        return found


def read_tables(path: Path) -> Iterator[pl.DataFrame]:
    """Yield a Parquet file a few thousand rows at a time."""
    import pyarrow.parquet as parquet

    with parquet.ParquetFile(path) as file:
        for batch in file.iter_batches(PLANNED_ROWS):
            table = pl.from_arrow(batch)
            assert isinstance(table, pl.DataFrame)
            yield table


def default_space(embedder: str, captions: str | None = None) -> str:
    """Return the usual name of a space: `text-minilm`, or `caption-pixels-minilm` for captions of `pixels`."""
    return f"text-{embedder}" if captions is None else f"caption-{captions}-{embedder}"


def load_embeddings(workspace: Workspace, space: str) -> EmbeddingTable:
    """Read `embeddings/<space>`.

    Raises:
        NotBuiltError: When there is none; the text names the spaces there are.
        DataError: When it is damaged.
    """
    if not workspace.has(f"embeddings/{space}"):
        available = did_you_mean(space, workspace.names("embeddings"))
        raise NotBuiltError(f"no embedding space {space!r} in the store: run vitrine embed first. {available}")
    with workspace.reading(f"embeddings/{space}") as folder:
        return EmbeddingTable.load(folder, space)
