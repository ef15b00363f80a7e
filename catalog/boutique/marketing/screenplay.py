"""`Screenplay`: what a marketing film shows, shot by shot, before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

import numpy as np

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.marketing.config import MarketingConfig
from catalog.boutique.pieces import Piece
from catalog.boutique.sessions import LAST_DAY

ShotKind = Literal["card", "set", "detail", "hero", "action"]
"""The maker's card, the empty room, a close-up, the whole product, the whole product in motion."""

KINDS: tuple[ShotKind, ...] = get_args(ShotKind)
WHOLE: frozenset[ShotKind] = frozenset({"hero", "action"})
"""Shots that show what the product is."""

CREATIVES = 3
"""Films of one campaign: the same products, told in different ways."""

_ODDS = (0.16, 0.14, 0.25, 0.25, 0.20)
_WORDS = (
    "Made for {day}", "Look closer", "New this season", "The {noun}, up close", "Something for {day}",
    "Meet the {noun}", "One more thing for {day}", "Small pleasures", "Back in store", "Worth a second look",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Take:
    """One shot of a film: its kind, the row of the piece it shows, and its frames."""

    kind: ShotKind
    piece: int
    frames: int


@dataclass(frozen=True, slots=True)
class Screenplay:
    """One film on paper.

    Attributes:
        media_id: E.g. `m0007`.
        title: What the shop calls it; it says nothing about how the film is told.
        campaign: Shared by the creatives of one campaign.
        pieces: Rows of the pieces it advertises, the first its main one.
        takes: Its shots in order.
        published_at: When it was first shown; aware UTC.
        seed: Of small things: where a close-up looks, which mark the card carries.
    """

    media_id: str
    title: str
    campaign: str
    pieces: tuple[int, ...]
    takes: tuple[Take, ...]
    published_at: datetime
    seed: int

    @property
    def frames(self) -> int:
        """Frames in all."""
        return sum(take.frames for take in self.takes)


def write_all(
    pieces: list[Piece], shop: BoutiqueConfig, config: MarketingConfig, rng: np.random.Generator
) -> list[Screenplay]:
    """Return the screenplays of all films. What is shown and in which order are drawn apart from each other."""
    films: list[Screenplay] = []
    first_day = LAST_DAY - timedelta(days=shop.days - 1)
    while len(films) < config.n_films:
        number = len(films) // CREATIVES + 1
        shown = tuple(rng.choice(len(pieces), size=int(rng.integers(1, 4)), replace=False).tolist())
        # At least two weeks are left to be seen in.
        opened = first_day + timedelta(days=int(rng.integers(max(shop.days - 13, 1))), hours=9)
        for creative in range(min(CREATIVES, config.n_films - len(films))):
            films.append(
                Screenplay(
                    f"m{len(films) + 1:04d}",
                    _title(pieces[shown[0]], rng),
                    f"campaign {number:03d}",
                    shown,
                    _takes(shown, config, rng),
                    opened + timedelta(days=creative % 2),
                    int(rng.integers(2**31)),
                )
            )
    return films


def _title(piece: Piece, rng: np.random.Generator) -> str:
    words = _WORDS[int(rng.integers(len(_WORDS)))]
    return f"{piece.brand.name}: {words.format(day=piece.occasion, noun=piece.category.nouns[0])}"


def _takes(shown: tuple[int, ...], config: MarketingConfig, rng: np.random.Generator) -> tuple[Take, ...]:
    count = int(rng.integers(3, 8))
    kinds = [KINDS[int(k)] for k in rng.choice(len(KINDS), size=count, p=_ODDS)]
    if not WHOLE & set(kinds):
        kinds[0] = "hero" if rng.random() < 0.5 else "action"
    order = rng.permutation(count)
    seconds = float(rng.uniform(4, 6))
    # Shots grow shorter, longer, or neither, each with some unevenness; half a second is the shortest.
    drift = float(rng.normal(0, 0.5))
    weight = np.exp(drift * np.linspace(0.5, -0.5, count) + rng.normal(0, 0.25, count))
    least = max(2, round(config.rate / 2))
    spare = max(round(seconds * config.rate) - least * count, 0)
    extra = np.floor(spare * weight / weight.sum()).astype(int)
    return tuple(
        Take(kinds[int(at)], shown[k % len(shown)], least + int(more))
        for k, (at, more) in enumerate(zip(order, extra, strict=True))
    )
