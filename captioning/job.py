"""The caption job: every picture and video of a catalogue to words, with provenance on every row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl
from pydantic import Field

from batch.assembly import Rows, write_frames
from batch.base import DETAIL, FAILURE, KEY, PLANNED_ROWS, BatchEngine, JobReport, Piece, Result, Work
from batch.hashes import HashCache
from batch.job import JobConfig, plan_job, run_job
from batch.keys import Keys
from batch.report import JobPlan
from captioning.base import Captioner, Clip, Picture, VideoCaptioner, Words
from captioning.proven import expect_videos
from catalog.columns import CAPTIONS
from catalog.errors import DataError, MediaError
from catalog.media import FrameBudget, MediaLimits, is_url, open_picture, sample_clip
from catalog.nouns import Caption
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace

CAPTIONS_FILE = "captions.parquet"
SCHEMA = {name: CAPTIONS[name] for name in ("text", "model", "prompt_sha", "media_sha", "frame_time")}


class CaptionJobConfig(JobConfig):
    """Which media are captioned, and how the job runs."""

    images_per_item: int = Field(4, ge=0)
    """Pictures of one item that are captioned, in the catalogue's order."""
    videos_per_item: int = Field(1, ge=0)
    """Videos of one item that are captioned."""
    video: FrameBudget = FrameBudget()
    """How much of a video is looked at."""
    fetch: bool = True
    """Whether media named by URL are brought first, as `vitrine media` does; changes no caption."""
    media: MediaLimits = MediaLimits()
    """Bounds on what is decoded, and on what is brought by URL."""


@dataclass(frozen=True, slots=True)
class Medium:
    """One picture or video of one item; `sha` hashes its bytes."""

    item_id: str
    ref: str
    kind: Literal["image", "video"]
    sha: str


@dataclass(frozen=True, slots=True)
class Decoded:
    """A medium, ready for the captioner."""

    medium: Medium
    shown: Picture | Clip


