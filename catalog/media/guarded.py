"""The network below the downloader: names resolved once, addresses checked, every wait within one deadline.

httpcore asks its backend for a connection to a host. This one resolves the host, checks each address and
connects to an address, so nothing can resolve the name a second time; TLS still verifies the name.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakSet

import httpcore

from catalog.errors import FetchError
from catalog.media.addresses import Allowed, literal

Resolver = Callable[[str], Sequence[str]]
"""Host name -> its addresses as text."""

_LOOKUPS = 32
"""Names looked up at once; the system's resolver takes no time limit, so it waits in a thread."""


def system_addresses(host: str) -> list[str]:
    """Return the addresses of `host`, each once, as this machine resolves it.

    Raises:
        OSError: When it does not.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class Deadline:
    """The moment by which the calling thread's request has to be over."""

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Set it for the block."""
        self._local.started = time.monotonic()
        self.extend(seconds)
        try:
            yield
        finally:
            self._local.at = None

    def extend(self, seconds: float) -> None:
        """Move it to so many seconds from the start of the request."""
        self._local.at = self._local.started + seconds

    def clamp(self, seconds: float | None) -> float | None:
        """Return a time limit that does not pass it.

        Raises:
            httpcore.TimeoutException: When it has passed.
        """
        at = getattr(self._local, "at", None)
        if at is None:
            return seconds
        left: float = at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("its time is up")
        return left if seconds is None else min(seconds, left)


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only.

    Args:
        allowed: What may be asked although it is not public.
        deadline: Of the requests.
        resolve: Host name to addresses.
    """

    def __init__(self, allowed: Allowed, deadline: Deadline, resolve: Resolver = system_addresses) -> None:
        self._allowed, self._deadline, self._resolve = allowed, deadline, resolve
        self._plain = httpcore.SyncBackend()
        self._open = _OpenStreams()
        self._lookups = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="resolve")

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of `host` that answers.

        Raises:
            FetchError: When it does not resolve, or to an address that is not asked.
        """
        failure: Exception | None = None
        for address in self._allowed.addresses(host, self._addresses(host, timeout)):
            try:
                stream = self._plain.connect_tcp(
                    address, port, self._deadline.clamp(timeout), local_address, socket_options
                )
                return _TimedStream(stream, self._deadline, self._open)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or FetchError(f"host {host!r} has no address", reason="unresolved host", retryable=True)

    def connect_unix_socket(self, path: str, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        """Refuse: media do not come from sockets of this machine."""
        raise FetchError(f"{path!r} is no host", reason="refused address")

    def close(self) -> None:
        """Break every connection, so that no thread goes on waiting for bytes; end the look-ups."""
        self._open.shut()
        self._lookups.shutdown(wait=False, cancel_futures=True)

    def _addresses(self, host: str, timeout: float | None) -> list[str]:
        if (address := literal(host)) is not None:
            return [address]
        try:
            found = self._lookups.submit(self._resolve, host).result(self._deadline.clamp(timeout))
            return [str(ipaddress.ip_address(each)) for each in found]
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(f"{host!r} did not resolve in time") from error
        except (OSError, ValueError) as error:  # a scope in the address, or a name the resolver cannot encode
            raise FetchError(
                f"host {host!r} does not resolve: {error}", reason="unresolved host", retryable=True
            ) from error


class _OpenStreams:
    """The connections that are open, to be broken from another thread."""

    def __init__(self) -> None:
        self._streams: WeakSet[_TimedStream] = WeakSet()
        self._lock = threading.Lock()

    def add(self, stream: _TimedStream) -> None:
        with self._lock:
            self._streams.add(stream)

    def shut(self) -> None:
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            with suppress(OSError):  # closed already
                stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


class _TimedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline, opened: _OpenStreams) -> None:
        self._stream, self._deadline, self._opened = stream, deadline, opened
        opened.add(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.clamp(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.clamp(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.clamp(timeout))
        return _TimedStream(stream, self._deadline, self._opened)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
