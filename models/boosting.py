"""LightGBM behind two functions, for the ranker and the click model; the one file that knows the library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from catalog.errors import DataError, NotBuiltError
from catalog.vectors import Floats
from models.forest import Forest

ALWAYS: Mapping[str, Any] = {
    "deterministic": True,
    "force_row_wise": True,  # else LightGBM times both ways and may choose another one each run
    "verbosity": -1,
}


class TreeSettings(Protocol):
    """What every config of boosted trees says of a tree."""

    @property
    def leaves(self) -> int:
        """Leaves a tree has at most."""

    @property
    def learning_rate(self) -> float:
        """Shrinkage of each tree."""

    @property
    def min_leaf_rows(self) -> int:
        """Rows a leaf must hold."""

    @property
    def feature_share(self) -> float:
        """Share of the features each tree sees."""


class RankingSettings(TreeSettings, Protocol):
    """What a config of LambdaRank says besides."""

    @property
    def truncation(self) -> int:
        """Positions from the top at which a pair's order still counts."""


def tree_parameters(config: TreeSettings) -> dict[str, Any]:
    """Return LightGBM's names for what a config says of a tree."""
    return {
        "num_leaves": config.leaves,
        "learning_rate": config.learning_rate,
        "min_data_in_leaf": config.min_leaf_rows,
        "feature_fraction": config.feature_share,
    }


def lambdarank_parameters(config: RankingSettings) -> dict[str, Any]:
    """Return LightGBM's parameters of LambdaRank."""
    return {
        "objective": "lambdarank",
        "lambdarank_truncation_level": config.truncation,
        **tree_parameters(config),
    }


def boosted(
    values: Floats,
    labels: npt.NDArray[Any],
    parameters: Mapping[str, Any],
    trees: int,
    *,
    groups: npt.NDArray[np.int64] | None = None,
    weights: npt.NDArray[np.float64] | None = None,
    start: Floats | None = None,
    valid: tuple[Floats, npt.NDArray[Any]] | None = None,
    patience: int = 0,
) -> Any:
    """Return a booster; the same input gives the same trees.

    Args:
        values: (n, f) float32, NaN is missing. Names stay ours: LightGBM refuses some characters and would quietly
            rewrite others.
        labels: (n,).
        parameters: LightGBM's.
        trees: Boosting rounds.
        groups: (g,) rows a group, for ranking.
        weights: (n,) of the rows.
        start: (n,) scores that the trees only correct; what the booster predicts does not contain them.
        valid: Values and labels to stop by, after `patience` rounds without gain.
        patience: 0: all rounds are run.
    """
    import lightgbm

    data = lightgbm.Dataset(values, label=labels, group=groups, weight=weights, init_score=start)
    given = {**ALWAYS, **parameters}
    if valid is None:
        return lightgbm.train(given, data, num_boost_round=trees)
    held_out = lightgbm.Dataset(valid[0], label=valid[1], reference=data)
    stop: list[Callable[..., Any]] = [lightgbm.early_stopping(patience, verbose=False)] if patience else []
    return lightgbm.train(given, data, num_boost_round=trees, valid_sets=[held_out], callbacks=stop)


def raw_scores(booster: Any, forest: Forest | None, values: Floats, n_threads: int) -> npt.NDArray[np.float64]:
    """Return the sums (n,) of the leaves that rows (n, f) end in, by the booster's own tables where there are some."""
    if forest is not None:
        return forest.scores(values)
    return np.asarray(booster.predict(values, raw_score=True, num_threads=n_threads), np.float64)


def read_booster(path: Path, n_features: int) -> Any:
    """Return the booster of a LightGBM text model.

    Raises:
        NotBuiltError: When there is no such file.
        DataError: When the text is not LightGBM's, or another number of features is named beside it.
    """
    if not path.is_file():
        raise NotBuiltError(f"no {path.name} in {str(path.parent)!r}: run vitrine train first")
    import lightgbm

    text = path.read_text("utf-8")
    if not text.startswith("tree\n") or "end of trees" not in text:
        raise DataError(f"{str(path)!r} is not a whole LightGBM text model")
    try:
        booster = lightgbm.Booster(model_str=text)
    except lightgbm.basic.LightGBMError as error:
        raise DataError(f"{str(path)!r} cannot be read: {error}") from error
    if booster.num_feature() != n_features:
        raise DataError(f"{str(path)!r} splits on {booster.num_feature()} features, features.json names {n_features}")
    return booster
