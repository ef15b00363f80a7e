"""Nearest items against every product by numpy, on a CPU and on a GPU."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.errors import ConfigError
from catalog.ids import Rows
from catalog.nearest import Device, gpus
from catalog.vectors import Floats
from models.nearest import nearest


def by_hand(queries: Floats, corpus: Floats, k: int, own: Rows | None) -> list[list[int]]:
    """Sort every product; whole and half numbers have exact ones, so that ties are ties."""
    scores = queries @ corpus.T
    scores[:, ~corpus.any(axis=1)] = -np.inf
    scores[~queries.any(axis=1)] = -np.inf
    if own is not None:
        scores[np.arange(len(queries)), own] = np.inf
    wanted = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    wanted[np.take_along_axis(scores, wanted, axis=1) == -np.inf] = -1
    found: list[list[int]] = wanted.tolist()
    return found


def normal(n: int, dim: int, seed: int) -> Floats:
    rows = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(params=["cpu", "gpu"])
def device(request: pytest.FixtureRequest) -> Device:
    if request.param == "gpu" and not gpus():
        pytest.skip("no GPU that FAISS can use")
    found: Device = request.param
    return found


def test_ties_go_to_the_lower_row_and_the_item_itself_comes_first(device: Device) -> None:
    same = np.full((5, 2), np.float32(0.5) ** 0.5, np.float32)
    found = nearest(same, same, 3, np.arange(5), device=device)
    assert found.tolist() == [[0, 1, 2], [1, 0, 2], [2, 0, 1], [3, 0, 1], [4, 0, 1]]


@pytest.mark.parametrize("cells", [1, 20, 400, 8_000_000])
def test_it_is_what_sorting_every_product_gives_by_any_block(
    monkeypatch: pytest.MonkeyPatch, device: Device, cells: int
) -> None:
    monkeypatch.setattr("models.nearest.CELLS", cells)
    rng = np.random.default_rng(cells)
    corpus = rng.integers(-2, 3, (60, 3)).astype(np.float32)  # whole numbers: many ties, sums exact
    corpus[[3, 59]] = 0
    queries = rng.integers(-2, 3, (17, 3)).astype(np.float32)
    queries[4] = 0
    own = np.arange(60)
    for given, rows, k in (
        (queries, None, 4),
        (queries, None, 60),
        (corpus, own, 1),
        (corpus, own, 7),
        (corpus, own, 60),
    ):
        assert nearest(given, corpus, k, rows, device=device).tolist() == by_hand(given, corpus, k, rows)


def test_a_heap_of_equal_items_has_its_lower_rows_for_neighbours(device: Device) -> None:
    corpus = normal(400, 16, 1)
    corpus[100:300] = corpus[100]  # one picture for two hundred variants
    found = nearest(corpus, corpus, 6, np.arange(400), device=device)
    assert found[100].tolist() == [100, 101, 102, 103, 104, 105]
    assert found[250].tolist() == [250, 100, 101, 102, 103, 104]


def test_a_larger_table_is_what_sorting_every_product_gives(device: Device) -> None:
    queries, corpus = normal(50, 48, 2), normal(3000, 48, 3)
    exact = queries.astype(np.float64) @ corpus.T.astype(np.float64)
    best = -np.sort(-exact, axis=1)[:, :21]
    assert (best[:, :20] - best[:, 1:]).min() > 1e-6, "ties are tried elsewhere"
    wanted = np.argsort(-exact, axis=1)[:, :20]
    assert nearest(queries, corpus, 20, device=device).tolist() == wanted.tolist()


def test_a_gpu_finds_what_the_cpu_does() -> None:
    if not gpus():
        pytest.skip("no GPU that FAISS can use")
    corpus = normal(5000, 64, 4)
    corpus[::7] = corpus[0]
    corpus[::11] = 0
    here, there = (nearest(corpus, corpus, 10, np.arange(5000), device=where) for where in ("cpu", "gpu"))
    np.testing.assert_array_equal(here, there)


def test_empty_sides_have_no_neighbours() -> None:
    some, none = normal(3, 4, 5), np.zeros((2, 4), np.float32)
    assert nearest(some, some, 0).shape == (3, 0)
    assert nearest(some[:0], some, 2).shape == (0, 2)
    assert nearest(some, some[:0], 2).shape == (3, 0)
    assert nearest(some, none, 2).tolist() == [[-1, -1]] * 3
    assert nearest(none, none, 2, np.arange(2)).tolist() == [[0, -1], [1, -1]]


def test_a_gpu_that_is_not_there_is_told() -> None:
    if gpus():
        pytest.skip("FAISS has a GPU here")
    some = normal(3, 4, 6)
    with pytest.raises(ConfigError, match="FAISS sees no GPU"):
        nearest(some, some, 1, device="gpu")
