"""The embedding job: items to vectors of one named space, redone only where the text changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import Field

from batch.base import BatchEngine, JobReport, Piece, Result
from batch.job import JobConfig, run_job
from catalog.columns import CAPTIONS
from catalog.errors import DataError, NotBuiltError, NothingToDo, did_you_mean
from catalog.ids import IdMap
from catalog.nouns import Caption
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace, content_key
from embedding.base import TextEmbedder
from embedding.item_text import CATALOGUE_PARTS, TEMPLATE, Part, item_text


class EmbedJobConfig(JobConfig):
    """How the texts are cut and the job runs."""

    batch_size: int = Field(64, ge=1)
    """Texts handed to the embedder at once."""
    workers: int = Field(1, ge=1)
    """Chunks at the same time; the embedders here are parallel within themselves."""
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

    Raises:
        NotBuiltError: When the catalogue or the captions are missing.
        NothingToDo: When no item has a text.
        DataError: When `captions` and `parts` disagree, or an artifact is damaged.
        BusyError: When the same job is running already.
        ServiceError: When the embedder is unreachable; what was finished is kept.
    """
    config = config or EmbedJobConfig()
    parts = parts or (("captions",) if captions is not None else CATALOGUE_PARTS)
    space = space or default_space(embedder.name, captions)
    if ("captions" in parts) != (captions is not None):
        raise DataError(f"parts {parts!r} with captions={captions!r}: name both, or neither")
    catalog = load_shop(workspace).catalog
    words = _captions(workspace, captions) if captions is not None else {}
    work: list[Piece[str]] = []
    for item in catalog:
        text = item_text(item, words.get(item.item_id, ()), parts=parts, budget_chars=config.budget_chars)
        if text:
            key = content_key("embedding", embedder.name, embedder.model, embedder.dim, text)
            work.append(Piece({"item_id": item.item_id}, key, text))
    if not work:
        raise NothingToDo(f"space {space!r}: none of the {len(catalog)} items has any of {', '.join(parts)}")

    def process(chunk: Sequence[Piece[str]]) -> list[Result]:
        vectors = embedder.embed([piece.payload for piece in chunk])
        return [Result({"vector": vector.tolist()}) for vector in vectors]

    def assemble(folder: Path, rows: pl.DataFrame) -> None:
        vectors = rows["vector"].to_numpy().astype(np.float32).reshape(len(rows), embedder.dim)
        EmbeddingTable(IdMap(rows["item_id"].to_list()), vectors, space).save(folder)

    caption_manifest = workspace.manifest(f"captions/{captions}") if captions is not None else None
    return run_job(
        workspace,
        f"embeddings/{space}",
        work=work,
        process=process,
        schema={"vector": pl.Array(pl.Float32, embedder.dim)},
        assemble=assemble,
        engine=engine,
        config=config,
        meta={
            "space": space,
            "embedder": embedder.name,
            "model": embedder.model,
            "dim": embedder.dim,
            "template": TEMPLATE,
            "parts": list(parts),
            "captions": captions,
            "captions_key": caption_manifest.key if caption_manifest else None,
            "items": len(catalog),
            "items_without_text": len(catalog) - len(work),
        },
        progress=progress,
    )


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


def _captions(workspace: Workspace, name: str) -> Mapping[str, tuple[Caption, ...]]:
    """Read a captions artifact; this layer stands below captioning, so it reads the table itself."""
    with workspace.reading(f"captions/{name}") as folder:
        table = pl.read_parquet(folder / "captions.parquet").select(list(CAPTIONS))
    found: dict[str, tuple[Caption, ...]] = {}
    for row in table.iter_rows(named=True):
        found[row["item_id"]] = (*found.get(row["item_id"], ()), Caption(**row))
    return found
