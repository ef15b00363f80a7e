"""The caption job: every picture and video of a catalogue to words, with provenance on every row."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field

from batch.base import BatchEngine, JobReport, Piece, Result
from batch.job import JobConfig, run_job
from captioning.base import Captioner, Clip, Picture, VideoCaptioner, Words
from catalog.columns import CAPTIONS
from catalog.errors import DataError, MediaError
from catalog.items import Catalog
from catalog.media import MediaLimits, is_url, media_sha, open_picture, video_frames
from catalog.nouns import Caption
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.workspace import Workspace, content_key

CAPTIONS_FILE = "captions.parquet"
SCHEMA = {name: CAPTIONS[name] for name in ("text", "model", "prompt_sha", "media_sha", "frame_time")}


class CaptionJobConfig(JobConfig):
    """Which media are captioned, and how the job runs."""

    images_per_item: int = Field(4, ge=0)
    """Pictures of one item that are captioned, in the catalogue's order."""
    videos_per_item: int = Field(1, ge=0)
    """Videos of one item that are captioned."""
    frames: int = Field(12, ge=1)
    """Frames sampled from a video; changes the captions of videos."""
    media: MediaLimits = MediaLimits()
    """Bounds on what is decoded."""


@dataclass(frozen=True, slots=True)
class Medium:
    """One picture or video of one item; `sha` hashes its bytes."""

    item_id: str
    ref: str
    kind: Literal["image", "video"]
    sha: str


def caption_catalog(
    workspace: Workspace,
    captioner: Captioner,
    *,
    engine: BatchEngine,
    config: CaptionJobConfig | None = None,
    progress: Progress = SILENT,
) -> JobReport:
    """Write the artifact `captions/<captioner.name>` for the catalogue in `workspace`.

    One row a picture and a video. A medium that cannot be read, or an answer that is no caption, is a
    counted failure and is tried again at the next run; the job goes on.

    Raises:
        NotBuiltError: When the store has no catalogue.
        DataError: When no item has any media.
        BusyError: When the same job is running already.
        ServiceError: When the captioner is unreachable; what was finished is kept.
    """
    config = config or CaptionJobConfig()
    catalog = load_shop(workspace).catalog
    work = _pieces(workspace, catalog, captioner, config)
    if not work:
        raise DataError(f"none of the {len(catalog)} items has a picture or video to caption")
    with_media = {piece.label["item_id"] for piece in work}
    reader = _Reader(workspace.root, captioner, config)
    return run_job(
        workspace,
        f"captions/{captioner.name}",
        work=work,
        process=reader.process,
        schema=SCHEMA,
        assemble=_assemble,
        engine=engine,
        config=config,
        meta={
            "captioner": captioner.name,
            "model": captioner.model,
            "prompt_sha": captioner.prompt_sha,
            "items": len(catalog),
            "items_without_media": len(catalog) - len(with_media),
        },
        progress=progress,
    )


def load_captions(workspace: Workspace, name: str) -> dict[str, tuple[Caption, ...]]:
    """Return captions by item id, in the catalogue's order of media; items without one are absent.

    Raises:
        NotBuiltError: When `captions/<name>` was never finished.
        DataError: When it is damaged.
    """
    with workspace.reading(f"captions/{name}") as folder:
        table = pl.read_parquet(folder / CAPTIONS_FILE).select(list(CAPTIONS))
    found: dict[str, list[Caption]] = {}
    for row in table.iter_rows(named=True):
        found.setdefault(row["item_id"], []).append(Caption(**row))
    return {item_id: tuple(captions) for item_id, captions in found.items()}


class _Reader:
    """Decodes media and hands them to the captioner; faults of one piece become its failure."""

    def __init__(self, root: Path, captioner: Captioner, config: CaptionJobConfig) -> None:
        self._root = root
        self._captioner = captioner
        self._config = config

    def process(self, chunk: Sequence[Piece[Medium | None]]) -> list[Result]:
        results: dict[int, Result] = {}
        pictures: dict[int, Picture] = {}
        for at, piece in enumerate(chunk):
            medium = piece.payload
            assert medium is not None
            try:
                if medium.kind == "image":
                    image = open_picture(medium.ref, self._root, self._config.media)
                    pictures[at] = Picture(medium.item_id, medium.ref, image)
                    continue
                frames = self._frames(medium)
            except MediaError as error:
                results[at] = Result.failed("media", str(error))
                continue
            if isinstance(self._captioner, VideoCaptioner):
                results[at] = self._result(medium, self._captioner.caption_video(_clip(frames)))
            else:
                pictures[at] = frames[len(frames) // 2]
        for (at, picture), words in zip(
            pictures.items(), self._captioner.caption(list(pictures.values())) if pictures else (), strict=True
        ):
            results[at] = self._result(chunk[at].payload, words, picture.frame_time)
        return [results[at] for at in range(len(chunk))]

    def _frames(self, medium: Medium) -> list[Picture]:
        frames = video_frames(medium.ref, self._root, self._config.media, self._config.frames)
        if not frames:
            raise MediaError(f"{medium.ref!r}: the video has no frame")
        return [Picture(medium.item_id, medium.ref, image, seconds) for seconds, image in frames]

    def _result(self, medium: Medium | None, words: Words, frame_time: float | None = None) -> Result:
        assert medium is not None
        if words.text is None:
            failure = words.failure or "empty: the captioner said nothing"
            return Result.failed(failure.split(":", 1)[0], f"{medium.ref!r}: {failure}")
        return Result(
            {
                "text": words.text,
                "model": self._captioner.model,
                "prompt_sha": self._captioner.prompt_sha,
                "media_sha": medium.sha,
                "frame_time": frame_time,
            }
        )


def _clip(frames: Sequence[Picture]) -> Clip:
    """Return frames as a clip whose length and rate are those of the frames themselves."""
    last = frames[-1].frame_time or 0.0
    rate = (len(frames) - 1) / last if last else 1.0
    return Clip(frames[0].item_id, frames[0].media, tuple(frames), tuple(range(len(frames))), last, rate)


def _pieces(
    workspace: Workspace, catalog: Catalog, captioner: Captioner, config: CaptionJobConfig
) -> list[Piece[Medium | None]]:
    """Return one piece a medium, in the catalogue's order; its content key hashes the medium's bytes."""

    def piece(item_id: str, ref: str, kind: Literal["image", "video"]) -> Piece[Medium | None]:
        label = {"item_id": item_id, "media": ref}
        try:
            sha = media_sha(ref, workspace.root)
        except MediaError as error:
            return Piece(label, None, None, Result.failed("by URL" if is_url(ref) else "media", str(error)))
        frames = config.frames if kind == "video" else None
        key = content_key("caption", captioner.name, captioner.model, captioner.prompt_sha, sha, kind, frames)
        return Piece(label, key, Medium(item_id, ref, kind, sha))

    media: list[tuple[str, str, Literal["image", "video"]]] = []
    for item in catalog:
        media += [(item.item_id, ref, "image") for ref in dict.fromkeys(item.images[: config.images_per_item])]
        media += [(item.item_id, ref, "video") for ref in dict.fromkeys(item.videos[: config.videos_per_item])]
    with ThreadPoolExecutor(config.workers) as pool:
        return list(pool.map(lambda medium: piece(*medium), media))


def _assemble(folder: Path, rows: pl.DataFrame) -> None:
    rows.select(list(CAPTIONS)).write_parquet(folder / CAPTIONS_FILE)
