"""The picture job: an item's pictures to one vector of the space `picture-<name>`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
from pydantic import Field

from batch.assembly import Rows, write_frames
from batch.base import PLANNED_ROWS, BatchEngine, JobReport, Piece, Result, Schema, Work
from batch.hashes import HashCache
from batch.job import JobConfig, plan_job, run_job
from batch.keys import Keys
from batch.media_keys import keyed_media
from batch.plan import BatchSize, Threads
from batch.report import JobPlan
from batch.tables import read_tables
from catalog.errors import NothingToDo
from catalog.media import MediaLimits, open_picture
from catalog.progress import SILENT, Progress
from catalog.vectors import Floats, save_frames
from catalog.workspace import Workspace
from embedding.base import ImageEmbedder


class PictureJobConfig(JobConfig):
    """Which pictures are embedded, what an item's vector is made of, and how the job runs."""

    batch_size: BatchSize = 32
    """Pictures handed to the model at once."""
    workers: Threads = 1
    """Batches at the same time; the model is parallel within itself."""
    images_per_item: int = Field(4, ge=1)
    """Pictures of one item, in the catalogue's order. Changes vectors."""
    together: Literal["mean", "first"] = "mean"
    """What an item's vector is: `mean` of its pictures' unit vectors, brought back to length 1, so that a second view
    counts as much as the first; or that of the `first` picture that could be read. Changes vectors."""
    media: MediaLimits = MediaLimits()
    """Bounds on what is decoded."""


def picture_space(name: str) -> str:
    """Return the space of a picture embedder: `picture-clip`."""
    return f"picture-{name}"


def embed_pictures(
    workspace: Workspace,
    embedder: ImageEmbedder,
    *,
    engine: BatchEngine,
    config: PictureJobConfig | None = None,
    progress: Progress = SILENT,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobReport:
    """Write `embeddings/picture-<name>`: one vector an item with a picture that can be read; the others are absent.

    A picture is embedded once, however many items show it. One that cannot be read is a counted failure. `limit`
    and `retry_all` are those of `run_job`.

    Raises:
        NotBuiltError: When the catalogue is missing.
        NothingToDo: When no item has a picture.
        BusyError: When the same job is running already.
    """
    config = config or PictureJobConfig()
    table = _pictures(workspace, config)
    space = picture_space(embedder.name)

    def assemble(folder: Path, rows: Rows) -> None:
        # How many items there are is known only at the end, and millions of vectors do not fit into memory.
        waiting = folder / ".items.parquet"
        write_frames(waiting, item_vectors(rows.frames, config.together), {"item_id": pl.String, **_schema(embedder)})
        count = int(pl.scan_parquet(waiting).select(pl.len()).collect().item())
        save_frames(folder, read_tables(waiting), count, embedder.dim, space)
        waiting.unlink()

    with HashCache(workspace.root, config.decoders) as hashes:
        return run_job(
            workspace,
            f"embeddings/{space}",
            work=_work(table, hashes, embedder),
            prepare=Reading(workspace.root, embedder, config.media),
            infer=Encoding(embedder),
            schema=_schema(embedder),
            assemble=assemble,
            engine=engine,
            config=config,
            meta={
                "space": space,
                "embedder": embedder.name,
                "model": embedder.model,
                "dim": embedder.dim,
                "pictures": len(table),
                "together": config.together,
            },
            progress=progress,
            limit=limit,
            retry_all=retry_all,
        )


def plan_pictures(
    workspace: Workspace,
    embedder: ImageEmbedder,
    *,
    config: PictureJobConfig | None = None,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobPlan:
    """Return what `embed_pictures` would do; of the store it writes only the cache of hashes."""
    config = config or PictureJobConfig()
    with HashCache(workspace.root, config.decoders) as hashes:
        return plan_job(
            workspace,
            f"embeddings/{picture_space(embedder.name)}",
            work=_work(_pictures(workspace, config), hashes, embedder),
            schema=_schema(embedder),
            config=config,
            limit=limit,
            retry_all=retry_all,
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """A picture's file to what the model wants, as a step of a job; no model is loaded for it."""

    root: Path
    embedder: ImageEmbedder
    limits: MediaLimits

    def __call__(self, piece: Piece) -> Floats:
        """Decode and prepare one picture, (3, h, w).

        Raises:
            MediaError: When it cannot be decoded.
        """
        return self.embedder.prepare(open_picture(str(piece.label["media"]), self.root, self.limits))


@dataclass(frozen=True, slots=True)
class Encoding:
    """Prepared pictures to vectors, as a step of a job."""

    embedder: ImageEmbedder

    def __call__(self, pixels: Sequence[Floats]) -> list[Result]:
        """Embed a batch."""
        return [Result({"vector": vector}) for vector in self.embedder.embed_prepared(pixels)]


def item_vectors(frames: Any, together: Literal["mean", "first"]) -> Iterator[pl.DataFrame]:
    """Yield tables of `item_id` and `vector`, one row an item, from rows of pictures in the catalogue's order.

    Pictures that cancel each other out to nothing leave the first one's vector.
    """
    waiting: pl.DataFrame | None = None
    for frame in frames:
        rows = frame.select("item_id", "vector")
        rows = rows if waiting is None else pl.concat([waiting, rows])
        # An item's pictures may go on in the next table.
        last = rows.filter(pl.col("item_id") == rows["item_id"][-1])
        yield from _united(rows.head(len(rows) - len(last)), together)
        waiting = last
    if waiting is not None:
        yield from _united(waiting, together)


def _united(rows: pl.DataFrame, together: Literal["mean", "first"]) -> Iterator[pl.DataFrame]:
    if not len(rows):
        return
    vectors = np.asarray(rows["vector"].to_numpy(), np.float32).reshape(len(rows), -1)
    own = rows["item_id"].rle()
    sizes = own.struct.field("len").to_numpy().astype(np.int64)
    starts = np.cumsum(sizes) - sizes
    out = vectors[starts]
    if together == "mean":
        means = np.add.reduceat(vectors, starts, axis=0)
        lengths = np.linalg.norm(means, axis=1, keepdims=True)
        several = (sizes[:, None] > 1) & (lengths > 1e-6)
        out = np.where(several, means / np.maximum(lengths, 1e-6), out).astype(np.float32)
    width = pl.Array(pl.Float32, vectors.shape[1])
    yield pl.DataFrame({"item_id": own.struct.field("value"), "vector": pl.Series("vector", out, width)})


def _pictures(workspace: Workspace, config: PictureJobConfig) -> pl.DataFrame:
    """Return `item_id` and `media` of every picture to embed, in the catalogue's order."""
    with workspace.reading("catalog") as folder:
        items = pl.read_parquet(folder / "items.parquet", columns=["item_id", "images"])
    first = pl.col("images").list.unique(maintain_order=True).list.head(config.images_per_item)
    table = items.select("item_id", first.alias("media")).filter(pl.col("media").list.len() > 0).explode("media")
    if not len(table):
        raise NothingToDo(f"pictures: none of the {len(items)} items has one")
    return table


def _work(table: pl.DataFrame, hashes: HashCache, embedder: ImageEmbedder) -> Work:
    keys = Keys("picture", embedder.name, embedder.model, embedder.dim)

    def frames() -> Iterator[pl.DataFrame]:
        for part in table.iter_slices(PLANNED_ROWS):
            yield keyed_media(part, "media", hashes, lambda _, sha: keys.key(sha))

    return Work(("item_id", "media"), {}, frames())


def _schema(embedder: ImageEmbedder) -> Schema:
    return {"vector": pl.Array(pl.Float32, embedder.dim)}
