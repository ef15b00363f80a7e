"""The command `transcribe`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrine.cli.build import DryRun, Engine, Limit, RetryAll
from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("transcribe")(transcribe)


def transcribe(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Recordings or videos; without any, the store's calls.")
    ] = None,
    store: Store = None,
    set_: Set = None,
    language: Annotated[
        str | None, typer.Option(help="What is spoken, such as en; the setting speech.language.")
    ] = None,
    words: Annotated[bool, typer.Option("--words", help="Show the times of the words of files.")] = False,
    dry_run: DryRun = False,
    limit: Limit = None,
    retry_all: RetryAll = False,
    engine: Engine = None,
) -> None:
    """Turn speech into words: files, or the recorded calls of the store.

    Silence, noise and music give "nothing heard". A store's run resumes where an earlier one stopped.
    """
    from catalog.errors import ConfigError, MediaError
    from catalog.plain_text import one_line
    from vitrine.cli.bar import progress
    from vitrine.jobs import Scope
    from vitrine.speech import transcribe_files, transcribe_store, transcript_lines

    pairs = [*(set_ or []), *([f"batch.engine={engine}"] if engine else [])]
    settings = load(store, [*pairs, *([f"speech.language={language}"] if language else [])])
    if not files:
        if words:
            raise ConfigError("--words goes with files; the store's artifact holds the times of every word")
        say(transcribe_store(settings, progress(), Scope(limit, retry_all, dry_run)))
        return
    failed = False
    for path, found in transcribe_files(settings, files):
        if isinstance(found, MediaError):
            failed = True
            say(f"error: {one_line(str(found))}", error=True)
            continue
        for line in transcript_lines(path, found, words=words):
            say(line)
    if failed:
        raise typer.Exit(2)
