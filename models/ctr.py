"""`CtrModel`: the chance that a shopper clicks what is shown, by gradient-boosted trees, calibrated on later rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError, NotBuiltError
from catalog.vectors import Floats
from catalog.workspace import write_text
from models.boosting import boosted, raw_scores, read_booster, tree_parameters
from models.calibration import Calibration, Values, calibrated
from models.ctr_data import CtrData
from models.feature_table import FeatureTable
from models.forest import Forest

MIN_CLICKS = 50
"""Fewer clicks than this teach nothing; so do fewer rows without one."""


NEWEST, FOLDS = 0.25, 5

GROWING = ("shown", "shopper_takes", "rating_count", "item_age_days", "days_since_taken", "month")
"""Features that mean another thing as the log grows: rows of next month would lie beyond all that was learned from."""


class CtrConfig(BaseModel):
    """Settings of `CtrModel`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    trees: int = Field(400, ge=1)
    """Boosting rounds at most; the rows held out for calibration say how many are enough."""

    leaves: int = Field(4, ge=2)
    """Leaves a tree has at most."""

    learning_rate: float = Field(0.03, gt=0)
    """Shrinkage of each tree."""

    min_leaf_rows: int = Field(50, ge=1)
    """Rows a leaf must hold."""

    feature_share: float = Field(1.0, gt=0, le=1)
    """Share of the features each tree sees; below 1 trees that lack a taste blame the place for it."""

    l2: float = Field(3.0, ge=0)
    """What draws the leaves towards nothing."""

    patience: int = Field(40, ge=1)
    """Rounds without gain on the held-out rows after which no tree is added."""

    hold_out: Literal["shoppers", "newest"] = "shoppers"
    """What is held out to count trees and to calibrate: each fifth of the shoppers in turn, so that every row has its
    say, or the newest quarter of the rows, which tells more where habits change quickly."""

    calibration: Literal["auto", "platt", "isotonic"] = "auto"
    """`auto`: a staircase from 5,000 clicks on, else Platt's curve."""

    position: int = Field(1, ge=1)
    """Place on the page that is assumed when serving: a probability is that of an item shown there."""

    num_threads: int = Field(1, ge=1)
    """Threads for fitting and scoring; changes speed only."""


