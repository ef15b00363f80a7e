"""`LightGBMRanker`: gradient-boosted trees order the candidates."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError, NotBuiltError
from catalog.vectors import Floats
from catalog.workspace import write_text
from models.boosting import boosted, lambdarank_parameters, raw_scores, read_booster
from models.feature_table import Contributions, FeatureTable, require_names
from models.forest import Forest


class RankerConfig(BaseModel):
    """Settings of `LightGBMRanker`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    trees: int = Field(200, ge=1)
    """Boosting rounds."""

    leaves: int = Field(31, ge=2)
    """Leaves a tree has at most."""

    learning_rate: float = Field(0.05, gt=0)
    """Shrinkage of each tree."""

    min_leaf_rows: int = Field(20, ge=1)
    """Rows a leaf must hold."""

    feature_share: float = Field(1.0, gt=0, le=1)
    """Share of the features each tree sees."""

    truncation: int = Field(20, ge=1)
    """Positions from the top at which a pair's order still counts (LambdaRank truncation level)."""

    num_threads: int = Field(1, ge=1)
    """Threads for fitting and scoring; changes speed only. One is fastest for a single request."""


class LightGBMRanker:
    """Learns the order of candidates from graded labels by LambdaRank.

    Source:
        Burges 2010, "From RankNet to LambdaRank to LambdaMART"; Ke et al. 2017 (LightGBM).
    """

    name = "lightgbm"

    def __init__(self, config: RankerConfig | None = None) -> None:
        self.config = config or RankerConfig()
        self.names: tuple[str, ...] = ()
        self._booster: Any = None
        self._forest: Forest | None = None

    def fit(
        self, table: FeatureTable, groups: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], seed: int = 0
    ) -> None:
        """Learn; the same input and seed give the same trees.

        Args:
            table: Rows of all groups, group by group.
            groups: (g,) how many rows each group has.
            labels: (n,) grades of 0 to 30; higher is better, 0 is not relevant.
            seed: For feature sampling.

        Raises:
            DataError: When sizes disagree, a grade is out of range, or every row has the same grade.
        """
        _check(table, groups, labels)
        config = self.config
        parameters = {**lambdarank_parameters(config), "num_threads": config.num_threads, "seed": seed}
        self._booster = boosted(table.values, labels, parameters, config.trees, groups=groups)
        self._forest = Forest.of(self._booster)
        self.names = table.names

    def score(self, table: FeatureTable) -> Floats:
        """Return (n,) float32, comparable within one request only; higher is better.

        Raises:
            DataError: When the table's names are not those it learned from, in that order.
        """
        self._check_serving(table)
        if not len(table):
            return np.zeros(0, np.float32)
        return raw_scores(self._booster, self._forest, table.values, self.config.num_threads).astype(np.float32)

    def explain(self, table: FeatureTable) -> Contributions:
        """Return what each feature contributed to each score.

        Raises:
            DataError: As `score`.
        """
        self._check_serving(table)
        if not len(table):
            return Contributions(self.names, np.zeros((0, len(self.names))), 0.0)
        raw = self._booster.predict(table.values, pred_contrib=True, num_threads=self.config.num_threads)
        return Contributions(self.names, raw[:, :-1], float(raw[0, -1]))

    def importance(self) -> dict[str, float]:
        """Return the total gain of each feature's splits."""
        self._check_fitted()
        gains = self._booster.feature_importance(importance_type="gain")
        return {name: float(gain) for name, gain in zip(self.names, gains, strict=True)}

    def save(self, folder: Path) -> None:
        """Write `ranker.txt` (LightGBM's text), `features.json` and `config.json` into an existing folder."""
        self._check_fitted()
        write_text(folder / "ranker.txt", self._booster.model_to_string())
        write_text(folder / "features.json", json.dumps(self.names, indent=2) + "\n")
        write_text(folder / "config.json", self.config.model_dump_json(indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            NotBuiltError: When there is no ranker.
            DataError: When the text is not LightGBM's.
        """
        path = folder / "ranker.txt"
        if not path.is_file():
            raise NotBuiltError(f"no ranker.txt in {str(folder)!r}: run vitrine train first")
        ranker = cls(RankerConfig.model_validate_json((folder / "config.json").read_text("utf-8")))
        ranker.names = tuple(json.loads((folder / "features.json").read_text("utf-8")))
        ranker._booster = read_booster(path, len(ranker.names))
        ranker._forest = Forest.of(ranker._booster)
        return ranker

    def _check_fitted(self) -> None:
        if self._booster is None:
            raise NotBuiltError("the ranker has not been fitted: run vitrine train first")

    def _check_serving(self, table: FeatureTable) -> None:
        self._check_fitted()
        require_names(table, self.names)


def _check(table: FeatureTable, groups: npt.NDArray[np.int64], labels: npt.NDArray[np.int64]) -> None:
    if len(labels) != len(table) or int(groups.sum()) != len(table) or (groups <= 0).any():
        raise DataError(
            f"ranker: {len(table)} rows, {len(labels)} labels and groups of {int(groups.sum())} rows; "
            "three equal numbers and no empty group would be valid"
        )
    if len(labels) and (labels.min() < 0 or labels.max() > 30):
        raise DataError(f"ranker: labels {labels.min()}..{labels.max()}; grades of 0 to 30 would be valid")
    if not len(labels) or labels.min() == labels.max():
        raise DataError(f"ranker: {len(labels)} rows without two different labels; there is no order to learn")
