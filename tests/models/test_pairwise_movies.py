"""The pairwise models beside the figures of MMRec's own code on real data."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from models.registry import build

MMREC = {"bprmf": 0.1855, "lightgcn": 0.2096, "vbpr": 0.2004, "freedom": 0.2201}
"""Test NDCG@20 on movies, `x_label`."""
TOLERANCE = 0.006


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.timeout(1800)  # a minute or two alone; torch on two threads of a busy machine takes many times as long
@pytest.mark.parametrize("name", MMREC)
def test_no_worse_than_mmrec_on_movies(name: str) -> None:
    root = os.environ.get("TEST_DATA") or Path(__file__).parents[3] / "shared" / "data"
    folder = Path(root) / "movies"
    if not (folder / "movies.inter").is_file():
        pytest.skip(f"no movies data in {str(folder)!r} (set TEST_DATA)")
    from bench.lirdrec_movies import Split, read

    data, valid_rows, test_rows = read(folder)
    valid, test = Split(data.train, valid_rows), Split(data.train, test_rows)
    model = build(name)
    model.fit(data, validate=lambda scorer: valid.judge(scorer)[1], seed=999)
    assert test.judge(model.score_users)[0] > MMREC[name] - TOLERANCE
