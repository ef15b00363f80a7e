"""Media as work: each reference with the hash of its bytes and its content key, or why it has none."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from batch.base import DETAIL, FAILURE, KEY
from batch.hashes import HashCache
from catalog.errors import MediaError
from catalog.media import is_url
from catalog.media.refs import BY_URL

SHA = "sha"


def unreadable(ref: str, error: MediaError) -> tuple[str, str]:
    """Return the reason and the detail of a medium whose bytes are not there."""
    return BY_URL if is_url(ref) else "media", str(error)


def keyed_media(
    table: pl.DataFrame,
    column: str,
    hashes: HashCache,
    key: Callable[[int, str], str],
    why: Callable[[str, MediaError], tuple[str, str]] = unreadable,
) -> pl.DataFrame:
    """Return `table` with the columns a job's work wants: `sha`, the content key, and reason and detail of a failure.

    Args:
        table: A few thousand rows of the work.
        column: Which one holds the references.
        hashes: Hashes the bytes, or knows their hash.
        key: Row number in `table` and sha256 in hex -> content key.
        why: Reference and error -> reason and detail.
    """
    refs = table[column].to_list()
    found = hashes.shas(refs)
    shas = [None if isinstance(sha, MediaError) else sha for sha in found]
    keys = [None if sha is None else key(at, sha) for at, sha in enumerate(shas)]
    whys = [why(ref, sha) if isinstance(sha, MediaError) else None for ref, sha in zip(refs, found, strict=True)]
    return table.with_columns(
        pl.Series(SHA, shas, pl.String),
        pl.Series(KEY, keys, pl.String),
        pl.Series(FAILURE, [each and each[0] for each in whys], pl.String),
        pl.Series(DETAIL, [each and each[1] for each in whys], pl.String),
    )
