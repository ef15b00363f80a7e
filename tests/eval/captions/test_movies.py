"""The scoreboard on real data: its base is EASE, and plots say which new films belong together."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from catalog.splits import Split
from eval.captions.board import mean_of, scoreboard
from eval.captions.config import ScoreboardConfig
from eval.captions.contenders import Contender
from models.ease import EASE, EASEConfig


@pytest.mark.realdata
def test_plots_place_new_films_and_the_wrong_plots_do_not() -> None:
    root = os.environ.get("TEST_DATA") or Path(__file__).parents[4] / "shared" / "data"
    folder = Path(root) / "movies"
    if not (folder / "movies.inter").is_file():
        pytest.skip(f"no movies data in {str(folder)!r} (set TEST_DATA)")
    from bench.lirdrec_movies import Split as Truth
    from bench.lirdrec_movies import read

    data, valid, test = read(folder)
    nobody = np.empty(0, np.int64)
    split = Split(data.train, valid, test, "mmrec", {}, nobody, nobody)
    config = ScoreboardConfig(weights=(10.0,), regularisations=(200.0,), deals=1, resamples=500)
    board = scoreboard(split, [Contender("plots", data.modalities["text"])], config)
    warm, cold = board.sections
    ease = EASE(EASEConfig(regularisation=200.0))
    ease.fit(data)
    # What is relevant and has no train row is left out here, so that the two differ by that little.
    assert mean_of(warm.lines[0]) == pytest.approx(Truth(data.train, test).judge(ease.score_users)[0], abs=0.002)
    assert cold.against_base[0].corrected < 0.01 and cold.against_control[0].corrected < 0.01
    assert mean_of(cold.line("plots", "shuffled")) == pytest.approx(mean_of(cold.lines[0]), abs=0.05)
