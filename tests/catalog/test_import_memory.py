"""Parsing holds one batch of rows at a time, whatever the length of the file."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.readers.amazon import read_amazon
from catalog.readers.amazon_files import AmazonFiles
from catalog.readers.finishing import Parsed
from catalog.readers.importing import Import
from catalog.readers.movielens import read_movielens
from catalog.readers.recbole import read_recbole
from catalog.readers.refining import RefineConfig

BATCH = 500
ROWS = 1500
TIMES = 8


def amazon(folder: Path, rows: int) -> Callable[[], Import]:
    review = {"rating": 5.0, "title": "t", "text": "word " * 30, "verified_purchase": True}
    with (folder / "S.jsonl").open("w") as file:
        for n in range(rows):
            ids = {"asin": f"B{n % 97}", "parent_asin": f"P{n}", "user_id": f"U{n}", "timestamp": 1_600_000_000_000 + n}
            file.write(json.dumps({**review, **ids}) + "\n")
    with (folder / "meta_S.jsonl").open("w") as file:
        for n in range(rows):
            file.write(json.dumps({"parent_asin": f"P{n}", "title": f"Soap {n}", "features": ["Clean."] * 5}) + "\n")
    return lambda: read_amazon(AmazonFiles(folder / "S.jsonl", folder / "meta_S.jsonl"), batch_rows=BATCH)


def recbole(folder: Path, rows: int) -> Callable[[], Import]:
    inter = "user_id:token\titem_id:token\ttimestamp:float\n" + "".join(
        f"u{n}\ti{n}\t{10**9 + n}\n" for n in range(rows)
    )
    (folder / "r.inter").write_text(inter)
    (folder / "r.item").write_text("item_id:token\tbrand:token\n" + "".join(f"i{n}\tb{n}\n" for n in range(rows)))
    return lambda: read_recbole(folder, batch_rows=BATCH)


def movielens(folder: Path, rows: int) -> Callable[[], Import]:
    ratings = "userId,movieId,rating,timestamp\n" + "".join(f"{n},{n % 50},4.0,{10**9 + n}\n" for n in range(rows))
    (folder / "ratings.csv").write_text(ratings)
    (folder / "movies.csv").write_text("movieId,title,genres\n" + "".join(f"{n},F,A|B\n" for n in range(50)))
    tags = "userId,movieId,tag,timestamp\n" + "".join(f"{n},{n % 50},t{n % 7},1\n" for n in range(rows))
    (folder / "tags.csv").write_text(tags)
    return lambda: read_movielens(folder, batch_rows=BATCH)


class Stopped(Exception):
    """Parsing is over."""


def peak_of_parsing(read: Callable[[], Import], module: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return the highest number of bytes Python held until everything was parsed and lay on disk."""
    peaks: list[int] = []

    def stop(parsed: Parsed, config: RefineConfig) -> Import:
        peaks.append(tracemalloc.get_traced_memory()[1])
        assert len(parsed.log) >= ROWS
        raise Stopped

    monkeypatch.setattr(f"catalog.readers.{module}.finish", stop)
    tracemalloc.start()
    try:
        with pytest.raises(Stopped):
            read()
    finally:
        tracemalloc.stop()
    return peaks[0]


@pytest.mark.parametrize("make", [amazon, recbole, movielens], ids=lambda make: make.__name__)
def test_the_peak_of_parsing_does_not_grow_with_the_file(
    make: Callable[[Path, int], Callable[[], Import]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {}
    for rows in (BATCH, ROWS, TIMES * ROWS):  # the first run only warms caches
        folder = tmp_path / str(rows)
        folder.mkdir()
        read = make(folder, rows)
        if rows == BATCH:
            read()
        else:
            sizes[rows] = peak_of_parsing(read, make.__name__, monkeypatch)
            monkeypatch.undo()
    assert sizes[TIMES * ROWS] < 1.2 * sizes[ROWS], sizes
