"""What a server answered: the medium that came, or why none did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from catalog.errors import FetchError
from catalog.media.sniff import MediaKind
from catalog.shown import shown_url

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Validators:
    """What a server called the bytes of before, to ask it for others only."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came.

    Attributes:
        url: As asked.
        final_url: After redirects.
        kind: By its bytes, as is `form`; a feed is judged by its reader.
        form: `JPEG`, `MP4` and so on.
        size: Bytes.
        sha: Sha256 of the bytes, in hex.
        validators: What the server calls them.
    """

    url: str
    final_url: str
    kind: MediaKind | Literal["feed"]
    form: str
    size: int
    sha: str
    validators: Validators


def retry_after(value: str | None) -> float | None:
    """Return the seconds of a `Retry-After`: a number, or a moment (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def check_status(url: str, status: int, headers: Mapping[str, str]) -> None:
    """Raise unless the server answered with the medium.

    Raises:
        FetchError: On any status but 200.
    """
    if status == 200:
        return
    retryable = status in _RETRIED
    wait = retry_after(headers.get("retry-after")) if retryable else None
    said = f"{shown_url(url)!r}: the server answers {status}"
    raise FetchError(said, reason=f"HTTP {status}", retryable=retryable, wait=wait)


def require_room(url: str, headers: Mapping[str, str], most: int) -> None:
    """Refuse an answer that says beforehand that it is too large.

    Raises:
        FetchError: When its `content-length` is beyond `most` bytes.
    """
    said = headers.get("content-length", "")[:19]
    if said.isdecimal() and int(said) > most:
        raise too_large(url, int(said), most)


def too_large(url: str, size: int, most: int) -> FetchError:
    """Return the error for more bytes than are taken."""
    said = f"{shown_url(url)!r} has {size:,} bytes or more; up to {most:,} would be valid"
    return FetchError(said, reason="too large")
