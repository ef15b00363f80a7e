"""Reports on a disk that fills up: the old files stay, nothing is left lying about, the error names the file."""

from __future__ import annotations

import errno
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eval.intervals import Interval
from eval.report_files import write_report
from eval.table import Row, Table
from eval.together import together

METRIC = "ndcg@20"


@contextmanager
def no_file_beyond(n_bytes: int) -> Iterator[None]:
    """Let writes beyond `n_bytes` of a file fail, as `ulimit -f` and a full disk do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def small_report(note: str = "") -> dict[str, Any]:
    cell = {"mean": 0.5, "ci95": [0.4, 0.6], "seeds": None}
    return {
        "dataset": "board" + note, "protocol": "last", "n_users": 5000, "label": "generated", "data_key": "k",
        "models": {"ease": {"metrics": {METRIC: cell}, "epochs": 1, "fit_seconds": 0.1, "history": [[]]}},
        "paired": [], "modalities": {}, "readers": {}, "commit": None,
        "config": {"metrics": [METRIC], "seeds": [0], "select_by": METRIC},
    }  # fmt: skip


def table_of(values: Any) -> Table:
    whole = Interval(0.5, 0.4, 0.6)
    row = Row("ease", {METRIC: whole}, {METRIC: values}, (0,), (1,), 0.1, (), {METRIC: (0.5, 0.5)}, ((),))
    return Table("last", len(values), 0, (row,), (), {})


def held(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize(
    ("limit", "values", "culprit"),
    [(20_000, np.random.default_rng(0).random(5000), "last.npz"), (4_000, np.ones(5000), "last.png"),
     (100, np.ones(5000), "last.npz")],
)  # fmt: skip
def test_a_file_too_large_leaves_the_report_of_before_whole(
    tmp_path: Path, limit: int, values: Any, culprit: str
) -> None:
    write_report(tmp_path, "last", small_report(), tables=[table_of(np.zeros(5000))])
    before = held(tmp_path)
    assert len(before) == 4
    with no_file_beyond(limit), pytest.raises(OSError) as failed:
        write_report(tmp_path, "last", small_report(" new"), tables=[table_of(values)])
    assert failed.value.errno == errno.EFBIG and failed.value.filename == str(tmp_path / culprit)
    assert held(tmp_path) == before


def test_a_report_that_cannot_be_drawn_leaves_no_half(tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write_report(tmp_path, "last", {**small_report(), "models": {"ease": {"metrics": {}}}})
    assert held(tmp_path) == {}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_files_in_two_folders_stand_together_or_not_at_all(tmp_path: Path, number: int) -> None:
    def fails(text: str) -> Callable[[Path], object]:
        def make(path: Path) -> None:
            path.write_text(text)
            raise OSError(number, "no more")

        return make

    for name in "ab":
        (tmp_path / name).mkdir()
    with pytest.raises(OSError, match="no more") as failed, together() as write:
        write(tmp_path / "a" / "one", lambda path: path.write_text("1"))
        write(tmp_path / "b" / "two", fails("2"))
    assert failed.value.filename == str(tmp_path / "b" / "two")
    assert held(tmp_path / "a") == held(tmp_path / "b") == {}
