"""The embedding job: items to vectors of one named space, redone only where the text changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from batch.assembly import Rows
from batch.base import BatchEngine, JobReport, Result, Schema, Usage
from batch.job import JobConfig, plan_job, run_job
from batch.plan import BatchSize, Threads
from batch.report import JobPlan
from catalog.errors import DataError, NotBuiltError, did_you_mean
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, save_frames
from catalog.workspace import Workspace
from embedding.base import TextEmbedder
from embedding.catalog_texts import CatalogTexts
from embedding.item_text import CATALOGUE_PARTS, TEMPLATE, Fitted, Part
from embedding.reviews import SOURCES, SOURCES_FILE, ReviewConfig

CUT_FILE = "cut.parquet"
"""Ids of the items whose text was longer than the budget, or than what the model reads."""


class EmbedJobConfig(JobConfig):
    """How the texts are cut and the job runs."""

    batch_size: BatchSize = 64
    """Texts handed to the embedder at once."""
    workers: Threads = 1
    """Batches at the same time; the embedders here are parallel within themselves."""
    decoders: Threads = 1
    """Texts made ready at the same time; with one, batches are always the same texts."""
    budget_tokens: int = Field(512, ge=1)
    """Tokens of an item's text, where the embedder can count them; never more than its model reads. What does not
    fit is divided among the parts of the text. Changes vectors."""
    budget_chars: int = Field(2000, ge=1)
    """Characters of an item's text, where the embedder cannot count tokens. Changes vectors."""


def embed_catalog(
    workspace: Workspace,
    embedder: TextEmbedder,
    *,
    parts: tuple[Part, ...] | None = None,
    captions: str | None = None,
    reviews: ReviewConfig | None = None,
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
        reviews: Which reviews the part "reviews" reads. None: the usual ones, of any time.
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
    reading = _texts(workspace, embedder, parts, captions, reviews, config)
    caption_manifest = workspace.manifest(f"captions/{captions}") if captions is not None else None

    def assemble(folder: Path, rows: Rows) -> None:
        cut: list[pl.Series] = []
        save_frames(folder, _noting(rows.frames, cut), rows.count, embedder.dim, space)
        whole = pl.concat(cut) if cut else pl.Series("item_id", [], pl.String)
        pl.DataFrame({"item_id": whole}).write_parquet(folder / CUT_FILE)
        if reading.reviews is not None:
            reading.reviews.select(list(SOURCES)).write_parquet(folder / SOURCES_FILE)

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
            "budget": list(reading.budget),
            "reviews": reading.reviews_meta(),
            "items": reading.items,
            "items_without_text": reading.items - reading.with_text,
        }

    return run_job(
        workspace,
        f"embeddings/{space}",
        work=reading.work(space),
        prepare=reading.fitting,
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
    reviews: ReviewConfig | None = None,
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
        work=_texts(workspace, embedder, parts, captions, reviews, config).work(space),
        schema=_schema(embedder),
        config=config,
        limit=limit,
        retry_all=retry_all,
    )


@dataclass(frozen=True, slots=True)
class Embedding:
    """Texts to vectors, as a step of a job."""

    embedder: TextEmbedder

    def __call__(self, texts: Sequence[Fitted]) -> list[Result]:
        """Embed a batch."""
        found = self.embedder.embed_counted([fitted.text for fitted in texts])
        counts = found.tokens or (0,) * len(texts)
        cut = found.cut or (False,) * len(texts)
        faults = found.faults or (None,) * len(texts)
        return [
            Result({"vector": vector, "cut": fitted.cut or more}, usage=Usage(prompt=count))
            if fault is None
            else Result.failed("bad vector", f"the vector {fault}", Usage(prompt=count))
            for fitted, vector, count, more, fault in zip(texts, found.vectors, counts, cut, faults, strict=True)
        ]


def _texts(
    workspace: Workspace,
    embedder: TextEmbedder,
    parts: tuple[Part, ...],
    captions: str | None,
    reviews: ReviewConfig | None,
    config: EmbedJobConfig,
) -> CatalogTexts:
    return CatalogTexts(workspace, embedder, parts, captions, reviews, config.budget_chars, config.budget_tokens)


def _schema(embedder: TextEmbedder) -> Schema:
    return {"vector": pl.Array(pl.Float32, embedder.dim), "cut": pl.Boolean}


def _noting(frames: Iterable[pl.DataFrame], cut: list[pl.Series]) -> Iterator[pl.DataFrame]:
    """Pass tables on, and note the items whose text was cut."""
    for frame in frames:
        cut.append(frame.filter("cut")["item_id"])
        yield frame


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
    with workspace.reading(f"embeddings/{space}", whole=True) as folder:
        return EmbeddingTable.load(folder, space)


def cut_items(workspace: Workspace, space: str) -> list[str]:
    """Return the ids of the items whose text was too long for a space, in the catalogue's order."""
    with workspace.reading(f"embeddings/{space}") as folder:
        path = folder / CUT_FILE
        return pl.read_parquet(path)["item_id"].to_list() if path.is_file() else []


def review_sources(workspace: Workspace, space: str) -> pl.DataFrame | None:
    """Return whose words, and from when, the texts of a space hold (`reviews.SOURCES`); None where they hold none."""
    with workspace.reading(f"embeddings/{space}") as folder:
        path = folder / SOURCES_FILE
        return pl.read_parquet(path) if path.is_file() else None
