"""`FeedDownloader`: a feed by URL under the guards of media, and only where the server has a new one."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from catalog.errors import FetchError
from catalog.media.answers import Fetched, Validators, require_room, too_large
from catalog.media.downloader import Downloader, DownloaderConfig
from catalog.media.sniff import MediaKind
from catalog.shown import shown_url

if TYPE_CHECKING:
    import ssl

    from catalog.media.guarded import Resolver

_PACKED = frozenset({"gzip", "x-gzip"})
"""Kept as it comes: the reader unpacks it, within its cap."""

_LONGEST_WAIT = 60.0


class FeedDownloader(Downloader):
    """Brings feeds from public hosts (and `allow_hosts`), within a cap and a deadline.

    Args:
        config: Where from and how long; a feed may take `long_seconds`.
        most: Bytes as they come.
        tries: Requests, where the failure may pass.
        resolve: Host name to addresses; a test's double stands here.
        ssl_context: Whom to trust; None: the usual authorities.
        sleep: Waits between requests.
    """

    def __init__(
        self,
        config: DownloaderConfig | None = None,
        most: int = 2_000_000_000,
        tries: int = 3,
        *,
        resolve: Resolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(config, resolve=resolve, ssl_context=ssl_context)
        self._most_bytes, self._tries, self._sleep = most, tries, sleep

    def bring(self, url: str, target: Path, before: Validators | None = None) -> Fetched | None:
        """Bring a feed into a file, whole or not at all.

        Returns:
            What came; None when the server says that `before` still holds.

        Raises:
            FetchError: When it was refused or did not come.
        """
        for left in reversed(range(self._tries)):
            try:
                return self.fetch(url, target, before=before)
            except FetchError as error:
                if not (left and error.retryable):
                    raise
                self._sleep(min(error.wait or 2.0 ** (self._tries - left), _LONGEST_WAIT))
        raise AssertionError("unreachable: the last try returns or raises")

    def _take(
        self,
        url: str,
        final_url: str,
        response: Any,
        headers: Mapping[str, str],
        file: BinaryIO,
        kinds: Collection[MediaKind],
    ) -> Fetched:
        packed = headers.get("content-encoding", "identity").strip().lower()
        if packed not in _PACKED and packed not in ("identity", ""):
            raise FetchError(
                f"{shown_url(url)!r} came packed ({packed[:40]!r}); gzip or identity would be valid", reason="packed"
            )
        self._deadline.extend(self.config.long_seconds)
        digest, size = hashlib.sha256(), 0
        require_room(url, headers, self._most_bytes)
        for chunk in response.iter_stream():
            size += len(chunk)
            if size > self._most_bytes:
                raise too_large(url, size, self._most_bytes)
            digest.update(chunk)
            file.write(chunk)
            self._deadline.clamp(None)
        if not size:
            raise FetchError(f"{shown_url(url)!r} is empty", reason="empty")
        validators = Validators(headers.get("etag"), headers.get("last-modified"))
        return Fetched(url, final_url, "feed", packed or "identity", size, digest.hexdigest(), validators)
