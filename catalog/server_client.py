"""A client for an OpenAI-compatible server that is not trusted. Import this module late: it loads the OpenAI client.

httpx bounds each read, so that a server which sends a byte a second holds a request for ever. Here a request has a
deadline for all of it and a bound on its bytes, packed and unpacked; it is never redirected, since the key would go
along; and the key is struck out of what comes back, before anyone keeps or prints it.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
import weakref
import zlib

import httpx
import openai

from catalog.errors import ConfigError
from catalog.server_answers import BadAnswer
from catalog.server_words import HIDDEN, NO_KEYS, SHORTEST_KEY

_PACKED = ("gzip", "x-gzip", "deflate")
_OWN_HEADERS = ("content-encoding", "content-length", "transfer-encoding")
_ZLIB_OR_GZIP = 47
_STARTING = threading.Lock()
_STRUCK_FROM = max(8, SHORTEST_KEY)
"""A key of fewer characters might be a word of an answer."""


class UnreadableAnswer(BadAnswer, openai.OpenAIError):
    """An answer too large, or packed wrongly; the client does not ask again for it."""


def api_key(variable: str) -> str:
    """Return the key in an environment variable, "" where there is none.

    Raises:
        ConfigError: When no request could carry it.
    """
    key = os.environ.get(variable, "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ConfigError(f"the key in {variable} holds characters no request can carry: plain ASCII would be valid")
    return key


def server_client(base_url: str, key: str, *, seconds: float, retries: int, most_bytes: int) -> openai.OpenAI:
    """Return a client whose every try ends within `seconds` and reads at most `most_bytes`."""
    http = httpx.Client(transport=_Bounded(seconds, most_bytes, key), timeout=seconds, follow_redirects=False)
    return openai.OpenAI(
        base_url=base_url, api_key=key or "none", timeout=seconds, max_retries=retries, http_client=http
    )


def redirected(error: openai.APIStatusError) -> str | None:
    """Return that a server sent the request elsewhere, and what to do; None where it did not."""
    if not 300 <= error.status_code < 400:
        return None
    where = error.response.headers.get("location", "nowhere")[:200]
    return f"answered {error.status_code}, a redirect to {where!r}, which is not followed: name the address in base_url"


def broke_off(error: openai.APIConnectionError) -> bool:
    """Whether a server was reached and its answer never ended, rather than nobody being there."""
    return isinstance(error.__cause__, httpx.ReadError | httpx.WriteError | httpx.RemoteProtocolError)


class _Bounded(httpx.BaseTransport):
    """Runs requests on one event loop of the process, where they can be cut off at any point."""

    def __init__(self, seconds: float, most_bytes: int, key: str) -> None:
        self._seconds, self._most = seconds, most_bytes
        secret = len(key) >= _STRUCK_FROM and key not in NO_KEYS
        self._key = key.encode() if secret else None
        self._client = httpx.AsyncClient(
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=100), follow_redirects=False
        )
        self._end = weakref.finalize(self, _close, self._client)
        self._end.atexit = False  # the sockets end with the process

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return a response that is read already."""
        request.headers["accept-encoding"] = "gzip, deflate"
        future = asyncio.run_coroutine_threadsafe(self._fetch(request), _loop())
        try:
            return future.result()
        except BaseException:
            future.cancel()  # Ctrl-C while waiting: nobody is there for the answer
            raise

    def close(self) -> None:
        """Close the connections."""
        self._end()

    async def _fetch(self, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._client.send(request, stream=True)
                try:
                    content = await self._read(response)
                except UnreadableAnswer:
                    if response.is_success:
                        raise
                    content = b""  # what a refusal says is of less weight than that it is one
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise httpx.ReadTimeout(f"no answer within {self._seconds:g} s", request=request) from error
        kept = [(name, self._struck(value)) for name, value in response.headers.raw if _kept(name)]
        return httpx.Response(response.status_code, headers=kept, content=self._struck(content))

    async def _read(self, response: httpx.Response) -> bytes:
        packing = response.headers.get("content-encoding", "").strip().lower()
        if packing not in ("", "identity", *_PACKED):
            raise UnreadableAnswer(f"an answer packed as {packing[:40]!r}, which was not asked for")
        unpack = zlib.decompressobj(_ZLIB_OR_GZIP) if packing in _PACKED else None
        parts, size, came = [], 0, 0
        async for part in response.aiter_raw():
            came += len(part)
            if unpack is not None:
                try:
                    part = unpack.decompress(part, self._most + 1 - size)
                except zlib.error as error:
                    raise UnreadableAnswer(f"an answer that is no {packing}: {error}") from error
            size += len(part)
            if max(size, came) > self._most:
                raise UnreadableAnswer(f"an answer of more than {self._most:,} bytes")
            parts.append(part)
        if unpack is not None and came and not unpack.eof:
            raise UnreadableAnswer(f"an answer whose {packing} breaks off")
        return b"".join(parts)

    def _struck(self, content: bytes) -> bytes:
        return content if self._key is None else content.replace(self._key, HIDDEN.encode())


def _kept(name: bytes) -> bool:
    return name.decode("latin-1").lower() not in _OWN_HEADERS


def _loop() -> asyncio.AbstractEventLoop:
    """Return the loop of this process: a fork has none of its parent's threads."""
    with _STARTING:  # several threads may send their first request at once
        return _started(os.getpid())


@functools.cache
def _started(process: int) -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="requests", daemon=True).start()
    return loop


def _close(client: httpx.AsyncClient) -> None:
    asyncio.run_coroutine_threadsafe(client.aclose(), _loop())
