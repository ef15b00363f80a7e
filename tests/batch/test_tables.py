"""Tables a few thousand rows at a time."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from batch.base import PLANNED_ROWS
from batch.tables import even, read_tables


def test_tables_of_any_length_become_even() -> None:
    frames = [pl.DataFrame({"n": list(range(low, high))}) for low, high in ((0, 1), (1, 1), (1, 8), (8, 10))]
    assert [frame["n"].to_list() for frame in even(frames, 3)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]


def test_a_file_is_read_in_parts_and_by_column(tmp_path: Path) -> None:
    count = PLANNED_ROWS + 5
    pl.DataFrame({"a": range(count), "b": ["x"] * count}).write_parquet(tmp_path / "t.parquet")
    parts = list(read_tables(tmp_path / "t.parquet", ["a"]))
    assert ([len(part) for part in parts], parts[0].columns) == ([PLANNED_ROWS, 5], ["a"])
    assert pl.concat(parts)["a"].to_list() == list(range(count))