def caption_catalog(
    workspace: Workspace,
    captioner: Captioner,
    *,
    engine: BatchEngine,
    config: CaptionJobConfig | None = None,
    progress: Progress = SILENT,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobReport:
    """Write the artifact `captions/<captioner.name>` for the catalogue in `workspace`.

    One row a picture and a video. A medium that cannot be read, or an answer that is no caption, is a
    counted failure and is tried again at the next run; the job goes on. `limit` and `retry_all` are those of
    `run_job`.

    Raises:
        NotBuiltError: When the store has no catalogue.
        DataError: When no item has any media.
        BusyError: When the same job is running already.
        ServiceError: When the captioner is unreachable; what was finished is kept.
    """
    config = config or CaptionJobConfig()
    media = _media(workspace, config)
    if (media.table["kind"] == "video").any():
        expect_videos(captioner)
    reader = Reader(workspace.root, captioner, config)
    with HashCache(workspace.root, config.decoders) as hashes:
        return run_job(
            workspace,
            f"captions/{captioner.name}",
            work=_work(media, hashes, captioner, config),
            prepare=reader.prepare,
            infer=reader.infer,
            schema=SCHEMA,
            assemble=_assemble,
            engine=engine,
            config=config,
            meta={
                "captioner": captioner.name,
                "model": captioner.model,
                "prompt_sha": captioner.prompt_sha,
                **getattr(captioner, "stamp", {}),
                "items": media.items,
                "items_without_media": media.items - media.with_media,
            },
            progress=progress,
            limit=limit,
            retry_all=retry_all,
        )


def plan_captions(
    workspace: Workspace,
    captioner: Captioner,
    *,
    config: CaptionJobConfig | None = None,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobPlan:
    """Return what `caption_catalog` would do; of the store it writes only the cache of hashes.

    Raises:
        NotBuiltError: When the store has no catalogue.
        DataError: When no item has any media.
    """
    config = config or CaptionJobConfig()
    with HashCache(workspace.root, config.decoders) as hashes:
        return plan_job(
            workspace,
            f"captions/{captioner.name}",
            work=_work(_media(workspace, config), hashes, captioner, config),
            schema=SCHEMA,
            config=config,
            limit=limit,
            retry_all=retry_all,
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


class Reader:
    """Decodes media and hands them to the captioner; faults of one piece become its failure."""

    def __init__(self, root: Path, captioner: Captioner, config: CaptionJobConfig) -> None:
        self._root = root
        self._captioner = captioner
        self._config = config

    def prepare(self, piece: Piece) -> Decoded:
        """Read one medium.

        Raises:
            MediaError: When it cannot be decoded.
        """
        medium = Medium(str(piece.label["item_id"]), str(piece.label["media"]), **piece.payload)
        if medium.kind == "image":
            image = open_picture(medium.ref, self._root, self._config.media)
            return Decoded(medium, Picture(medium.item_id, medium.ref, image))
        frames = self._frames(medium)
        if isinstance(self._captioner, VideoCaptioner):
            return Decoded(medium, _clip(frames))
        return Decoded(medium, frames[len(frames) // 2])

    def infer(self, batch: Sequence[Decoded]) -> list[Result]:
        """Caption a batch; pictures go to the captioner together."""
        pictures = [each.shown for each in batch if isinstance(each.shown, Picture)]
        words = iter(self._captioner.caption(pictures) if pictures else ())
        results = []
        for each in batch:
            if isinstance(each.shown, Picture):
                results.append(self._result(each.medium, next(words), each.shown.frame_time))
            else:
                assert isinstance(self._captioner, VideoCaptioner)
                results.append(self._result(each.medium, self._captioner.caption_video(each.shown)))
        return results

    def _frames(self, medium: Medium) -> list[Picture]:
        sampled = sample_clip(medium.ref, self._root, self._config.media, self._config.video)
        return [Picture(medium.item_id, medium.ref, image, seconds) for seconds, image in sampled.frames]

    def _result(self, medium: Medium, words: Words, frame_time: float | None = None) -> Result:
        if words.text is None:
            failure = words.failure or "empty: the captioner said nothing"
            return Result.failed(failure.split(":", 1)[0], f"{medium.ref!r}: {failure}", words.usage)
        return Result(
            {
                "text": words.text,
                "model": self._captioner.model,
                "prompt_sha": self._captioner.prompt_sha,
                "media_sha": medium.sha,
                "frame_time": frame_time,
            },
            usage=words.usage,
        )


def _clip(frames: Sequence[Picture]) -> Clip:
    """Return frames as a clip whose length and rate are those of the frames themselves."""
    last = frames[-1].frame_time or 0.0
    rate = (len(frames) - 1) / last if last else 1.0
    return Clip(frames[0].item_id, frames[0].media, tuple(frames), tuple(range(len(frames))), last, rate)


@dataclass(frozen=True, slots=True)
class _Media:
    """Every medium to caption as columns `item_id`, `media`, `kind`, in the catalogue's order."""

    table: pl.DataFrame
    items: int
    with_media: int


def _media(workspace: Workspace, config: CaptionJobConfig) -> _Media:
    with workspace.reading("catalog") as folder:
        columns = pl.read_parquet(folder / "items.parquet", columns=["item_id", "images", "videos"])
    kinds = [
        columns.with_row_index("item")
        .select(
            "item",
            "item_id",
            pl.col(column).list.head(most).list.unique(maintain_order=True).alias("media"),
            pl.lit(kind).alias("kind"),
        )
        .filter(pl.col("media").list.len() > 0)
        .explode("media")
        for column, most, kind in (
            ("images", config.images_per_item, "image"),
            ("videos", config.videos_per_item, "video"),
        )
    ]
    # Stable: the pictures of an item stand before its videos, each in the item's own order.
    table = pl.concat(kinds).sort("item", maintain_order=True)
    if not len(table):
        raise DataError(f"none of the {len(columns)} items has a picture or video to caption")
    return _Media(table.drop("item"), len(columns), table["item"].n_unique())


def _work(media: _Media, hashes: HashCache, captioner: Captioner, config: CaptionJobConfig) -> Work:
    """Return one piece a medium; its content key hashes the medium's bytes."""
    keys = Keys("caption", captioner.name, captioner.model, captioner.prompt_sha)
    frames_of = {"image": None, "video": config.video.model_dump(exclude={"decode_seconds"})}

    def frames() -> Iterator[pl.DataFrame]:
        for part in media.table.iter_slices(PLANNED_ROWS):
            refs = part["media"].to_list()
            shas = hashes.shas(refs)
            own = [
                None if isinstance(sha, MediaError) else keys.key(sha, kind, frames_of[kind])
                for sha, kind in zip(shas, part["kind"], strict=True)
            ]
            yield part.with_columns(
                pl.Series("sha", [None if isinstance(sha, MediaError) else sha for sha in shas], pl.String),
                pl.Series(KEY, own, pl.String),
                pl.Series(FAILURE, [_reason(ref, sha) for ref, sha in zip(refs, shas, strict=True)], pl.String),
                pl.Series(DETAIL, [str(sha) if isinstance(sha, MediaError) else None for sha in shas], pl.String),
            )

    return Work(("item_id", "media"), {"kind": pl.String, "sha": pl.String}, frames())


def _reason(ref: str, sha: str | MediaError) -> str | None:
    if not isinstance(sha, MediaError):
        return None
    return "by URL" if is_url(ref) else "media"


def _assemble(folder: Path, rows: Rows) -> None:
    write_frames(folder / CAPTIONS_FILE, rows.frames, CAPTIONS)
