"""`Truth`: what the generator knows and no reader, model or agent may see."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.boutique.factors import Factor, Medium
from catalog.ids import IdMap
from catalog.vectors import Floats

Levels = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class ClickModel:
    """P(click | shown at `position`, from 1) = look(position) * sigmoid(bias + gain * relevance)."""

    bias: float = -2.6
    gain: float = 1.5
    patience: float = 0.93
    """Chance of looking one position further down."""

    def probability(self, relevance: Floats, position: int = 1) -> Floats:
        """Return click probabilities, shaped as `relevance`."""
        chance = 1 / (1 + np.exp(-(self.bias + self.gain * relevance)))
        return np.asarray(chance * self.patience ** (position - 1), np.float32)


@dataclass(frozen=True, eq=False)
class Truth:
    """Hidden tastes and item factors of one generated shop.

    A shopper's relevance of an item is the sum over factors of the weight they give its level;
    over items it has about zero mean and unit spread.

    Attributes:
        factors: What tastes are made of; columns of `levels`, blocks of `weights`.
        items, users: Id worlds of the rows.
        levels: (n_items, n_factors) level of each factor, -1 where the item has none (no film).
        weights: (n_users, sum of level counts) float32, factor after factor.
        click: How relevance becomes a click.
        appeal: (n_items,) log exposure the shop gives an item, whatever anyone's taste.
        quality: (n_items,) moves ratings and returns, not taste.
        tribes: (n_users, 2) the two archetypes a taste mixes, for analysis.
    """

    factors: tuple[Factor, ...]
    items: IdMap
    users: IdMap
    levels: Levels
    weights: Floats
    click: ClickModel
    appeal: Floats
    quality: Floats
    tribes: npt.NDArray[np.int16]

    @property
    def starts(self) -> tuple[int, ...]:
        """First column of each factor's block in `weights`."""
        counts = [len(factor.levels) for factor in self.factors]
        return tuple(int(v) for v in np.cumsum([0, *counts[:-1]]))

    def user_taste(self, user_id: str) -> dict[str, dict[str, float]]:
        """Return the weight the shopper gives every level of every factor.

        Raises:
            NotFoundError: When the shopper is unknown.
        """
        row = self.weights[self.users.row(user_id)]
        return {
            factor.name: {level: float(row[start + k]) for k, level in enumerate(factor.levels)}
            for factor, start in zip(self.factors, self.starts, strict=True)
        }

    def item_factors(self, item_id: str) -> dict[str, str | None]:
        """Return the level of every factor of one item, None where it has none.

        Raises:
            NotFoundError: When the item is unknown.
        """
        row = self.levels[self.items.row(item_id)]
        return {f.name: f.levels[int(k)] if k >= 0 else None for f, k in zip(self.factors, row, strict=True)}

    def item_table(self) -> pl.DataFrame:
        """Return one row an item: `item_id`, a column a factor, `appeal` and `quality`."""
        columns: dict[str, list[str | None] | Floats | list[str]] = {"item_id": list(self.items)}
        for k, factor in enumerate(self.factors):
            columns[factor.name] = [factor.levels[v] if v >= 0 else None for v in self.levels[:, k].tolist()]
        return pl.DataFrame({**columns, "appeal": self.appeal, "quality": self.quality})

    def relevance(self, user_id: str, *, without: Collection[Medium] = ()) -> Floats:
        """Return how well each item meets the shopper's taste, (n_items,).

        Args:
            user_id: The shopper.
            without: Media taken away: factors no other medium shows count nothing.

        Raises:
            NotFoundError: When the shopper is unknown.
        """
        row = self.weights[self.users.row(user_id)]
        total = np.zeros(len(self.items), np.float32)
        for k, (factor, start) in enumerate(zip(self.factors, self.starts, strict=True)):
            if factor.seen_in <= set(without):
                continue
            level = self.levels[:, k]
            total += np.where(level >= 0, row[start + np.maximum(level, 0)], np.float32(0))
        return total

    def click_probability(self, user_id: str, position: int = 1) -> Floats:
        """Return P(click) of each item shown to the shopper at `position` (from 1), (n_items,)."""
        return self.click.probability(self.relevance(user_id), position)

    def ideal_items(self, user_id: str, n: int = 10, *, among: Collection[str] | None = None) -> list[str]:
        """Return the `n` items that meet the taste best (of those in `among`), best first."""
        order = np.argsort(-self.relevance(user_id), kind="stable")
        ranked = (self.items.ids[int(row)] for row in order)
        return [item for item in ranked if among is None or item in among][:n]

    def percentile(self, user_id: str, item_id: str) -> float:
        """Return the share of all items this one is at least as relevant as, in 0..1: a pick of 0.99 is a good one.

        Raises:
            NotFoundError: When either is unknown.
        """
        score = self.relevance(user_id)
        return float((score <= score[self.items.row(item_id)]).mean())

    def save(self, folder: Path) -> None:
        """Write `truth.json`, `items.parquet` and `tastes.parquet` into an existing folder."""
        facts = {
            "factors": [{**asdict(f), "seen_in": sorted(f.seen_in)} for f in self.factors],
            "click": asdict(self.click),
        }
        (folder / "truth.json").write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
        self.item_table().write_parquet(folder / "items.parquet")
        tastes = {
            "user_id": list(self.users), "tribe": self.tribes[:, 0], "second_tribe": self.tribes[:, 1],
            "weights": self.weights.tolist(),
        }  # fmt: skip
        schema: dict[str, pl.DataType | type[pl.DataType]] = {
            "user_id": pl.String, "tribe": pl.Int16, "second_tribe": pl.Int16, "weights": pl.List(pl.Float32),
        }  # fmt: skip
        pl.DataFrame(tastes, schema=schema).write_parquet(folder / "tastes.parquet")

    @classmethod
    def load(cls, folder: Path) -> Truth:
        """Read what `save` wrote."""
        facts = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        factors = tuple(
            Factor(f["name"], tuple(f["levels"]), frozenset(f["seen_in"]), f["share"]) for f in facts["factors"]
        )
        items, tastes = pl.read_parquet(folder / "items.parquet"), pl.read_parquet(folder / "tastes.parquet")
        levels = np.full((len(items), len(factors)), -1, np.int16)
        for k, factor in enumerate(factors):
            code = {level: v for v, level in enumerate(factor.levels)}
            levels[:, k] = [code[v] if v is not None else -1 for v in items[factor.name].to_list()]
        return cls(
            factors, IdMap(items["item_id"].to_list()), IdMap(tastes["user_id"].to_list(), "user"), levels,
            np.array(tastes["weights"].to_list(), np.float32), ClickModel(**facts["click"]),
            items["appeal"].to_numpy().astype(np.float32), items["quality"].to_numpy().astype(np.float32),
            np.stack([tastes["tribe"].to_numpy(), tastes["second_tribe"].to_numpy()], axis=1),
        )  # fmt: skip
