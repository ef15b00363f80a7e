"""One file over HTTP: resumed where it broke off, whole or not there.

The bytes so far lie in `.<name>.part`, and beside it what the server called them (`ETag` or
`Last-Modified`). A later request asks for the rest of exactly those bytes (`Range` with `If-Range`);
when the server has others by now, or cannot resume, the file begins again.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError, ServiceError
from catalog.progress import SILENT, Progress

if TYPE_CHECKING:
    import httpx

BLOCK = 1 << 10
"""Progress counts KiB."""

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class DownloadConfig(BaseModel):
    """How patient a download is; none of it changes what comes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempts: int = Field(6, ge=1)
    """Requests in a row that bring nothing before it gives up; one that brings bytes starts the count anew."""
    backoff: float = Field(1.0, ge=0)
    """Seconds before the second attempt, doubled each time, at most `longest_wait`."""
    longest_wait: float = Field(60.0, ge=0)
    """Seconds; a server's `Retry-After` counts up to here as well."""
    timeout: float = Field(30.0, gt=0)
    """Seconds without a byte before a connection counts as broken."""


@dataclass
class _Part:
    """The bytes so far and what the server calls the whole."""

    path: Path

    @property
    def _note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.json")

    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self, url: str) -> str | None:
        """Return what `If-Range` may cite, when the bytes so far came from `url`."""
        try:
            said = json.loads(self._note.read_text(encoding="utf-8"))
            return str(said["validator"]) if said["url"] == url and said["validator"] else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def begin(self, url: str, validator: str | None) -> None:
        self.path.write_bytes(b"")
        self._note.write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)


class _Broken(Exception):
    """An attempt failed in a way that another may not; `wait` is what the server asks for."""

    def __init__(self, why: str, wait: float | None = None) -> None:
        super().__init__(why)
        self.wait = wait


def unheard(line: str) -> None:
    """Do nothing: nobody listens to the lines of `download`."""


def begun_bytes(target: Path) -> int:
    """Return how many bytes of `target` an earlier download left in the part beside it."""
    return _part_of(target).size()


def _part_of(target: Path) -> _Part:
    return _Part(target.with_name(f".{target.name}.part"))


def download(
    url: str,
    target: Path,
    *,
    config: DownloadConfig | None = None,
    progress: Progress = SILENT,
    sleep: Callable[[float], None] = time.sleep,
    check: Callable[[Path], None] | None = None,
    tell: Callable[[str], None] = unheard,
) -> None:
    """Bring `url` to `target`, through `.<name>.part` beside it.

    Args:
        url: http or https.
        target: A file that is not there yet, in a folder that is.
        config: Patience.
        progress: Told of every KiB.
        sleep: Waits between attempts.
        check: Given the whole file before it takes its name; what it raises leaves nothing behind.
        tell: Given a line for every attempt that failed and is made again.

    Raises:
        ServiceError: When the server refuses (404, 403), or every attempt failed; what came stays for the next run.
        DataError: When the disk has no room, or `check` refuses.
    """
    import httpx

    config = config or DownloadConfig()
    part = _part_of(target)
    headers = {"User-Agent": "vitrine", "Accept-Encoding": "identity"}
    failed = 0
    with httpx.Client(timeout=config.timeout, follow_redirects=True, max_redirects=5, headers=headers) as client:
        while True:
            before = part.size()
            try:
                _attempt(client, url, part, target.name, progress)
                break
            except (httpx.TransportError, _Broken) as error:
                wait = error.wait if isinstance(error, _Broken) else None
                failed = 1 if part.size() > before else failed + 1
                if failed >= config.attempts:
                    size = part.size()
                    if not size:
                        part.drop()
                    left = f"{size:,} bytes are kept and the next run goes on from there" if size else "nothing came"
                    raise ServiceError(
                        f"{url}: {config.attempts} attempts failed, the last: {_why(error)}; {left}", retryable=True
                    ) from error
                backoff = config.backoff * 2 ** (failed - 1)
                pause = min(config.longest_wait, backoff if wait is None else max(wait, backoff))
                progress.finish()
                tell(f"{url}: attempt {failed} of {config.attempts}: {_why(error)}; again in {pause:.0f} s")
                sleep(pause)
            except (httpx.TooManyRedirects, httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
                raise ServiceError(f"{url}: {error}") from error
            finally:
                progress.finish()
    if check is not None:
        try:
            check(part.path)
        except DataError:
            part.drop()
            raise
    part.path.replace(target)
    part.drop()


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__


def _attempt(client: httpx.Client, url: str, part: _Part, name: str, progress: Progress) -> None:
    """Ask once and write what comes.

    Raises:
        _Broken: When asking again may help.
    """
    have, validator = part.size(), part.validator(url)
    headers = {"Range": f"bytes={have}-", "If-Range": validator} if have and validator else {}
    with _answer(client, url, headers) as response:
        if headers and response.status_code == 416:
            if response.headers.get("content-range", "").rpartition("/")[2] == str(have):
                return  # nothing was left to bring
            part.drop()
            raise _Broken("the server has other bytes by now")
        if headers and response.status_code == 206:
            start, total = _range_of(response)
            if start != have or _validator(response) not in (validator, None):
                part.drop()
                raise _Broken("the server has other bytes by now")
        else:
            have, total = 0, _length(response)
            part.begin(url, _validator(response))
        if total is not None:
            _room_for(part.path, total - have)
        progress.start(f"{name} (KiB)", None if total is None else -(-total // BLOCK), have // BLOCK)
        with part.path.open("ab") as file:
            size = have
            for chunk in response.iter_raw():
                file.write(chunk)
                size += len(chunk)
                progress.advance(size // BLOCK - (size - len(chunk)) // BLOCK)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and size != total:
        if size > total:
            part.drop()
        raise _Broken(f"{size:,} of {total:,} bytes came")


@contextmanager
def _answer(client: httpx.Client, url: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
    with client.stream("GET", url, headers=headers) as response:
        hops = [*(each.url for each in response.history), response.url]
        if hops[0].scheme == "https" and any(hop.scheme != "https" for hop in hops):
            raise ServiceError(f"{url}: leads to {response.url}, which is not https")
        status = response.status_code
        if status in _RETRIED:
            raise _Broken(f"the server answers {status}", _retry_after(response))
        if status not in (200, 206, 416) or (status in (206, 416) and not headers):
            raise ServiceError(f"{url}: the server answers {status} {response.reason_phrase}".rstrip())
        yield response


def _validator(response: httpx.Response) -> str | None:
    """Return a strong `ETag`, else `Last-Modified`: what may stand in `If-Range`."""
    etag = response.headers.get("etag")
    if etag and not etag.startswith("W/"):
        return str(etag)
    modified = response.headers.get("last-modified")
    return str(modified) if modified else None


def _range_of(response: httpx.Response) -> tuple[int, int | None]:
    """Return start and total of `Content-Range: bytes 10-99/100`; a start of -1 is none."""
    span, _, total = response.headers.get("content-range", "").removeprefix("bytes ").partition("/")
    start = span.partition("-")[0]
    return int(start) if start.isdecimal() else -1, int(total) if total.isdecimal() else None


def _length(response: httpx.Response) -> int | None:
    length = response.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


def _retry_after(response: httpx.Response) -> float | None:
    seconds = response.headers.get("retry-after", "")
    return float(seconds) if seconds.isdecimal() else None


def _room_for(path: Path, size: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if size > free:
        raise DataError(f"{str(path.parent)!r} has {free:,} bytes free, and {size:,} are still to come")
