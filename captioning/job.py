"""The caption job: every picture and video of a catalogue to words, with provenance on every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from batch.assembly import Rows, write_frames
from batch.base import BatchEngine, JobReport, Work
from batch.hashes import HashCache
from batch.job import plan_job, run_job
from batch.keys import Keys
from batch.media_keys import SHA, keyed_media
from batch.report import JobPlan
from captioning.base import Captioner, ScopedCaptioner
from captioning.listing import MediaListing
from captioning.moments import ROW
from captioning.proven import expect_videos
from captioning.reader import CaptionJobConfig, Reader
from captioning.speech.base import Transcriber
from catalog.columns import CAPTIONS
from catalog.nouns import Caption
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace

__all__ = ["CAPTIONS_FILE", "CaptionJobConfig", "caption_catalog", "load_captions", "plan_captions"]

CAPTIONS_FILE = "captions.parquet"
SCHEMA = {"rows": pl.List(ROW), "media_sha": CAPTIONS["media_sha"], "faults": pl.List(pl.String)}
FAULTS_FILE = "faults.parquet"
"""What checks that only report found in captions that were kept: `item_id`, `media`, `fault`."""
"""Of a finished piece: a picture has one row, a video may have several."""
NO_TRANSCRIBER = "not read: no transcriber is configured"


def caption_catalog(
    workspace: Workspace,
    captioner: Captioner,
    *,
    engine: BatchEngine,
    config: CaptionJobConfig | None = None,
    transcriber: Transcriber | None = None,
    progress: Progress = SILENT,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobReport:
    """Write the artifact `captions/<captioner.name>` for the catalogue in `workspace`.

    One row a picture. Of a video as many as there is to say, in the order of time: the whole, where the captioner
    reads videos, and its moments; else one row a scene; and what is heard, where there is a transcriber. A medium
    that cannot be read, or an answer that is no caption, is a counted failure and is tried again at the next run;
    the job goes on. `limit` and `retry_all` are those of `run_job`.

    Raises:
        NotBuiltError: When the store has no catalogue.
        DataError: When no item has any media.
        BusyError: When the same job is running already.
        ServiceError: When the captioner is unreachable; what was finished is kept.
    """
    config = config or CaptionJobConfig()
    media = MediaListing(workspace, config.images_per_item, config.videos_per_item)
    if media.any_video:
        expect_videos(captioner)
    reader = Reader(workspace.root, captioner, config, transcriber)
    with HashCache(workspace.root, config.decoders) as hashes:
        return run_job(
            workspace,
            f"captions/{captioner.name}",
            work=_work(media, hashes, captioner, config, transcriber),
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
                "sound_tracks": transcriber.model if transcriber is not None else NO_TRANSCRIBER,
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
    transcriber: Transcriber | None = None,
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
            work=_work(
                MediaListing(workspace, config.images_per_item, config.videos_per_item),
                hashes,
                captioner,
                config,
                transcriber,
            ),
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
    with workspace.reading(f"captions/{name}", whole=True) as folder:
        table = pl.read_parquet(folder / CAPTIONS_FILE).select(list(CAPTIONS))
    found: dict[str, list[Caption]] = {}
    for row in table.iter_rows(named=True):
        found.setdefault(row["item_id"], []).append(Caption(**row))
    return {item_id: tuple(captions) for item_id, captions in found.items()}


def caption_faults(workspace: Workspace, name: str) -> dict[str, int]:
    """Return how many captions were kept with each fault, the commonest first; {} where checks are enforced.

    Raises:
        NotBuiltError: When `captions/<name>` was never finished.
    """
    with workspace.reading(f"captions/{name}") as folder:
        path = folder / FAULTS_FILE
        faults = pl.read_parquet(path)["fault"].to_list() if path.is_file() else []
    return dict(Counter(faults).most_common())


def _work(
    media: MediaListing,
    hashes: HashCache,
    captioner: Captioner,
    config: CaptionJobConfig,
    transcriber: Transcriber | None,
) -> Work:
    """Return one piece a medium; its content key hashes the medium's bytes."""
    keys = Keys("caption", captioner.name, captioner.model, captioner.prompt_sha)
    changes = {"image": None, "video": config.of_videos(transcriber)}

    def frames() -> Iterator[pl.DataFrame]:
        for part in media.frames():
            kinds, items = part["kind"].to_list(), part["item_id"].to_list()

            def key(at: int, sha: str, kinds: Sequence[str] = kinds, items: Sequence[str] = items) -> str:
                whose = [captioner.scope(items[at])] if isinstance(captioner, ScopedCaptioner) else []
                return keys.key(sha, kinds[at], changes[kinds[at]], *whose)

            yield keyed_media(part, "media", hashes, key)

    return Work(("item_id", "media"), {"kind": pl.String, SHA: pl.String}, frames())


def _assemble(folder: Path, rows: Rows) -> None:
    found: list[pl.DataFrame] = []

    def each() -> Iterator[pl.DataFrame]:
        for frame in rows.frames:
            kept = frame.select("item_id", "media", fault="faults").explode("fault").drop_nulls("fault")
            if len(kept):
                found.append(kept)
            yield frame.explode("rows").unnest("rows")

    write_frames(folder / CAPTIONS_FILE, each(), CAPTIONS)
    if found:
        write_frames(folder / FAULTS_FILE, found, dict.fromkeys(("item_id", "media", "fault"), pl.String))
