"""Every medium a catalogue names by URL, brought to where the readers of media look for it.

A file that is there has been fetched: it is whole, and no run asks for it again. What failed is noted with its
reason and tried again by later runs, up to a limit.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
from pydantic import Field

from catalog.errors import FetchError
from catalog.media.answers import Fetched, Validators
from catalog.media.downloader import Downloader, DownloaderConfig
from catalog.media.ledger import MediaLedger
from catalog.media.refs import FETCHED, fetched_path, is_url
from catalog.media.sniff import MediaKind
from catalog.media.turns import UNASKED, Ask, Turns
from catalog.progress import SILENT, Progress

PARTS = ".parts"
"""Folder of files that are still coming."""

_COMMIT_SECONDS = 2.0
_LOOK_SECONDS = 0.2
"""Between two looks at whether to stop: a wait goes on after a signal was noted."""

Urls = dict[str, tuple[MediaKind, ...]]
"""URL -> what its bytes may be."""

PICTURE_OR_VIDEO: tuple[MediaKind, ...] = ("image", "video")
_KINDS: dict[str, tuple[MediaKind, ...]] = {"image": ("image",), "video": ("video",)}


class MediaConfig(DownloaderConfig):
    """How media named by URL are brought."""

    parallel: int = Field(32, ge=1)
    """Requests under way at once; more than `connections` wait for one."""
    per_host: int = Field(4, ge=1)
    """Requests to one host at once."""
    tries: int = Field(3, ge=1)
    """Requests for one URL in one run; after a timeout, a broken answer, 429 or 5xx there is another."""
    backoff: float = Field(1.0, ge=0)
    """Seconds before a second request, doubled each time. After 429 or 503 the whole host waits, as long as its
    `Retry-After` says."""
    longest_wait: float = Field(60.0, ge=0)
    """Seconds waited at most; a host that asks for more is left for the next run."""
    host_failures: int = Field(20, ge=1)
    """Failures of a host in a row after which its other URLs are left for the next run."""
    max_attempts: int = Field(3, ge=1)
    """Runs that try a URL; after that only `vitrine media --retry` does."""


@dataclass
class MediaReport:
    """What a run did, counted in URLs.

    Attributes:
        fetched: Brought, or brought anew.
        here: There before.
        unchanged: Asked whether there are other bytes by now, and there are none.
        failed: In vain, in this run.
        given_up: Failed in as many runs as are made.
        left: Not asked, since their host did not answer; the next run does.
        size: Bytes brought.
        failures: Reason -> how many, the commonest first.
        examples: Reason -> the first case.
        table: Where every failure stands.
        stopped: Whether it was ended before all were asked.
    """

    fetched: int = 0
    here: int = 0
    unchanged: int = 0
    failed: int = 0
    given_up: int = 0
    left: int = 0
    size: int = 0
    seconds: float = 0.0
    failures: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    table: Path | None = None
    stopped: bool = False


def urls_of(items: pl.DataFrame, *, images: int | None = None, videos: int | None = None) -> Urls:
    """Return every URL that items name as picture or video, with what its bytes may be.

    Args:
        items: Columns `images` and `videos`, lists of references.
        images: Pictures of one item, in their order; None: all.
        videos: Videos of one item; None: all.
    """
    found: Urls = {}
    for column, most, kind in (("images", images, "image"), ("videos", videos, "video")):
        lists = items[column] if most is None else items[column].list.head(most)
        for ref in lists.explode().drop_nulls():
            if is_url(ref):
                known = found.get(ref, ())
                found[ref] = _KINDS[kind] if not known or known == _KINDS[kind] else PICTURE_OR_VIDEO
    return found


def unfetched(urls: Iterable[str], root: Path) -> Iterator[str]:
    """Yield the URLs whose bytes are not there."""
    return (url for url in urls if not fetched_path(url, root).is_file())


def bring_media(
    urls: Urls,
    root: Path,
    downloader: Downloader,
    config: MediaConfig,
    *,
    retry: bool = False,
    refresh: bool = False,
    limit: int | None = None,
    progress: Progress = SILENT,
    stop: Callable[[], object] = lambda: False,
) -> MediaReport:
    """Bring what `urls` names to `fetched_path`; what a killed run brought is kept.

    Args:
        urls: URL -> what its bytes may be.
        root: Workspace root.
        downloader: Asks.
        config: How many at once, and how often.
        retry: Whether what failed in as many runs as are made is tried once more.
        refresh: Whether media that are there are asked for as well, by what the server called them.
        limit: URLs asked at most.
        progress: Told of every URL.
        stop: Asked a few times a second whether to end here, with what has come by then.

    Raises:
        DataError: When the ledger is damaged.
        OSError: When the disk has no room; what was brought is kept.
    """
    begun, report = time.monotonic(), MediaReport()
    with MediaLedger(root) as ledger:
        shutil.rmtree(root / FETCHED / PARTS, ignore_errors=True)  # of a run that was killed
        turns = _turns(config)
        asked = _plan(urls, root, ledger, turns, report, config, retry=retry, refresh=refresh, limit=limit)
        run = _Run(root, downloader, ledger, turns, report, progress, stop, refresh=refresh)
        progress.start("media", asked)
        try:
            run.all(config.parallel)
        finally:
            progress.finish()
        report.left = len(turns.left)
        report.stopped = report.fetched + report.unchanged + report.failed + report.left < asked
        if report.failed or report.given_up:
            report.table = ledger.write_failures()
    report.failures = dict(Counter(report.failures).most_common())
    report.seconds = time.monotonic() - begun
    return report


def _plan(
    urls: Urls,
    root: Path,
    ledger: MediaLedger,
    turns: Turns,
    report: MediaReport,
    config: MediaConfig,
    *,
    retry: bool,
    refresh: bool,
    limit: int | None,
) -> int:
    asked = 0
    for url, kinds in urls.items():
        if limit is not None and asked >= limit:
            break
        if not refresh and fetched_path(url, root).is_file():
            report.here += 1
            continue
        known = ledger.failure(url)
        if known and not retry and known.attempts >= config.max_attempts and known.reason not in UNASKED:
            report.given_up += 1
            report.failures[known.reason] = report.failures.get(known.reason, 0) + 1
            report.examples.setdefault(known.reason, known.detail)
            continue
        turns.add(url, kinds, _host(url))
        asked += 1
    return asked


class _Run:
    """The one thread that gives out URLs and notes what became of them."""

    def __init__(
        self,
        root: Path,
        downloader: Downloader,
        ledger: MediaLedger,
        turns: Turns,
        report: MediaReport,
        progress: Progress,
        stop: Callable[[], object],
        *,
        refresh: bool,
    ) -> None:
        self._root, self._downloader, self._ledger = root, downloader, ledger
        self._turns, self._report, self._progress, self._refresh = turns, report, progress, refresh
        self._stop, self._committed = stop, time.monotonic()

    def all(self, parallel: int) -> None:
        pool = ThreadPoolExecutor(parallel, thread_name_prefix="media")
        flying: dict[Future[Fetched | None], Ask] = {}
        whole = False
        try:
            while not self._stop():
                now = time.monotonic()
                while len(flying) < parallel and (ask := self._turns.next(now)) is not None:
                    flying[pool.submit(self._bring, ask, self._before(ask))] = ask
                due = self._turns.until(now)
                pause = _LOOK_SECONDS if due is None else min(due, _LOOK_SECONDS)
                if flying:
                    for future in wait(flying, pause, FIRST_COMPLETED).done:
                        self._note(flying.pop(future), future)
                elif due is not None:
                    time.sleep(pause)
                else:
                    whole = True
                    break
                if time.monotonic() - self._committed >= _COMMIT_SECONDS:
                    self._ledger.commit()
                    self._committed = time.monotonic()
        finally:
            if not whole:
                self._downloader.close()  # nobody waits for what is still coming
            pool.shutdown(wait=True, cancel_futures=True)

    def _before(self, ask: Ask) -> Validators | None:
        there = self._refresh and fetched_path(ask.url, self._root).is_file()
        return self._ledger.validators(ask.url) if there else None

    def _bring(self, ask: Ask, before: Validators | None) -> Fetched | None:
        target = fetched_path(ask.url, self._root)
        return self._downloader.fetch(
            ask.url, target, kinds=ask.kinds, before=before, parts=self._root / FETCHED / PARTS
        )

    def _note(self, ask: Ask, future: Future[Fetched | None]) -> None:
        report, now = self._report, time.monotonic()
        try:
            fetched = future.result()
        except FetchError as error:
            if self._turns.failed(ask, error, now):
                return
            report.failed += 1
            report.failures[error.reason] = report.failures.get(error.reason, 0) + 1
            report.examples.setdefault(error.reason, str(error))
            self._ledger.failed(ask.url, error)
        else:
            self._turns.done(ask, now)
            if fetched is None:
                report.unchanged += 1
            else:
                report.fetched += 1
                report.size += fetched.size
                self._ledger.came(fetched)
        self._progress.advance(1, f"{report.failed} failed" if report.failed else "")


def _turns(config: MediaConfig) -> Turns:
    return Turns(
        per_host=config.per_host,
        host_failures=config.host_failures,
        backoff=config.backoff,
        longest_wait=config.longest_wait,
        tries=config.tries,
    )


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
