"""The job that brings what the catalogue names by URL."""

from __future__ import annotations

import polars as pl

from batch.lock import exclusive
from batch.pause import paused_text, pausing
from catalog.errors import JobPaused
from catalog.media.bringing import MediaReport, Urls, bring_media, urls_of
from catalog.media.refs import FETCHED
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace
from vitrine.jobs import reason_lines
from vitrine.settings import Settings


def store_urls(settings: Settings, *, images: int | None = None, videos: int | None = None) -> Urls:
    """Return the URLs that the items' first `images` and `videos` are named by; None: all of them.

    Raises:
        NotBuiltError: When the store has no catalogue.
    """
    with Workspace(settings.store).reading("catalog") as folder:
        items = pl.read_parquet(folder / "items.parquet", columns=["images", "videos"])
    return urls_of(items, images=images, videos=videos)


def bring_store(
    settings: Settings,
    urls: Urls,
    progress: Progress = SILENT,
    *,
    retry: bool = False,
    refresh: bool = False,
    limit: int | None = None,
) -> MediaReport:
    """Bring media by URL into the store.

    Args:
        settings: Say from where, how many at once, and how large.
        urls: Which, and what their bytes may be.
        progress: Told of every URL.
        retry: Whether what failed too often is tried again.
        refresh: Whether media that are there are asked for as well.
        limit: URLs asked at most.

    Raises:
        BusyError: When another run brings media into this store.
        DataError: When the ledger is damaged.
        JobPaused: When a signal stopped it; what was brought is kept.
        OSError: When the disk has no room; what was brought is kept.
    """
    from catalog.media.downloader import Downloader

    root = Workspace(settings.store).root
    with (
        exclusive(root / FETCHED / ".lock", "media"),
        Downloader(settings.media, settings.captions.job.media) as downloader,
        pausing() as pause,
    ):
        report = bring_media(
            urls,
            root,
            downloader,
            settings.media,
            retry=retry,
            refresh=refresh,
            limit=limit,
            progress=progress,
            stop=lambda: pause,
        )
    if pause.signal is not None and report.stopped:
        done = report.fetched + report.unchanged + report.here
        raise JobPaused(paused_text("media", done, len(urls), report.failed), signal=pause.signal)
    return report


def media_line(report: MediaReport) -> str:
    """Return a run that another job needed as one line, with the commonest reason and its first case."""
    reason = next(iter(report.failures), None)
    why = "" if reason is None else f"; {reason}, the first: {report.examples[reason]}"
    return f"media: {', '.join(_counts(report))}, {report.seconds:.1f} s{why}"


def media_text(report: MediaReport) -> str:
    """Return a line about a run, and where something failed the reasons below it."""
    lines = [f"media: {', '.join(_counts(report))}, {report.seconds:.1f} s"]
    lines += reason_lines(report.failures, report.examples)
    if report.table is not None:
        lines.append(f"all of them: {report.table}")
    return "\n  ".join(lines)


def _counts(report: MediaReport) -> list[str]:
    parts = [f"{report.fetched:,} fetched ({report.size / 1e6:,.1f} MB)", f"{report.here:,} here already"]
    if report.unchanged:
        parts.append(f"{report.unchanged:,} unchanged")
    if report.failed:
        parts.append(f"{report.failed:,} failed")
    if report.given_up:
        parts.append(f"{report.given_up:,} given up (vitrine media --retry tries them again)")
    if report.left:
        parts.append(f"{report.left:,} left for another run, since their host does not answer")
    return parts
