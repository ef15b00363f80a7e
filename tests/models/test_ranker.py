"""The LightGBM ranker through its door."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from catalog.errors import DataError, NotBuiltError
from models.feature_table import FeatureTable, stacked
from models.ranker import LightGBMRanker, RankerConfig

NAMES = ("price", "score.keyword", "noise")
CONFIG = RankerConfig(trees=30, leaves=7, min_leaf_rows=5)


def lesson(n_groups: int = 60, size: int = 20) -> tuple[FeatureTable, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Cheap is better, and nothing else matters; a tenth of the prices are missing."""
    rng = np.random.default_rng(5)
    n = n_groups * size
    values = rng.random((n, 3)).astype(np.float32)
    labels = (values[:, 0] < 0.3).astype(np.int64) + (values[:, 0] < 0.1)
    values[rng.random(n) < 0.1, 0] = np.nan
    return FeatureTable(NAMES, tuple(f"i{r}" for r in range(n)), values), np.full(n_groups, size), labels


def probe(prices: list[float]) -> FeatureTable:
    values = np.array([[price, 0.5, 0.5] for price in prices], np.float32).reshape(-1, 3)
    return FeatureTable(NAMES, tuple(f"p{n}" for n in range(len(prices))), values)


@pytest.fixture(scope="module")
def ranker() -> LightGBMRanker:
    fitted = LightGBMRanker(CONFIG)
    fitted.fit(*lesson(), seed=1)
    return fitted


def test_it_learns_that_cheap_is_better(ranker: LightGBMRanker) -> None:
    scores = ranker.score(probe([0.9, 0.2, 0.05, 0.6]))
    assert scores.shape == (4,)
    assert scores.dtype == np.float32
    assert scores[2] > scores[1] > max(scores[0], scores[3])
    assert ranker.score(probe([])).shape == (0,)


def test_contributions_add_up_to_the_score_and_name_the_price(ranker: LightGBMRanker) -> None:
    table = probe([0.9, 0.2, 0.05])
    why = ranker.explain(table)
    np.testing.assert_allclose(why.values.sum(axis=1) + why.bias, ranker.score(table), rtol=1e-5)
    assert why.names == NAMES
    assert (np.abs(why.values).argmax(axis=1) == 0).all()
    assert max(ranker.importance(), key=ranker.importance().__getitem__) == "price"


def test_a_table_with_other_names_is_refused(ranker: LightGBMRanker) -> None:
    good = probe([0.5])
    shuffled = FeatureTable(("score.keyword", "price", "noise"), good.item_ids, good.values)
    with pytest.raises(DataError, match=r"has another order; the columns price, score\.keyword, noise would be valid"):
        ranker.score(shuffled)
    with pytest.raises(DataError, match="lacks 'noise'"):
        ranker.explain(FeatureTable(NAMES[:2], good.item_ids, good.values[:, :2]))
    with pytest.raises(DataError, match="has unknown 'extra'"):
        wide = np.concatenate([good.values, good.values[:, :1]], axis=1)
        ranker.score(FeatureTable((*NAMES, "extra"), good.item_ids, wide))


def test_same_seed_same_trees(tmp_path: Path) -> None:
    texts = []
    for run in ("a", "b"):
        fitted = LightGBMRanker(CONFIG)
        fitted.fit(*lesson(), seed=7)
        (tmp_path / run).mkdir()
        fitted.save(tmp_path / run)
        texts.append((tmp_path / run / "ranker.txt").read_bytes())
    assert texts[0] == texts[1]


def test_a_saved_ranker_scores_alone(ranker: LightGBMRanker, tmp_path: Path) -> None:
    ranker.save(tmp_path)
    code = (
        "import sys, numpy as np; from pathlib import Path; from models.ranker import LightGBMRanker;"
        "from models.feature_table import FeatureTable; r = LightGBMRanker.load(Path(sys.argv[1]));"
        "v = np.array([[p, .5, .5] for p in (.9, .2, .05)], np.float32);"
        "np.save(sys.argv[2], r.score(FeatureTable(r.names, ('p0', 'p1', 'p2'), v)))"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path), str(tmp_path / "out.npy")], check=True)
    assert (np.load(tmp_path / "out.npy", allow_pickle=False) == ranker.score(probe([0.9, 0.2, 0.05]))).all()
    assert LightGBMRanker.load(tmp_path).config == CONFIG


def test_bad_lessons_and_files_are_one_clear_line(tmp_path: Path) -> None:
    table, groups, labels = lesson(4)
    fresh = LightGBMRanker(CONFIG)
    with pytest.raises(NotBuiltError, match="has not been fitted"):
        fresh.score(table)
    with pytest.raises(DataError, match="80 rows, 80 labels and groups of 60 rows"):
        fresh.fit(table, groups[:3], labels)
    with pytest.raises(DataError, match=r"labels 0\.\.31"):
        fresh.fit(table, groups, np.where(labels == 1, 31, labels))
    with pytest.raises(DataError, match="there is no order to learn"):
        fresh.fit(table, groups, np.zeros_like(labels))
    with pytest.raises(NotBuiltError, match=r"no ranker\.txt"):
        LightGBMRanker.load(tmp_path)
    (tmp_path / "ranker.txt").write_text("tree\nhalf of")
    (tmp_path / "features.json").write_text("[]")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(DataError, match="not a whole LightGBM text model"):
        LightGBMRanker.load(tmp_path)


def test_a_feature_table_refuses_what_it_cannot_mean() -> None:
    with pytest.raises(DataError, match=r"values of shape \(1, 1\) for 1 items and 2 names"):
        FeatureTable(("a", "b"), ("x",), np.zeros((1, 1), np.float32))
    with pytest.raises(DataError, match="'a' stands twice"):
        FeatureTable(("a", "a"), ("x",), np.zeros((1, 2), np.float32))
    with pytest.raises(DataError, match="'b' of item 'x' is infinite"):
        FeatureTable(("a", "b"), ("x",), np.array([[0, np.inf]], np.float32))
    one = FeatureTable(("a",), ("x",), np.zeros((1, 1), np.float32))
    assert stacked([one, one]).item_ids == ("x", "x")
    with pytest.raises(DataError, match="no feature 'b'; one of a"):
        one.column("b")
