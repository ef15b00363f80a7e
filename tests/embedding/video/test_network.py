from __future__ import annotations

import numpy as np
import pytest
import torch

from catalog.vectors import Floats
from embedding.video.config import VideoEncoderConfig
from embedding.video.frame_job import FrameSequence
from embedding.video.judging import impression_auc
from embedding.video.training import Projection, batch_of, fit_network, motion, predict

SMALL = VideoEncoderConfig(components=4, width=16, heads=2, dim=8, queries=3, steps=60, dropout=0.1)


def sequence(vectors: Floats, apart: float = 0.5) -> FrameSequence:
    seconds = (np.arange(len(vectors)) * apart).astype(np.float32)
    return FrameSequence(vectors.astype(np.float32), seconds, seconds, float(len(vectors) * apart))


def films(n: int, seed: int) -> tuple[list[FrameSequence], np.ndarray]:
    """Films of the same frames in every one, a before b or b before a: their means tell nothing, their order all."""
    rng = np.random.default_rng(seed)
    a, b = np.array([1.0, 0, 0, 0]), np.array([0, 1.0, 0, 0])
    first = rng.random(n) < 0.5
    made = []
    for is_first in first:
        length = int(rng.integers(2, 6))
        rows = np.concatenate([np.tile(a, (length, 1)), np.tile(b, (length, 1))])
        rows = rows if is_first else rows[::-1]
        made.append(sequence(rows + 0.05 * rng.normal(size=rows.shape)))
    return made, first


def held_out_auc(pooling: str) -> float:
    seen, first = films(60, seed=1)
    new, wanted = films(200, seed=2)
    shown = np.full(60, 50.0)
    clicks = np.where(first, 20.0, 5.0)
    projection = Projection.of(seen, SMALL.components)
    network = fit_network(batch_of(seen, np.zeros(60, np.int64), projection), clicks, shown, SMALL, pooling, seed=0)
    _, score = predict(network, batch_of(new, np.zeros(200, np.int64), projection))
    return impression_auc(score, wanted.astype(float), np.ones(200))


def test_order_is_all_that_tells_and_only_the_temporal_network_sees_it():
    assert held_out_auc("temporal") > 0.95
    assert 0.35 < held_out_auc("mean") < 0.65


@pytest.mark.parametrize("pooling", ["temporal", "mean"])
def test_the_same_seed_gives_the_same_weights_and_torch_is_left_as_it_was(pooling):
    made, first = films(12, seed=3)
    batch = batch_of(made, np.zeros(12, np.int64), Projection.of(made, 4))
    config = SMALL.model_copy(update={"steps": 3})
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    a, b, c = (
        fit_network(batch, first.astype(float), np.ones(12), config, pooling, seed=seed).state_dict()
        for seed in (1, 1, 2)
    )
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


@pytest.mark.parametrize("pooling", ["temporal", "mean"])
def test_vectors_are_unit_and_do_not_depend_on_the_company(pooling):
    made, first = films(8, seed=4)
    projection = Projection.of(made, 4)
    config = SMALL.model_copy(update={"steps": 2})
    rows = np.zeros(8, np.int64)
    network = fit_network(batch_of(made, rows, projection), first.astype(float), np.ones(8), config, pooling, seed=0)
    together, _ = predict(network, batch_of(made, rows, projection))
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for at, each in enumerate(made):  # padded beside longer ones, and alone
        alone, _ = predict(network, batch_of([each], rows[:1], projection))
        np.testing.assert_allclose(alone[0], together[at], atol=1e-5)


def test_a_single_frame_is_a_film():
    made, first = films(8, seed=4)
    projection = Projection.of(made, 4)
    network = fit_network(
        batch_of(made, np.zeros(8, np.int64), projection), first.astype(float), np.ones(8),
        SMALL.model_copy(update={"steps": 2}), "temporal", seed=0,
    )  # fmt: skip
    still = sequence(np.eye(4)[:1])
    vectors, score = predict(network, batch_of([still], np.zeros(1, np.int64), projection))
    assert np.isfinite(vectors).all() and np.isfinite(score).all()
    assert motion(still).tolist() == [0.0]


def test_motion_is_the_way_to_neighbours_of_the_same_scene():
    vectors = np.array([[0.0, 0], [3, 4], [0, 0], [0, 1]], np.float32)
    film = FrameSequence(vectors, np.arange(4, dtype=np.float32), np.array([0, 0, 0, 3], np.float32), 4.0)
    assert motion(film).tolist() == [5.0, 5.0, 5.0, 0.0]
    cut = FrameSequence(vectors, film.seconds, np.array([0, 0, 2, 2], np.float32), 4.0)
    assert motion(cut).tolist() == [5.0, 5.0, 1.0, 1.0]


def test_the_projection_turns_to_what_varies_most_and_comes_back():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 6)) * np.array([5, 3, 1, 0.1, 0.1, 0.1]) + 7
    made = [sequence(rows[k : k + 5]) for k in range(0, 50, 5)]
    found = Projection.of(made, 3)
    assert found.width == 4
    np.testing.assert_allclose(found.mean, rows.mean(axis=0), atol=1e-5)
    assert np.abs(found.basis).argmax(axis=0).tolist() == [0, 1, 2]
    again = Projection.from_arrays(found.arrays())
    np.testing.assert_array_equal(again(made[0]), found(made[0]))
