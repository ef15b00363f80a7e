"""Speech of a store: its recorded calls to words, and single files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from captioning.speech.base import Transcript
from captioning.speech.config import make_transcriber
from captioning.speech.doors import transcribe_file
from captioning.speech.job import count_recordings, load_transcripts, plan_transcripts, transcribe_calls
from catalog.errors import ConfigError, DataError, MediaError
from catalog.plain_text import one_line
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace
from vitrine.jobs import WHOLE, Scope, failure_lines, job_text
from vitrine.settings import Settings
from vitrine.wiring import make_engine


def transcribe_store(settings: Settings, progress: Progress = SILENT, scope: Scope = WHOLE) -> str:
    """Transcribe the recording of every event that names one, and say what was done, or what would be.

    Raises:
        ConfigError: When no speech model is configured, or it is not there; a dry run counts all the same.
        DataError: When not one recording could be read; the text gives the reasons.
        NothingToDo: When no event names a recording.
        JobPaused: When a signal stopped it; what was finished is kept.
    """
    workspace, job = Workspace(settings.store), settings.speech.job
    if scope.dry_run:
        return _plan(settings, workspace, scope)
    transcriber = make_transcriber(settings.speech, load=True)
    report = transcribe_calls(
        workspace,
        transcriber,
        engine=make_engine(settings),
        config=job,
        progress=progress,
        limit=scope.limit,
        retry_all=scope.retry_all,
    )
    if report.failed and not report.done + report.reused:
        reasons = "; ".join(failure_lines(report, workspace))
        raise DataError(f"{report.name}: none of {report.failed:,} recordings could be read: {reasons}")
    found = load_transcripts(workspace, transcriber.name).values()
    unheard = Counter(each.reason for each in found if each.text is None)
    lines = [f"words in {sum(each.text is not None for each in found):,} of {len(found):,} recordings"]
    lines += [f"{count:,} {reason}" for reason, count in unheard.most_common()]
    return f"{job_text(report, workspace)}\n  {', '.join(lines)}"


def _plan(settings: Settings, workspace: Workspace, scope: Scope) -> str:
    job = settings.speech.job
    try:
        transcriber = make_transcriber(settings.speech)
    except ConfigError as error:
        named, unreadable, first = count_recordings(workspace, job)
        lost = f", {unreadable:,} unreadable, the first: {first}" if unreadable else ""
        return f"transcripts: {named:,} recordings{lost}\n  not done without a model: {error}"
    return plan_transcripts(workspace, transcriber, config=job, limit=scope.limit, retry_all=scope.retry_all).text()


def transcribe_files(settings: Settings, paths: Sequence[Path]) -> Iterator[tuple[Path, Transcript | MediaError]]:
    """Yield the transcript of each file, or why it cannot be decoded.

    Raises:
        ConfigError: When no speech model is configured, or it is not there.
    """
    transcriber = make_transcriber(settings.speech, load=True)
    for path in paths:
        try:
            yield path, transcribe_file(transcriber, str(path), Path.cwd(), settings.speech.job.media)
        except MediaError as error:
            yield path, error


def transcript_lines(path: Path, found: Transcript, *, words: bool) -> list[str]:
    """Return a transcript for the terminal; with `words`, each word's times in seconds below it."""
    named = one_line(str(path))
    if found.text is None:
        detail = f" ({found.detail})" if found.detail else ""
        return [f"{named}: nothing heard: {found.reason}{detail}"]
    sure = "" if found.language_probability is None else f" {found.language_probability:.0%}"
    lines = [f"{named} [{found.language}{sure}, {found.seconds:.1f} s]: {one_line(found.text)}"]
    if found.detail:
        lines.append(f"  doubt: {found.detail}")
    if words:
        lines += [f"  {word.start:8.2f} {word.end:8.2f}  {one_line(word.text)}" for word in found.words]
    return lines
