"""`Downloader`: media by URL, from public hosts, within caps, judged by their bytes.

What it does not do: read local paths or `file:` URLs, follow proxies or netrc of the environment, keep
cookies, unpack a packed body, or believe a server about type or size.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from catalog.errors import FetchError, MediaError
from catalog.media.addresses import Allowed, checked_url
from catalog.media.answers import Fetched, Validators, check_status, require_room, too_large
from catalog.media.limits import MediaLimits
from catalog.media.pictures import picture_size
from catalog.media.sniff import HEAD, MediaKind, Sniffed, sniff
from catalog.shown import shown_url

if TYPE_CHECKING:
    import ssl

    from catalog.media.guarded import Resolver

ANY: tuple[MediaKind, ...] = ("image", "video", "sound")
PICTURE: tuple[MediaKind, ...] = ("image",)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class DownloaderConfig(BaseModel):
    """Where media may come from, and how long one may take; sizes stand in `MediaLimits`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    allow_hosts: tuple[str, ...] = ()
    """Hosts that are not public and yet asked: `media.intranet`, `10.1.2.3`, `10.0.0.0/8`. Private, loopback,
    link-local and all other special addresses are refused otherwise, on every redirect."""
    ports: tuple[int, ...] = (80, 443)
    """Ports that are asked."""
    redirects: int = Field(5, ge=0)
    """Redirects followed; each is checked like the first URL, and none leads from https to http."""
    timeout: float = Field(15.0, gt=0)
    """Seconds without a byte before a connection counts as broken."""
    seconds: float = Field(60.0, gt=0)
    """Seconds for one picture from the first lookup to the last byte, however steadily bytes come."""
    long_seconds: float = Field(900.0, gt=0)
    """The same for a video or a sound file."""
    connections: int = Field(64, ge=1)
    """Connections kept open at once; the job's own bounds are `parallel` and `per_host`."""
    user_agent: str = "vitrine"
    """How it introduces itself; some hosts ask for an address of whoever fetches."""

    @field_validator("allow_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        Allowed.parse(value)
        return value


class Downloader:
    """Brings media by URL; threads may share one, and connections are pooled.

    Args:
        config: Where from and how long.
        limits: Bytes and pixels that are taken at most.
        resolve: Host name to addresses; a test's double stands here.
        ssl_context: Whom to trust; None: the usual authorities.
    """

    def __init__(
        self,
        config: DownloaderConfig | None = None,
        limits: MediaLimits | None = None,
        *,
        resolve: Resolver | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        import httpcore
        import httpx

        from catalog.media.guarded import Deadline, GuardedBackend, system_addresses

        self.config, self.limits = config or DownloaderConfig(), limits or MediaLimits()
        self._deadline = Deadline()
        self._backend = GuardedBackend(
            Allowed.parse(self.config.allow_hosts), self._deadline, resolve or system_addresses
        )
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context or httpx.create_ssl_context(),
            max_connections=self.config.connections,
            keepalive_expiry=5.0,
            network_backend=self._backend,
        )

    def fetch(
        self,
        url: str,
        target: Path,
        *,
        kinds: Collection[MediaKind] = ANY,
        before: Validators | None = None,
        parts: Path | None = None,
    ) -> Fetched | None:
        """Bring `url` into the file `target`, whole or not at all; its folder is made.

        Args:
            url: http or https.
            target: Replaced once everything has come and was looked at.
            kinds: What the bytes may be.
            before: What the server called the bytes that lie at `target`.
            parts: Folder, of the same disk, of the file while it comes; None: that of `target`.

        Returns:
            What came; None when the server says that `before` still holds.

        Raises:
            FetchError: When it was refused or did not come; `retryable` says whether to try again.
            OSError: When the disk has no room.
        """
        parts = target.parent if parts is None else parts
        parts.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=parts, prefix=f".{target.name[:16]}-", suffix=".part")
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                fetched = self._bring(url, file, kinds, before)
                file.flush()
                os.fsync(file.fileno())
            if fetched is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary.chmod(0o644)
                temporary.replace(target)
            return fetched
        finally:
            temporary.unlink(missing_ok=True)

    def read(self, url: str, *, kinds: Collection[MediaKind] = PICTURE) -> tuple[bytes, Fetched]:
        """Bring `url` into memory.

        Raises:
            FetchError: As `fetch`.
        """
        buffer = io.BytesIO()
        fetched = self._bring(url, buffer, kinds, None)
        assert fetched is not None
        return buffer.getvalue(), fetched

    def close(self) -> None:
        """Close the connections; what is still coming breaks off."""
        self._backend.close()
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _bring(
        self, url: str, file: BinaryIO, kinds: Collection[MediaKind], before: Validators | None
    ) -> Fetched | None:
        import httpcore

        with self._deadline.within(self.config.seconds):
            shown = shown_url(url)
            try:
                return self._follow(url, file, kinds, before)
            except FetchError as error:
                if repr(shown) in str(error):
                    raise
                said = f"{shown!r}: {error}"  # the network below knows the host only
                raise FetchError(said, reason=error.reason, retryable=error.retryable) from error
            except httpcore.TimeoutException as error:
                raise FetchError(
                    f"{shown!r} did not come in time: {error}", reason="timeout", retryable=True
                ) from error
            except (httpcore.NetworkError, httpcore.ProtocolError) as error:
                reason = "unreachable" if isinstance(error, httpcore.ConnectError) else "broken answer"
                raise FetchError(f"{shown!r}: {reason}: {error}", reason=reason, retryable=True) from error

    def _follow(
        self, url: str, file: BinaryIO, kinds: Collection[MediaKind], before: Validators | None
    ) -> Fetched | None:
        import httpx

        shown, hop = shown_url(url), checked_url(url, self.config.ports)
        for _ in range(self.config.redirects + 1):
            with self._answer(hop, before) as response:
                headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                if response.status not in _REDIRECTS:
                    if response.status == 304 and before is not None:
                        return None
                    check_status(url, response.status, headers)
                    return self._take(url, str(hop), response, headers, file, kinds)
                location = headers.get("location", "").strip()
            if not location:
                raise FetchError(f"{shown!r}: a redirect that names no place", reason="redirect to nowhere")
            try:
                further = str(hop.join(location))
            except (httpx.InvalidURL, ValueError) as error:
                raise FetchError(
                    f"{shown!r} leads to {shown_url(location)[:300]!r}: {error}", reason="bad URL"
                ) from error
            secure = hop.scheme == "https"
            try:
                hop = checked_url(further, self.config.ports)
            except FetchError as error:
                raise FetchError(f"{shown!r} leads on: {error}", reason=error.reason) from error
            if secure and hop.scheme != "https":
                where = shown_url(further)[:300]
                raise FetchError(f"{shown!r} leads to {where!r}, which is not https", reason="bad URL")
        last = shown_url(str(hop))[:300]
        raise FetchError(
            f"{shown!r} leads on more than {self.config.redirects} times, last to {last!r}", reason="redirects"
        )

    def _answer(self, hop: Any, before: Validators | None) -> Any:
        asked = [
            ("Host", hop.netloc.decode("ascii")),
            ("User-Agent", self.config.user_agent),
            ("Accept", "image/*, video/*, audio/*;q=0.9, */*;q=0.5"),
            ("Accept-Encoding", "identity"),
        ]
        if before is not None and before.etag:
            asked.append(("If-None-Match", before.etag))
        if before is not None and before.last_modified:
            asked.append(("If-Modified-Since", before.last_modified))
        wait = self.config.timeout
        timeouts = {"connect": wait, "read": wait, "write": wait, "pool": self._deadline.clamp(None)}
        import httpcore

        address = httpcore.URL(scheme=hop.raw_scheme, host=hop.raw_host, port=hop.port, target=hop.raw_path)
        return self._pool.stream("GET", address, headers=asked, extensions={"timeout": timeouts})

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
        if packed not in ("identity", ""):
            raise FetchError(
                f"{shown_url(url)!r} came packed ({packed[:40]!r}); identity was asked for", reason="packed"
            )
        most = max(self._most(kind) for kind in kinds)
        require_room(url, headers, most)
        digest, size, head = hashlib.sha256(), 0, b""
        found: Sniffed | None = None
        for chunk in response.iter_stream():
            if found is None:
                head += chunk
                if len(head) < HEAD:
                    continue
                chunk, found = head, self._judge(url, head, kinds)
                most = self._most(found.kind)
            size += len(chunk)
            if size > most:
                raise too_large(url, size, most)
            digest.update(chunk)
            file.write(chunk)
            self._deadline.clamp(None)  # bytes that lie ready in the machine's buffer take time as well
        if found is None:
            if not head:
                raise FetchError(f"{shown_url(url)!r} is empty", reason="empty")
            found, size = self._judge(url, head, kinds), len(head)
            digest.update(head)
            file.write(head)
        self._look(url, file, found)
        validators = Validators(headers.get("etag"), headers.get("last-modified"))
        return Fetched(url, final_url, found.kind, found.form, size, digest.hexdigest(), validators)

    def _judge(self, url: str, head: bytes, kinds: Collection[MediaKind]) -> Sniffed:
        found = sniff(head)
        if found is None:
            raise FetchError(
                f"{shown_url(url)!r} is no picture, video or sound: it begins with {head[:24]!r}", reason="no media"
            )
        if not any(found.serves(kind) for kind in kinds):
            wanted = " or ".join(sorted(kinds))
            raise FetchError(f"{shown_url(url)!r} is {found.form}, and {wanted} was asked for", reason="other media")
        if found.kind != "image":
            self._deadline.extend(self.config.long_seconds)
        return found

    def _look(self, url: str, file: BinaryIO, found: Sniffed) -> None:
        if found.kind != "image":
            return
        file.seek(0)
        try:
            picture_size(file, self.limits, name=shown_url(url))
        except MediaError as error:
            raise FetchError(str(error), reason="bad picture") from error

    def _most(self, kind: MediaKind) -> int:
        limits = self.limits
        return {
            "image": limits.max_picture_bytes,
            "video": limits.max_video_bytes,
            "sound": limits.max_sound_bytes,
        }[kind]
