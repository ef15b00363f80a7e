"""What makes a generated film be clicked: what it shows, in which order, who sees it, and luck.

Frozen before any model saw a film; do not tune it on one. The parts follow what the advertising literature reports,
their weights are ours:

- `hook`: what the first second shows decides who stays. Long or early marks of the maker drive viewers away, things in
  motion and close-ups hold them (Teixeira, Wedel, Pieters, Moment-to-Moment Optimal Branding in TV Commercials,
  Marketing Science 2010; the same, Emotion-Induced Engagement in Internet Video Advertisements, JMR 2012).
- `reveal`: keeping back what it is about until late (Fazio, Herr, Powell, On the Development and Strength of
  Category-Brand Associations in Memory: The Case of Mystery Ads, Journal of Consumer Psychology 1992).
- `ending`: an advertisement is judged by its peak and its end (Baumgartner, Sujan, Padgett, Patterns of Affective
  Reactions to Advertisements, JMR 1997).
- `pace`: cuts that come faster towards the end, and neither few nor many of them (Lang, Bolls, Potter, Kawahara, The
  Effects of Production Pacing and Arousing Content, Journal of Broadcasting and Electronic Media 1999).
- `composition`: how much of the time something moves, or nothing is to be seen but a card or a room.
- `product`: how well shoppers like what is advertised, on average.
- `luck`: what no frame shows (placement, the music, a rival's sale).
- Who sees it: their own taste in what is advertised, and weariness of a film seen before (Pechmann and Stewart,
  Advertising Repetition, Current Issues and Research in Advertising 1988).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from catalog.boutique.marketing.screenplay import WHOLE, Screenplay, ShotKind
from catalog.boutique.truth import Truth

Values = npt.NDArray[np.float64]

SHARES: Mapping[str, float] = {
    "hook": 0.22, "reveal": 0.12, "ending": 0.10, "pace": 0.06, "composition": 0.20, "product": 0.15, "luck": 0.15,
}  # fmt: skip
"""Weight of each part in the variance between films. The first four are order in time: the same shots in another order
would score otherwise. Parts that go together (a card at the start is a card) make the true shares differ a little."""
ORDER = ("hook", "reveal", "ending", "pace")

BIAS, GAIN, TASTE, WEARINESS = -2.4, 0.7, 0.45, 0.25
"""Log odds of a click = BIAS + GAIN * appeal of the film + TASTE * liking of its products - WEARINESS * times seen."""

_HOOK: Mapping[ShotKind, float] = {"detail": 1.0, "action": 0.8, "hero": 0.0, "set": -0.5, "card": -1.2}
_ENDING: Mapping[ShotKind, float] = {"hero": 1.0, "card": 0.5, "action": 0.2, "detail": -0.6, "set": -0.9}
_SCREEN: Mapping[ShotKind, float] = {"action": 0.8, "hero": 0.3, "detail": 0.2, "card": -0.6, "set": -0.6}
_BEST_CUTS = 0.8
"""Cuts a second that wear nobody out and bore nobody."""


@dataclass(frozen=True, eq=False)
class MarketingTruth:
    """Hidden parts of every film's appeal; only judges may read it.

    Attributes:
        films: One row a film: `media_id`, a standardised column a part of `SHARES`, and `appeal`, their weighted sum.
        shots: One row a shot in order: `media_id`, `kind`, `item_id`, `frames`.
    """

    films: pl.DataFrame
    shots: pl.DataFrame

    def save(self, folder: Path) -> None:
        """Write both tables into an existing folder."""
        self.films.write_parquet(folder / "films.parquet")
        self.shots.write_parquet(folder / "shots.parquet")

    @classmethod
    def load(cls, folder: Path) -> MarketingTruth:
        """Read what `save` wrote."""
        return cls(pl.read_parquet(folder / "films.parquet"), pl.read_parquet(folder / "shots.parquet"))


def make_truth(
    films: Sequence[Screenplay], item_ids: Sequence[str], liking: Values, rate: int, rng: np.random.Generator
) -> MarketingTruth:
    """Return the truth about `films`; `liking` is (n_users, n_items), `rate` frames a second."""
    mean = liking.mean(axis=0)
    parts = {
        "hook": np.array([_first(film, rate, _HOOK) for film in films]),
        "reveal": np.array([_reveal(film) for film in films]),
        "ending": np.array([_last(film, rate, _ENDING) for film in films]),
        "pace": np.array([_pace(film, rate) for film in films]),
        "composition": np.array([_mean(_seen(film), _SCREEN) for film in films]),
        "product": np.array([mean[list(film.pieces)].mean() for film in films]),
        "luck": rng.normal(size=len(films)),
    }
    scored = {name: _standard(values) for name, values in parts.items()}
    appeal = sum(np.sqrt(SHARES[name]) * values for name, values in scored.items())
    table = pl.DataFrame({"media_id": [film.media_id for film in films], **scored, "appeal": appeal})
    shots = [
        {"media_id": film.media_id, "kind": take.kind, "item_id": item_ids[take.piece], "frames": take.frames}
        for film in films
        for take in film.takes
    ]
    return MarketingTruth(table, pl.DataFrame(shots))


def likings(truth: Truth) -> Values:
    """Return every shopper's relevance of every item, (n_users, n_items)."""
    return np.stack([truth.relevance(user) for user in truth.users]).astype(np.float64)


def _seen(film: Screenplay) -> list[ShotKind]:
    """Return the kind of shot of every frame."""
    return [take.kind for take in film.takes for _ in range(take.frames)]


def _mean(kinds: Sequence[ShotKind], worth: Mapping[ShotKind, float]) -> float:
    return float(np.mean([worth[kind] for kind in kinds]))


def _first(film: Screenplay, rate: int, worth: Mapping[ShotKind, float]) -> float:
    return _mean(_seen(film)[:rate], worth)


def _last(film: Screenplay, rate: int, worth: Mapping[ShotKind, float]) -> float:
    return _mean(_seen(film)[-rate:], worth)


def _reveal(film: Screenplay) -> float:
    """Return the share of the film that has passed when the whole product is first seen."""
    seen = _seen(film)
    return next(at for at, kind in enumerate(seen) if kind in WHOLE) / len(seen)


def _pace(film: Screenplay, rate: int) -> float:
    """Return how much the cuts speed up, less a penalty for too few or too many of them."""
    lengths = np.array([take.frames for take in film.takes], float)
    half = len(lengths) // 2
    speeding = float(np.log(lengths[:half].mean() / lengths[-half:].mean()))
    cuts = (len(lengths) - 1) / (film.frames / rate)
    return speeding - 2 * (cuts - _BEST_CUTS) ** 2


def _standard(values: Values) -> Values:
    spread = float(values.std())
    return np.asarray((values - values.mean()) / spread if spread > 1e-9 else np.zeros_like(values))
