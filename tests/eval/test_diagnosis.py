"""What `--diagnose` watches is what happens, and its verdict follows from the numbers either way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.progress import SILENT
from catalog.vectors import EmbeddingTable
from eval.diagnosis import DiagnosisConfig, Trace, diagnosis_json, diagnosis_markdown, judge, verdict
from eval.diagnosis_plot import draw_diagnosis
from eval.diagnosis_runs import diagnose
from eval.diagnosis_watch import Watch


def trace(*, features: float, ids: float, quick: str, alone: float | None, seed: int = 0) -> Trace:
    """A run whose gradients have these lengths; `quick` is the half that arrives first."""
    slow = "ids" if quick == "features" else "features"
    users = np.linspace(0.1, 0.3, 50)
    ended = {"ids": users} if alone is None else {"ids": users, "alone": users + alone}
    return Trace(
        "vbpr",
        seed,
        {"ids": [ids, ids], "features": [features, features]},
        {"ids": [ids, ids], "features": [features / 2, features / 2]},
        {"ids": [0.1, 0.1], "features": [0.1, 0.1]},
        {quick: [0.4, 0.0], slow: [0.9, 0.0]},  # type: ignore[dict-item]
        {"both": [0.1, 0.2], "ids": [0.1, 0.2], "features": [0.1, 0.2]},
        None if alone is None else [0.1, 0.2],
        ended,
    )


def test_the_papers_story_told_by_numbers_is_reproduced() -> None:
    claims = judge([trace(features=6.0, ids=2.0, quick="features", alone=0.05)])
    assert [claim.holds for claim in claims] == [True, True, True] and verdict(claims) == "reproduced"
    assert "3 times the ids' (1.5 times a parameter)" in claims[0].text
    assert "after 1 epochs, behind the ids after 2" in claims[1].text
    assert "-0.0500" in claims[2].text


def test_the_opposite_numbers_refute_it() -> None:
    claims = judge([trace(features=1.0, ids=2.0, quick="ids", alone=-0.05)])
    assert [claim.holds for claim in claims] == [False, False, False] and verdict(claims) == "refuted"


def test_a_claim_holds_only_where_it_holds_in_every_run() -> None:
    runs = [
        trace(features=6.0, ids=2.0, quick="features", alone=0.05),
        trace(features=6.0, ids=2.0, quick="ids", alone=-0.01, seed=1),
    ]
    claims = judge(runs)
    assert [claim.holds for claim in claims] == [True, False, False]
    assert verdict(claims) == "reproduced in part (1 of 3)"


def test_ids_that_were_not_trained_alone_are_not_judged() -> None:
    claims = judge([trace(features=6.0, ids=2.0, quick="features", alone=None)])
    assert len(claims) == 2 and verdict(claims) == "reproduced in part (2 of 3)"


def test_the_watch_measures_gradients_and_ways_as_arithmetic_says() -> None:
    ids = torch.nn.Parameter(torch.zeros(3, 1))
    features = torch.nn.Parameter(torch.zeros(4))
    watch = Watch({"ids": [ids], "features": [features]}, np.array([0, 2]))
    rows = np.array([[0.0], [9.0], [0.0]], np.float32)
    watch.begin({"ids": rows, "features": rows})
    for scale in (1.0, 7.0):  # gradients of length 3 and 4 a step, then of 7 times that
        for _ in range(2):
            torch.autograd.backward(scale * (3 * ids[0, 0] + 2 * features.sum()))
        moved = np.array([[3 * scale], [0.0], [4 * scale]], np.float32)
        watch.end_epoch({"ids": moved, "features": moved})
    assert watch.gradient == {"ids": [3.0, 21.0], "features": [4.0, 28.0]}
    assert watch.per_parameter["features"] == [2.0, 14.0]
    assert watch.remaining()["ids"] == pytest.approx([6 / 7, 0.0])  # 5 of a way of 35 after the first epoch
    assert watch.moved()["ids"] == pytest.approx([1.0, 6 / 7])  # row 1 is not followed


@pytest.fixture(scope="module")
def shop() -> tuple[Interactions, Interactions, dict[str, EmbeddingTable]]:
    """Forty shoppers of four tastes; the vectors tell the taste of an item, at a scale of fifty."""
    rng = np.random.default_rng(0)
    users, items = IdMap((f"u{user}" for user in range(40)), "user"), IdMap(f"i{item}" for item in range(32))
    pairs = [
        (user, item)
        for user in range(40)
        for item in rng.choice(np.flatnonzero(np.arange(32) % 4 == user % 4), 6, replace=False)
    ]
    rows = np.array(pairs, np.int32)
    held = np.arange(len(rows)) % 6 == 5
    parts = [
        Interactions(users, items, rows[which, 0], rows[which, 1], np.zeros(which.sum(), np.int64))
        for which in (~held, held)
    ]
    taste = 50 * np.eye(4)[np.arange(32) % 4] + rng.standard_normal((32, 4))
    return parts[0], parts[1], {"text": EmbeddingTable(items, taste.astype(np.float32), "taste")}


def test_runs_on_a_small_shop_give_whole_curves_and_a_report(shop: Any, tmp_path: Any) -> None:
    train, valid, modalities = shop
    config = DiagnosisConfig(epochs=6, lirdrec_epochs=3, metric="recall@5")
    traces = diagnose(train, valid, modalities, config, SILENT)
    assert [trace.model for trace in traces] == list(config.models)
    for run, epochs in zip(traces, (6, 6, 3), strict=True):
        for curve in (run.gradient, run.per_parameter, run.moved, run.remaining):
            assert {half: len(values) for half, values in curve.items()} == {"ids": epochs, "features": epochs}
            assert all(np.isfinite(values).all() for values in curve.values())
        assert set(run.valid) == {"both", "ids", "features"} and len(run.valid["ids"]) == epochs
        assert run.remaining["ids"][-1] == 0.0
    found = diagnosis_json(traces, config)
    text = diagnosis_markdown(found)
    assert all(
        f"**{name}**: the paper's motivation is **{found['models'][name]['verdict']}**" in text
        for name in config.models
    )
    assert text.count("not judged: ids end worse than alone") == 1  # LIRDRec's
    draw_diagnosis(found, tmp_path / "d.png")
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")


def test_vectors_at_fifty_times_the_scale_draw_a_longer_gradient_than_centred_ones(shop: Any) -> None:
    train, valid, modalities = shop
    config = DiagnosisConfig(models=("vbpr", "vbpr-raw"), epochs=4, metric="recall@5")
    centred, raw = diagnose(train, valid, modalities, config, SILENT)
    assert raw.favour > 5 * centred.favour


def test_the_same_seed_gives_the_same_run(shop: Any) -> None:
    train, valid, modalities = shop
    config = DiagnosisConfig(models=("vbpr",), epochs=3, metric="recall@5")
    runs = [diagnosis_json(diagnose(train, valid, modalities, config, SILENT), config) for _ in range(2)]
    assert runs[0] == runs[1]
