"""Shoppers' hidden tastes: mixtures of a few archetypes, each with a will of its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from catalog.boutique.categories import CATEGORIES
from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.drawing.film import MOTIONS
from catalog.boutique.factors import (
    FUNCTIONS,
    OCCASIONS,
    PATTERN_NAMES,
    PRICE_LEVELS,
    SHARES,
    SILHOUETTES,
    THEMES,
    Factor,
)  # fmt: skip
from catalog.boutique.palette import FAMILIES
from catalog.boutique.pieces import Piece
from catalog.boutique.truth import ClickModel, Truth
from catalog.ids import IdMap

N_TRIBES = 24
"""Archetypes; every shopper leans to one, borrows from a second and adds their own."""

_Matrix = npt.NDArray[np.float64]


def make_truth(config: BoutiqueConfig, pieces: list[Piece], root: np.random.SeedSequence) -> Truth:
    """Return the truth about `pieces` and `config.n_users` shoppers."""
    rng = np.random.default_rng(root)
    factors = _factors(pieces, config)
    levels = _levels(pieces, factors)
    tribes = np.stack([rng.integers(N_TRIBES, size=config.n_users) for _ in range(2)], axis=1)
    lean = rng.uniform(0.6, 0.95, (config.n_users, 1))
    blocks = []
    for k, factor in enumerate(factors):
        shared = _likes(factor, N_TRIBES, rng)
        own = _likes(factor, config.n_users, rng)
        liking = 0.8 * (lean * shared[tribes[:, 0]] + (1 - lean) * shared[tribes[:, 1]]) + 0.5 * own
        share = _level_shares(levels[:, k], len(factor.levels))
        emphasis = np.exp(rng.normal(0, 0.25, (config.n_users, 1)))
        blocks.append(_standard(liking, share) * np.sqrt(factor.share) * emphasis)
    users = IdMap((f"u{k + 1:04d}" for k in range(config.n_users)), "user")
    return Truth(
        factors, IdMap(piece.item_id for piece in pieces), users, levels,
        np.concatenate(blocks, axis=1).astype(np.float32), ClickModel(),
        np.array([p.appeal for p in pieces], np.float32), np.array([p.quality for p in pieces], np.float32),
        tribes.astype(np.int16),
    )  # fmt: skip


def _factors(pieces: list[Piece], config: BoutiqueConfig) -> tuple[Factor, ...]:
    values: dict[str, tuple[str, ...]] = {
        "category": tuple(c.name for c in CATEGORIES[: config.n_categories]),
        "pattern": PATTERN_NAMES,
        "silhouette": SILHOUETTES,
        "motion": MOTIONS,
        "colour": FAMILIES,
        "theme": THEMES,
        "function": FUNCTIONS,
        "occasion": OCCASIONS,
        "price": PRICE_LEVELS,
        "brand": tuple(sorted({piece.brand.name for piece in pieces})),
    }
    return tuple(Factor(name, values[name], seen_in, share) for name, (seen_in, share) in SHARES.items())


def _levels(pieces: list[Piece], factors: tuple[Factor, ...]) -> npt.NDArray[np.int16]:
    def value(piece: Piece, name: str) -> str | None:
        if name == "category":
            return piece.category.name
        if name == "brand":
            return piece.brand.name
        found: str | None = getattr(piece, "price_level" if name == "price" else name)
        return found

    out = np.full((len(pieces), len(factors)), -1, np.int16)
    for k, factor in enumerate(factors):
        code = {level: v for v, level in enumerate(factor.levels)}
        for row, piece in enumerate(pieces):
            level = value(piece, factor.name)
            out[row, k] = -1 if level is None else code[level]
    return out


def _likes(factor: Factor, n: int, rng: np.random.Generator) -> _Matrix:
    """Return raw likings (n, n_levels): a few levels are loved, most are met with a shrug."""
    count = len(factor.levels)
    if factor.name == "price":
        ideal = rng.uniform(-0.5, count - 0.5, (n, 1))
        return np.asarray(-np.abs(np.arange(count) - ideal))
    liking: _Matrix = np.exp(0.9 * rng.standard_normal((n, count)))
    return np.asarray((liking - np.exp(0.405)) / 1.75)  # about zero mean, unit spread


def _level_shares(column: npt.NDArray[np.int16], count: int) -> _Matrix:
    found: _Matrix = np.bincount(column[column >= 0], minlength=count).astype(float)
    return np.asarray(found / max(float(found.sum()), 1.0))


def _standard(liking: _Matrix, share: _Matrix) -> _Matrix:
    """Return likings with zero mean and unit spread over the items that have the factor."""
    mean = (liking * share).sum(axis=1, keepdims=True)
    spread = np.sqrt((((liking - mean) ** 2) * share).sum(axis=1, keepdims=True))
    return np.asarray(np.clip((liking - mean) / np.maximum(spread, 1e-6), -4, 4))
