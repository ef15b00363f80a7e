"""The transcription job: the recording of every call of a shop to words, with provenance on every row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from batch.assembly import Rows, shown, write_frames
from batch.base import PLANNED_ROWS, BatchEngine, JobReport, Piece, Result, Work
from batch.hashes import HashCache
from batch.job import JobConfig, plan_job, run_job
from batch.keys import Keys
from batch.media_keys import SHA, keyed_media
from batch.plan import BatchSize, Threads
from batch.report import JobPlan
from captioning.speech.base import Floats, Transcriber, Transcript, Word
from catalog.errors import ConfigError, MediaError, NothingToDo
from catalog.media import MediaLimits, is_url, read_sound
from catalog.progress import SILENT, Progress
from catalog.spoken import TRANSCRIPTS_FILE
from catalog.workspace import Workspace

LABELS = ("event_id", "recording")
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "text": pl.String,  # null where nothing was heard
    "language": pl.String,
    "language_probability": pl.Float64,
    "words": pl.List(pl.Struct({"text": pl.String, "start": pl.Float64, "end": pl.Float64, "probability": pl.Float64})),
    "seconds": pl.Float64,
    "reason": pl.String,  # why nothing was heard
    "doubt": pl.String,
    "model": pl.String,
    "settings_sha": pl.String,
    "media_sha": pl.String,
}
COLUMNS = {**dict.fromkeys(LABELS, pl.String), **SCHEMA}


class SpeechJobConfig(JobConfig):
    """Which recordings are transcribed, and how the job runs."""

    batch_size: BatchSize = 4
    """Recordings handed to the transcriber at once."""
    workers: Threads = 1
    """Batches at the same time; the model is parallel within itself."""
    recording: str = Field("recording", min_length=1)
    """Column of the imported events that names the recording: a file, a member of an archive or a URL."""
    folder: Path | None = None
    """Folder that names start from which the import did not find beside the table. None: the store."""
    media: MediaLimits = MediaLimits()
    """Bounds on what is decoded."""


def transcribe_calls(
    workspace: Workspace,
    transcriber: Transcriber,
    *,
    engine: BatchEngine,
    config: SpeechJobConfig | None = None,
    progress: Progress = SILENT,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobReport:
    """Write the artifact `transcripts/<transcriber.name>`: one row a recording, in the order of the log.

    A recording in which nothing was heard is a row with a reason and without a text; one that cannot be decoded
    is a counted failure and is tried again at the next run. `limit` and `retry_all` are those of `run_job`.

    Raises:
        NotBuiltError: When the store has no catalogue.
        NothingToDo: When no event names a recording.
        ConfigError: When the model is not there.
        BusyError: When the same job is running already.
        ServiceError: When the model is unreachable; what was finished is kept.
    """
    config = config or SpeechJobConfig()
    calls = _calls(workspace, config)
    listener = Listener(workspace.root, transcriber, config)
    with HashCache(workspace.root, config.decoders) as hashes:
        return run_job(
            workspace,
            f"transcripts/{transcriber.name}",
            work=_work(calls, hashes, transcriber),
            prepare=listener.prepare,
            infer=listener.infer,
            schema=SCHEMA,
            assemble=_assemble,
            engine=engine,
            config=config,
            meta={
                "transcriber": transcriber.name,
                "model": transcriber.model,
                "settings_sha": transcriber.settings_sha,
                "recordings": len(calls),
            },
            progress=progress,
            limit=limit,
            retry_all=retry_all,
        )


def plan_transcripts(
    workspace: Workspace,
    transcriber: Transcriber,
    *,
    config: SpeechJobConfig | None = None,
    limit: int | None = None,
    retry_all: bool = False,
) -> JobPlan:
    """Return what `transcribe_calls` would do; of the store it writes only the cache of hashes.

    Raises:
        NotBuiltError: When the store has no catalogue.
        NothingToDo: When no event names a recording.
    """
    config = config or SpeechJobConfig()
    with HashCache(workspace.root, config.decoders) as hashes:
        return plan_job(
            workspace,
            f"transcripts/{transcriber.name}",
            work=_work(_calls(workspace, config), hashes, transcriber),
            schema=SCHEMA,
            config=config,
            limit=limit,
            retry_all=retry_all,
        )


def count_recordings(workspace: Workspace, config: SpeechJobConfig | None = None) -> tuple[int, int, str | None]:
    """Return how many recordings events name, how many of them cannot be read, and why the first cannot.

    Needs no model, unlike a plan.

    Raises:
        NotBuiltError: When the store has no catalogue.
        NothingToDo: When no event names a recording.
    """
    config = config or SpeechJobConfig()
    calls = _calls(workspace, config)["recording"]
    with HashCache(workspace.root, config.decoders) as hashes:
        found = zip(calls, hashes.shas(calls.to_list()), strict=True)
        bad = [_why(ref, sha)[1] for ref, sha in found if isinstance(sha, MediaError)]
    return len(calls), len(bad), bad[0] if bad else None


def load_transcripts(workspace: Workspace, name: str) -> dict[str, Transcript]:
    """Return the transcript of each event that has a recording, by event id, those without words as well.

    Raises:
        NotBuiltError: When `transcripts/<name>` was never finished.
        DataError: When it is damaged.
    """
    with workspace.reading(f"transcripts/{name}") as folder:
        table = pl.read_parquet(folder / TRANSCRIPTS_FILE).select(list(COLUMNS))
    return {row["event_id"]: _transcript(row) for row in table.iter_rows(named=True)}


@dataclass(frozen=True, slots=True)
class Recording:
    """A decoded recording, ready for the transcriber."""

    ref: str
    sha: str
    samples: Floats


@dataclass(frozen=True, slots=True)
class Listener:
    """The steps of the job; can be sent to another process."""

    root: Path
    transcriber: Transcriber
    config: SpeechJobConfig

    def prepare(self, piece: Piece) -> Recording:
        """Decode one recording.

        Raises:
            MediaError: When it cannot be decoded.
        """
        ref = str(piece.label["recording"])
        return Recording(ref, str(piece.payload["sha"]), read_sound(ref, self.root, self.config.media))

    def infer(self, batch: Sequence[Recording]) -> list[Result]:
        """Transcribe a batch."""
        return [self._result(each, self.transcriber.transcribe(each.samples)) for each in batch]

    def _result(self, recording: Recording, found: Transcript) -> Result:
        return Result(
            {
                "text": found.text,
                "language": found.language,
                "language_probability": found.language_probability,
                "words": [asdict(word) for word in found.words],
                "seconds": found.seconds,
                "reason": found.reason,
                "doubt": found.detail,
                "model": self.transcriber.model,
                "settings_sha": self.transcriber.settings_sha,
                "media_sha": recording.sha,
            }
        )


def _calls(workspace: Workspace, config: SpeechJobConfig) -> pl.DataFrame:
    """Return `event_id` and `recording` of every event that names one."""
    if not config.recording.replace("_", "").replace(" ", "").isalnum():
        raise ConfigError(f"speech.job.recording {config.recording!r}: a name of letters and digits would be valid")
    with workspace.reading("catalog") as folder:
        log = pl.read_parquet(folder / "log.parquet", columns=["event_id", "context"])
    named = pl.col("context").str.json_path_match(f"$['{config.recording}']")
    calls = log.select("event_id", named.alias("recording")).filter(pl.col("recording").str.len_chars() > 0)
    if not len(calls):
        raise NothingToDo(
            f"none of the {len(log):,} events names a recording: import calls with a column {config.recording!r}, or "
            "set speech.job.recording to the column there is"
        )
    if config.folder is None:
        return calls
    base = config.folder.absolute()
    refs = [ref if is_url(ref) else str(base / ref) for ref in calls["recording"]]
    return calls.with_columns(pl.Series("recording", refs, pl.String))


def _work(calls: pl.DataFrame, hashes: HashCache, transcriber: Transcriber) -> Work:
    """Return one piece a recording; its content key hashes the recording's bytes."""
    keys = Keys("transcript", transcriber.name, transcriber.model, transcriber.settings_sha)

    def frames() -> Iterator[pl.DataFrame]:
        for part in calls.iter_slices(PLANNED_ROWS):
            yield keyed_media(part, "recording", hashes, lambda _, sha: keys.key(sha), _why)

    return Work(LABELS, {SHA: pl.String}, frames())


def _why(ref: str, error: MediaError) -> tuple[str, str]:
    """Return why a recording cannot be read; of a relative name also where it was looked for."""
    if is_url(ref) or Path(ref).is_absolute():
        return "media", str(error)
    return "media", f"{error} (looked for in the store; speech.job.folder names another folder)"


def _assemble(folder: Path, rows: Rows) -> None:
    frames = (frame.with_columns(shown(frame["recording"])) for frame in rows.frames)
    write_frames(folder / TRANSCRIPTS_FILE, frames, COLUMNS)


def _transcript(row: dict[str, Any]) -> Transcript:
    return Transcript(
        row["text"],
        row["language"],
        tuple(Word(**word) for word in row["words"]),
        row["seconds"],
        row["reason"],
        row["language_probability"],
        row["doubt"],
    )
