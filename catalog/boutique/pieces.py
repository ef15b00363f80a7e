"""`Piece`: everything the generator decides about one product before it is drawn or described."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np

from catalog.boutique import factors as f
from catalog.boutique.brands import Brand
from catalog.boutique.categories import CATEGORIES, Category
from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.drawing.film import MOTIONS
from catalog.boutique.names import piece_names
from catalog.boutique.palette import FAMILIES, SHADES, accents, room, trim


@dataclass(frozen=True, slots=True)
class Piece:
    """One product as designed. `motion` is None without a film; `launched` counts days from the log's first."""

    item_id: str
    parent_id: str | None
    category: Category
    name: str
    brand: Brand
    colour: str
    shade: str
    codes: tuple[str, str, str]
    """Ground and two accents, sRGB hex."""
    trim: str
    room: tuple[str, str]
    material: str
    finish: str
    pattern: str
    pattern_scale: float
    silhouette: str
    motion: str | None
    theme: str
    function: str
    occasion: str
    price: float
    price_level: str
    quality: float
    """Standard normal: moves ratings, not taste."""
    appeal: float
    """Standard normal: how much the shop pushes it (log exposure), not taste."""
    launched: int
    available: bool
    seed: int


_PATTERN_ODDS = (0.19, 0.14, 0.13, 0.12, 0.13, 0.10, 0.10, 0.09)
_FAMILY_ODDS = (0.09, 0.07, 0.08, 0.13, 0.14, 0.07, 0.09, 0.09, 0.08, 0.07, 0.05, 0.04)


def design(config: BoutiqueConfig, brands: tuple[Brand, ...], root: np.random.SeedSequence) -> list[Piece]:
    """Return every product, category by category in turn; each draws from a stream of its own."""
    n_variants = int(config.n_items * config.variant_share)
    n_parents = config.n_items - n_variants
    stocked = CATEGORIES[: config.n_categories]
    names = piece_names(n_parents, len(stocked), np.random.default_rng(root.spawn(1)[0]))
    streams = root.spawn(config.n_items)
    singles = [
        _design(k, stocked[k % len(stocked)], names[k], brands, config, np.random.default_rng(streams[k]))
        for k in range(n_parents)
    ]
    pieces: list[Piece] = []
    for k, piece in enumerate(singles):
        copies = n_variants // n_parents + (k < n_variants % n_parents) if n_parents else 0
        parent = f"p{k + 1:04d}" if copies else None
        used = [piece.colour]
        pieces.append(replace(piece, parent_id=parent))
        for _ in range(copies):
            at = n_parents + len(pieces) - k - 1
            twin = _recolour(piece, used, np.random.default_rng(streams[at]))
            used.append(twin.colour)
            pieces.append(replace(twin, parent_id=parent))
    priced = _with_levels(pieces)
    return [replace(piece, item_id=f"v{k + 1:04d}") for k, piece in enumerate(priced)]


def _choose(rng: np.random.Generator, options: tuple[str, ...], odds: tuple[float, ...] | None = None) -> str:
    if odds is None:
        return options[int(rng.integers(len(options)))]
    edge = np.cumsum(odds)
    return options[int(np.searchsorted(edge / edge[-1], rng.random(), side="right"))]


def _design(
    k: int, category: Category, name: str, brands: tuple[Brand, ...], config: BoutiqueConfig, rng: np.random.Generator
) -> Piece:
    brand = brands[int(_choose(rng, tuple(str(b) for b in range(len(brands))), tuple(b.reach for b in brands)))]
    material, finish = category.materials[int(rng.integers(len(category.materials)))]
    colour = _choose(rng, FAMILIES, _FAMILY_ODDS)
    shade, codes = _dye(colour, rng)
    price = category.price * brand.tier * float(np.exp(rng.normal(0, 0.28)))
    late = rng.random() < config.new_share
    filmed = config.video_share / (1 - config.variant_share)  # variants have no film of their own
    return Piece(
        item_id="", parent_id=None, category=category, name=name, brand=brand,
        colour=colour, shade=shade, codes=codes, trim=trim(rng), room=room(rng),
        material=material, finish=finish,
        pattern=_choose(rng, f.PATTERN_NAMES, _PATTERN_ODDS),
        pattern_scale=float(rng.uniform(0.85, 1.2)),
        silhouette=_choose(rng, f.SILHOUETTES),
        motion=_choose(rng, MOTIONS) if rng.random() < filmed else None,
        theme=brand.theme if rng.random() < 0.45 else _choose(rng, f.THEMES),
        function=_choose(rng, f.FUNCTIONS),
        occasion=_choose(rng, f.OCCASIONS),
        price=_tag(price, rng), price_level="",
        quality=float(rng.normal()), appeal=float(rng.normal()),
        launched=int(rng.integers(2, config.days)) if late else -int(rng.integers(5, 400)),
        available=bool(rng.random() > 0.04),
        seed=int(rng.integers(2**31)),
    )  # fmt: skip


def _recolour(piece: Piece, used: list[str], rng: np.random.Generator) -> Piece:
    """Return a variant: another colour, the rest as it was."""
    left = tuple(family for family in FAMILIES if family not in used) or FAMILIES
    colour = _choose(rng, left)
    shade, codes = _dye(colour, rng)
    return replace(
        piece, colour=colour, shade=shade, codes=codes, appeal=float(0.7 * piece.appeal + 0.7 * rng.normal()),
        available=bool(rng.random() > 0.06), room=room(rng), motion=None,
    )  # fmt: skip


def _dye(colour: str, rng: np.random.Generator) -> tuple[str, tuple[str, str, str]]:
    shade, code = SHADES[colour][int(rng.integers(len(SHADES[colour])))]
    return shade, (code, *accents(code, colour, rng))


def _tag(price: float, rng: np.random.Generator) -> float:
    """Return a price as a shop would write it."""
    if price < 60:
        return round(max(4, int(price)) + (0.90, 0.95, 0.50)[int(rng.integers(3))], 2)
    if price < 200:
        return round(int(price) + (0.00, 0.95)[int(rng.integers(2))], 2)
    return float(int(price / 10) * 10 + 9)


def _with_levels(pieces: list[Piece]) -> list[Piece]:
    """Set the price level: the fifth of its category a price falls in."""
    prices: dict[str, list[float]] = {}
    for piece in pieces:
        prices.setdefault(piece.category.name, []).append(piece.price)
    for peers in prices.values():
        peers.sort()
    levels: list[Piece] = []
    for piece in pieces:
        peers = prices[piece.category.name]
        share = bisect_left(peers, piece.price) / len(peers)
        levels.append(replace(piece, price_level=f.PRICE_LEVELS[min(int(share * 5), 4)]))
    return levels
