"""The frame job: every film of the store, of items and of marketing, to frame vectors with their times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
from pydantic import Field

from batch.assembly import Rows, write_frames
from batch.base import PLANNED_ROWS, BatchEngine, JobReport, Piece, Result, Schema, Work
from batch.hashes import HashCache
from batch.job import JobConfig, run_job
from batch.keys import Keys
from batch.media_keys import keyed_media
from batch.plan import BatchSize, Threads
from catalog.errors import NothingToDo
from catalog.marketing import ARTIFACT, load_marketing
from catalog.media import MediaLimits, SampledVideo
from catalog.media.scenes import sample_clip
from catalog.media.survey import FrameBudget
from catalog.progress import SILENT, Progress
from catalog.vectors import Floats
from catalog.workspace import Workspace
from embedding.base import ImageEmbedder

Source = Literal["marketing", "item"]
"""Whose film it is."""

FILE = "frames.parquet"


class FrameJobConfig(JobConfig):
    """Which films are read, how many frames of each, and how the job runs."""

    batch_size: BatchSize = 8
    """Films handed to the model at once."""
    workers: Threads = 1
    """Batches at the same time; the model is parallel within itself."""
    frames: int = Field(16, ge=1, le=256)
    """Frames of a film at most, spread over its scenes. Changes vectors."""
    videos_per_item: int = Field(1, ge=1)
    """Films of one item, in the catalogue's order."""
    media: MediaLimits = MediaLimits()
    """Bounds on what is decoded."""


@dataclass(frozen=True, slots=True)
class FrameSequence:
    """A film as a model reads it.

    Attributes:
        vectors: (t, d) float32, rows of length 1, in the order of time.
        seconds: (t,) float32, true time of each frame.
        scenes: (t,) float32, when the scene of each frame began.
        length: Seconds of the film.
    """

    vectors: Floats
    seconds: Floats
    scenes: Floats
    length: float


def frames_artifact(name: str) -> str:
    """Return the artifact of an embedder's frame vectors: `frames/clip`."""
    return f"frames/{name}"


def embed_frames(
    workspace: Workspace,
    embedder: ImageEmbedder,
    *,
    engine: BatchEngine,
    config: FrameJobConfig | None = None,
    progress: Progress = SILENT,
) -> JobReport:
    """Write `frames/<name>`: the frame vectors of every film that can be read; one that cannot is a counted failure.

    A film is read once, however many items and campaigns show it, and never again while its bytes are the same.

    Raises:
        NothingToDo: When neither an item nor a marketing medium has a film.
        BusyError: When the same job is running already.
    """
    config = config or FrameJobConfig()
    table = films_of(workspace, config)
    schema = _schema()

    def assemble(folder: Path, rows: Rows) -> None:
        write_frames(folder / FILE, rows.frames, rows.schema)

    with HashCache(workspace.root, config.decoders) as hashes:
        return run_job(
            workspace,
            frames_artifact(embedder.name),
            work=_work(table, hashes, embedder, config),
            prepare=Reading(workspace.root, embedder, config),
            infer=Encoding(embedder),
            schema=schema,
            assemble=assemble,
            engine=engine,
            config=config,
            meta={"embedder": embedder.name, "model": embedder.model, "dim": embedder.dim, "frames": config.frames},
            progress=progress,
        )


def load_frames(workspace: Workspace, name: str) -> dict[tuple[Source, str], FrameSequence]:
    """Return the films of an embedder by whose they are: `("item", item_id)` or `("marketing", media_id)`.

    Of an item with several films the first that could be read counts.

    Raises:
        NotBuiltError: When the frames of this embedder are not in the store.
    """
    artifact = frames_artifact(name)
    with workspace.reading(artifact) as folder:
        manifest = workspace.manifest(artifact)
        assert manifest is not None
        dim, found = int(manifest.meta["dim"]), dict[tuple[Source, str], FrameSequence]()
        for row in pl.read_parquet(folder / FILE).iter_rows(named=True):
            vectors = np.array(row["vectors"], np.float32).reshape(-1, dim)
            seconds, scenes = (np.array(row[name], np.float32) for name in ("seconds", "scenes"))
            found.setdefault((row["source"], row["id"]), FrameSequence(vectors, seconds, scenes, row["length"]))
    return found