class CtrModel:
    """Learns who clicks what from impressions.

    The place on the page is a feature when learning, one that can only lower the odds the further down it is, and is
    held at `position` when serving: what stood high is not taken for what is liked. Features are those of
    `build_features` without the retrieval sources' own, which no impression has, and without `GROWING`.

    Source:
        Position as a feature: Ling et al., "Model ensemble for click prediction in Bing search ads", WWW 2017;
        Zhao et al., "Recommending what video to watch next", RecSys 2019. Trees: Ke et al. 2017.
    """

    name = "lightgbm-ctr"

    def __init__(self, config: CtrConfig | None = None) -> None:
        self.config = config or CtrConfig()
        self.names: tuple[str, ...] = ()
        self.calibration = Calibration()
        self.base_rate = float("nan")
        self.proxy = False
        self._booster: Any = None
        self._forest: Forest | None = None

    def fit(self, data: CtrData, seed: int = 0) -> None:
        """Learn; the same rows and seed give the same trees.

        Rows held out (`hold_out`) say how many trees are enough, and calibrate trees that had not seen them; then as
        many trees are grown on all rows.

        Raises:
            DataError: When there are too few clicks, or too few rows without.
        """
        clicks = int(data.clicked.sum())
        if min(clicks, len(data) - clicks) < MIN_CLICKS:
            raise DataError(
                f"{len(data):,} {data.called} with {clicks:,} clicks teach no click model; "
                f"{MIN_CLICKS} clicked and {MIN_CLICKS} not clicked would be valid"
            )
        self.names = tuple(name for name in data.table.names if _lasting(name))
        values, parameters = self._values(data.table, data.positions), self._parameters(seed)
        odds, held, trees = np.zeros(len(data)), np.zeros(len(data), np.bool_), []
        for late in self._held_out(data, seed):
            early = np.setdiff1d(np.arange(len(data)), late)
            part = boosted(
                values[early], data.clicked[early], parameters, self.config.trees,
                valid=(values[late], data.clicked[late]), patience=self.config.patience,
            )  # fmt: skip
            trees.append(max(int(part.best_iteration), 1))
            odds[late] = part.predict(values[late], raw_score=True, num_iteration=trees[-1])
            held[late] = True
        self.calibration = calibrated(odds[held], data.clicked[held], self.config.calibration)
        self._booster = boosted(values, data.clicked, parameters, round(float(np.mean(trees))))
        self._forest = Forest.of(self._booster)
        self.base_rate, self.proxy = clicks / len(data), data.source != "impressions"

    def probability(self, table: FeatureTable, positions: npt.NDArray[np.float32] | None = None) -> Floats:
        """Return (n,) float32, the chance of a click on each item were it shown.

        Args:
            table: Has at least the features it learned from, in any order.
            positions: (n,) places on the page, for judging what was logged; None: the config's.

        Raises:
            DataError: When a feature is missing.
        """
        return np.asarray(self.calibration.probability(self._odds(table, positions)), np.float32)

    def preference(self, table: FeatureTable) -> Floats:
        """Return (n, n) float32: row a, column b is the chance that the shopper prefers a to b.

        Of two items shown alike of which one is clicked, the chance that it is a:
        `p_a (1 - p_b) / (p_a (1 - p_b) + p_b (1 - p_a)) = sigmoid(logit p_a - logit p_b)`; 1/2 on the diagonal.

        Source:
            Bradley and Terry 1952, with each item's odds of a click as its strength.
        """
        chance = np.clip(self.probability(table).astype(np.float64), 1e-9, 1 - 1e-9)
        logit = np.log(chance) - np.log1p(-chance)
        return np.asarray(1 / (1 + np.exp(logit[None, :] - logit[:, None])), np.float32)

    def importance(self) -> dict[str, float]:
        """Return the total gain of each feature's splits, the place on the page among them."""
        self._check_fitted()
        gains = self._booster.feature_importance(importance_type="gain")
        return {name: float(gain) for name, gain in zip((*self.names, "position"), gains, strict=True)}

    def save(self, folder: Path) -> None:
        """Write `ctr.txt` (LightGBM's text), `features.json`, `config.json` and `calibration.json` into a folder."""
        self._check_fitted()
        write_text(folder / "ctr.txt", self._booster.model_to_string())
        write_text(folder / "features.json", json.dumps(self.names, indent=2) + "\n")
        write_text(folder / "config.json", self.config.model_dump_json(indent=2) + "\n")
        told = {"base_rate": self.base_rate, "proxy": self.proxy, "calibration": self.calibration.model_dump()}
        write_text(folder / "calibration.json", json.dumps(told, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote.

        Raises:
            NotBuiltError: When there is no click model.
            DataError: When the text is not LightGBM's.
        """
        if not (folder / "ctr.txt").is_file():
            raise NotBuiltError(f"no ctr.txt in {str(folder)!r}: run vitrine train first")
        model = cls(CtrConfig.model_validate_json((folder / "config.json").read_text("utf-8")))
        model.names = tuple(json.loads((folder / "features.json").read_text("utf-8")))
        model._booster = read_booster(folder / "ctr.txt", len(model.names) + 1)
        model._forest = Forest.of(model._booster)
        told = json.loads((folder / "calibration.json").read_text("utf-8"))
        model.calibration = Calibration.model_validate(told["calibration"])
        model.base_rate, model.proxy = float(told["base_rate"]), bool(told["proxy"])
        return model

    def _held_out(self, data: CtrData, seed: int) -> list[npt.NDArray[np.int64]]:
        if self.config.hold_out == "newest":
            order = np.argsort(data.timestamps, kind="stable")
            return [order[int(len(order) * (1 - NEWEST)) :]]
        _, code = np.unique(np.asarray(data.user_ids), return_inverse=True)
        fold = np.random.default_rng(seed).permutation(int(code.max()) + 1) % FOLDS
        return [rows for part in range(FOLDS) if len(rows := np.flatnonzero(fold[code] == part))]

    def _odds(self, table: FeatureTable, positions: npt.NDArray[np.float32] | None) -> Values:
        self._check_fitted()
        if not len(table):
            return np.zeros(0)
        places = np.full(len(table), self.config.position, np.float32) if positions is None else positions
        return raw_scores(self._booster, self._forest, self._values(table, places), self.config.num_threads)

    def _values(self, table: FeatureTable, positions: npt.NDArray[np.float32]) -> Floats:
        return np.concatenate([table.select(self.names).values, positions[:, None]], axis=1)

    def _parameters(self, seed: int) -> dict[str, Any]:
        config = self.config
        return {
            "objective": "binary",
            **tree_parameters(config),
            "lambda_l2": config.l2,
            "monotone_constraints": [0] * len(self.names) + [-1],
            "num_threads": config.num_threads,
            "seed": seed,
        }

    def _check_fitted(self) -> None:
        if self._booster is None:
            raise NotBuiltError("the click model has not been fitted: run vitrine train first")


def _lasting(name: str) -> bool:
    return name not in GROWING and not name.startswith(("score.", "rank."))
