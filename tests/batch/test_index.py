"""The index: one entry a key, found again by its mark."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from batch.index import ABSENT, ENTRY, Index, marks_of


def entries(*rows: tuple[str, bool, int]) -> npt.NDArray[np.void]:
    """Return the entries of a file from key, whether it failed, and attempts."""
    found = np.zeros(len(rows), ENTRY)
    found["mark"] = marks_of(pl.Series([key for key, _, _ in rows], dtype=pl.String))
    found["failed"] = [failed for _, failed, _ in rows]
    found["attempts"] = [attempts for _, _, attempts in rows]
    return found


def test_a_success_outlives_every_failure_and_the_last_of_equals_counts() -> None:
    first = entries(("a", False, 1), ("b", True, 1), ("c", True, 2))
    second = entries(("b", True, 2), ("a", True, 9), ("c", True, 2))
    index = Index.of([first, second])
    found = index.find(marks_of(pl.Series(["a", "b", "c", "d", None])))
    assert index.places[found[:3]].tolist() == [0, 3, 5]
    assert found[3:].tolist() == [ABSENT, ABSENT]


def test_more_keys_than_are_looked_up_at_once_are_all_found() -> None:
    keys = [f"key-{at}" for at in range(70_000)]
    index = Index.of([entries(*((key, False, 1) for key in keys))])
    assert index.places[index.find(marks_of(pl.Series(keys)))].tolist() == list(range(70_000))


def test_nothing_is_found_in_an_empty_index() -> None:
    index = Index.of([])
    assert (len(index), index.latest_run(), index.find(marks_of(pl.Series(["a"]))).tolist()) == (0, 0, [ABSENT])