def films_of(workspace: Workspace, config: FrameJobConfig) -> pl.DataFrame:
    """Return `source`, `id` and `video` of every film of the store: marketing first, then items.

    Raises:
        NotBuiltError: When the store has neither a catalogue nor marketing media.
        NothingToDo: When there is none.
    """
    if not workspace.has(ARTIFACT):
        workspace.path("catalog")
    tables = [pl.DataFrame(schema={"source": pl.String, "id": pl.String, "video": pl.String})]
    if workspace.has(ARTIFACT):
        media = load_marketing(workspace).media
        tables.append(media.select(pl.lit("marketing").alias("source"), pl.col("media_id").alias("id"), "video"))
    if workspace.has("catalog"):
        with workspace.reading("catalog") as folder:
            items = pl.read_parquet(folder / "items.parquet", columns=["item_id", "videos"])
        first = pl.col("videos").list.unique(maintain_order=True).list.head(config.videos_per_item)
        filmed = items.select(pl.lit("item").alias("source"), pl.col("item_id").alias("id"), first.alias("video"))
        tables.append(filmed.filter(pl.col("video").list.len() > 0).explode("video"))
    table = pl.concat(tables)
    if not len(table):
        raise NothingToDo("videos: no item and no marketing medium of the store has a film")
    return table


def frame_times(film: SampledVideo) -> tuple[list[float], list[float]]:
    """Return the time of each frame, and when its scene began, in seconds."""
    seconds = [moment for moment, _ in film.frames]
    starts = np.array(film.scene_starts)
    scene = np.maximum(np.searchsorted(starts, np.array(seconds) + 1e-4, side="right") - 1, 0)
    return seconds, starts[scene].tolist()


def sequence_of(film: SampledVideo, embedder: ImageEmbedder) -> FrameSequence:
    """Return a film that is in no store as a model reads it."""
    seconds, scenes = frame_times(film)
    vectors = embedder.embed_images([picture for _, picture in film.frames])
    return FrameSequence(vectors, np.array(seconds, np.float32), np.array(scenes, np.float32), film.seconds)


@dataclass(frozen=True, slots=True)
class Reading:
    """A film's file to prepared frames and their times, as a step of a job; no model is loaded for it."""

    root: Path
    embedder: ImageEmbedder
    config: FrameJobConfig

    def __call__(self, piece: Piece) -> tuple[list[Floats], dict[str, object]]:
        """Decode and prepare one film.

        Raises:
            MediaError: When it cannot be decoded.
        """
        budget = FrameBudget(frames=self.config.frames)
        film = sample_clip(str(piece.label["video"]), self.root, self.config.media, budget)
        seconds, scenes = frame_times(film)
        facts: dict[str, object] = {"seconds": seconds, "scenes": scenes, "length": film.seconds}
        return [self.embedder.prepare(picture) for _, picture in film.frames], facts


@dataclass(frozen=True, slots=True)
class Encoding:
    """Prepared films to frame vectors, as a step of a job."""

    embedder: ImageEmbedder

    def __call__(self, films: Sequence[tuple[list[Floats], dict[str, object]]]) -> list[Result]:
        """Embed a batch of films, all their frames together."""
        vectors = self.embedder.embed_prepared([frame for frames, _ in films for frame in frames])
        ends = np.cumsum([len(frames) for frames, _ in films])
        parts = np.split(vectors, ends[:-1])
        return [
            Result({**facts, "vectors": part.ravel().tolist()}) for (_, facts), part in zip(films, parts, strict=True)
        ]


def _work(table: pl.DataFrame, hashes: HashCache, embedder: ImageEmbedder, config: FrameJobConfig) -> Work:
    keys = Keys("frames", embedder.name, embedder.model, embedder.dim, config.frames)

    def frames() -> Iterator[pl.DataFrame]:
        for part in table.iter_slices(PLANNED_ROWS):
            yield keyed_media(part, "video", hashes, lambda _, sha: keys.key(sha))

    return Work(("source", "id", "video"), {}, frames())


def _schema() -> Schema:
    many = pl.List(pl.Float32)
    return {"vectors": many, "seconds": many, "scenes": many, "length": pl.Float64}
