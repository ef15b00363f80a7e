"""The job behind `vitrine sync`: where the feed lies, one run at a time, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime

from batch.lock import exclusive
from catalog.media.answers import Validators
from catalog.media.refs import is_url
from catalog.readers.feeds import Feed, read_feed
from catalog.shown import shown_url
from catalog.sync import SyncReport, sync_feed
from catalog.sync_download import FeedDownloader
from catalog.sync_journal import absorb
from catalog.sync_source import READING, feed_files, remember, remembered
from catalog.workspace import Workspace, content_key
from vitrine.settings import Settings

SYNCING = ".sync.lock"
"""Held by whoever changes the catalogue of a store."""


def sync_store(
    settings: Settings,
    source: str,
    *,
    columns: Mapping[str, str] | None = None,
    partial: bool = False,
    allow_removal: bool = False,
    dry_run: bool = False,
    as_of: datetime | None = None,
) -> SyncReport | None:
    """Bring the store's catalogue to what a feed says.

    Args:
        settings: Say how it is read, what may go, and from where it may come.
        source: File, folder or URL.
        columns: Column map, for a table of the shop's own.
        partial: See `sync_feed`, as `allow_removal` and `dry_run`.
        allow_removal: As said.
        dry_run: As said.
        as_of: The moment that sale prices hold for, aware; None: now.

    Returns:
        What was done; None when the server says that the feed is still the one of the last sync.

    Raises:
        BusyError: When another sync of this store is going on.
        DataError: When the feed cannot be used, or would take too much off offer; the catalogue stays as it was.
        FetchError: When a feed by URL was refused or did not come.
    """
    workspace, config = Workspace(settings.store), settings.sync
    asked = content_key(READING, config.model_dump(mode="json"), dict(columns or {}), partial)
    with ExitStack() as stack:
        if not dry_run:
            stack.enter_context(exclusive(workspace.root / SYNCING, "sync"))
            if workspace.has("catalog"):
                absorb(workspace)  # a feed is compared with what the shop sells now, and has the last word
        before = remembered(workspace, source, asked) if is_url(source) else None
        feed, called = stack.enter_context(opened_feed(settings, source, columns, before, as_of))
        if feed is None:
            return None
        report = sync_feed(workspace, feed, config, partial=partial, allow_removal=allow_removal, dry_run=dry_run)
        if not dry_run and is_url(source):
            remember(workspace, source, asked, called, feed.changes_at)
        return report


@contextmanager
def opened_feed(
    settings: Settings,
    source: str,
    columns: Mapping[str, str] | None = None,
    before: Validators | None = None,
    as_of: datetime | None = None,
) -> Iterator[tuple[Feed | None, Validators | None]]:
    """Give a feed and what the server called it; None where it still is what it was `before`.

    Raises:
        DataError: When it cannot be used.
        FetchError: When a feed by URL was refused or did not come.
    """
    config = settings.sync
    with ExitStack() as stack:
        downloader = None
        if is_url(source):
            downloader = stack.enter_context(FeedDownloader(settings.media, config.max_bytes, config.tries))
        found = stack.enter_context(feed_files(source, downloader, before))
        if not found.files:
            yield None, found.validators
            return
        feed = read_feed(found.files, config.feed, columns=columns, remote=found.remote, as_of=as_of)
        yield feed, found.validators


def sync_text(report: SyncReport | None, source: str) -> str:
    """Return what to say of a sync."""
    if report is None:
        return f"{shown_url(source)}: the same as at the last sync; nothing to do"
    return report.text()
