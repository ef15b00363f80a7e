"""Ids in Parquet files, and one `IdMap` for those of a shop that are the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

import polars as pl

from catalog.ids import IdMap

_Known = list[tuple[pl.Series, IdMap]]
_KNOWN: ContextVar[_Known | None] = ContextVar("known_ids", default=None)


def read_ids(path: Path, column: str = "item_id", noun: str = "item") -> IdMap:
    """Return the ids of a file, inside of `ids_once` the very object of others that are the same.

    Args:
        path: A Parquet file.
        column: Which of its columns.
        noun: What the ids name.

    Raises:
        DataError: When an id stands there twice.
    """
    found, known = pl.read_parquet(path, columns=[column])[column], _KNOWN.get()
    for series, ids in known or ():
        if ids.noun == noun and series.equals(found):
            return ids
    ids = IdMap(found.to_list(), noun)
    if known is not None:
        known.append((found, ids))
    return ids


@contextmanager
def ids_once() -> Iterator[None]:
    """Keep equal ids that are read inside the block in memory once.

    The artifacts of a shop name the same items in the same order again and again: 200,000 ids take 30 MB each time.
    """
    token = _KNOWN.set([])
    try:
        yield
    finally:
        _KNOWN.reset(token)


def known_ids(ids: IdMap) -> None:
    """Let what is read later inside of `ids_once` be these ids, where it is the same."""
    known = _KNOWN.get()
    if known is not None:
        known.append((pl.Series("known", list(ids.ids), pl.String), ids))
