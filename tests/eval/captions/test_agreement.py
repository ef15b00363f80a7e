"""Whether a model trained in full puts the contenders in the probe's order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import eval.table
from catalog.errors import ConfigError
from catalog.splits import Split
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from eval.captions.agreement import Agreement, agreements, rank_agreement, require_reader
from eval.captions.board import NOTHING, scoreboard
from eval.captions.config import ScoreboardConfig
from eval.captions.contenders import Contender

CONFIG = ScoreboardConfig(
    metric="ndcg@5", weights=(30.0,), regularisations=(200.0,), deals=1, check="content_linear", resamples=200
)
"""The settings of `content_linear` itself, so that the model checked with is the probe."""


def checked(
    split: Split, contenders: list[Contender], ground: EmbeddingTable | None, workspace: Workspace | None = None
) -> tuple[Agreement, ...]:
    board = scoreboard(split, contenders, CONFIG, ground=ground)
    return agreements(split, board, contenders, CONFIG, ground=ground, workspace=workspace)


def test_the_probe_agrees_with_itself(split: Split, contenders: list[Contender]) -> None:
    (found,) = checked(split, contenders, None)
    assert found.ground == NOTHING
    assert [(entry.name, entry.kind) for entry in found.entries] == [
        ("noise", "contender"), ("noise", "shuffled"), ("colour", "contender"), ("colour", "shuffled"),
        ("random vectors", "random"),
    ]  # fmt: skip
    assert found.model == pytest.approx(found.probe, abs=1e-4)
    for each in (found.kendall, found.spearman, found.among_contenders):
        assert each.mean == pytest.approx(1.0)
    assert found.clear_alike == found.clear_pairs


def test_the_ground_is_an_entry_and_the_model_reads_both(
    split: Split, contenders: list[Contender], noise: EmbeddingTable
) -> None:
    _, found = checked(split, contenders, noise)
    assert [entry.kind for entry in found.entries] == ["base", "contender", "shuffled", "random"]
    assert found.model == pytest.approx(found.probe, abs=1e-4)


def test_a_fit_that_was_finished_is_not_made_again(
    split: Split, contenders: list[Contender], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path)
    first = checked(split, contenders, None, workspace)

    def never(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("fitted again")

    monkeypatch.setattr(eval.table, "fit_cell", never)
    again = checked(split, contenders, None, workspace)
    assert again[0].model.tolist() == first[0].model.tolist()


def test_rank_agreement_is_kendalls_and_spearmans() -> None:
    order = np.array([1.0, 2.0, 3.0])[:, None] * np.ones((1, 4))
    swapped = np.array([2.0, 1.0, 3.0])[:, None] * np.ones((1, 4))
    # One of three pairs is the other way round: (2 - 1) / 3; rho is 1 - 6 (1 + 1) / (3 (9 - 1)).
    assert rank_agreement(order, swapped, "kendall", CONFIG).mean == pytest.approx(1 / 3)
    assert rank_agreement(order, swapped, "spearman", CONFIG).mean == pytest.approx(1 - 12 / 24)
    same = rank_agreement(order, order, "kendall", CONFIG)
    assert (same.mean, same.low, same.high) == (1.0, 1.0, 1.0), "every user says the same"


def test_users_who_disagree_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 4, 30))
    found = rank_agreement(a, b, "kendall", CONFIG)
    assert found.low < found.mean < found.high


def test_one_entry_has_no_order() -> None:
    assert np.isnan(rank_agreement(np.ones((1, 3)), np.ones((1, 3)), "kendall", CONFIG).mean)


def test_a_model_that_reads_no_vectors_is_refused() -> None:
    with pytest.raises(ConfigError, match="--check 'popularity' reads no vectors; 'lirdrec'"):
        require_reader("popularity")
    with pytest.raises(ConfigError, match="unknown recommender 'lirdrek'"):
        require_reader("lirdrek")
    require_reader("lirdrec")
