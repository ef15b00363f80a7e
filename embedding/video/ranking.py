"""Films by the click-through to expect of them, each with its interval and what was counted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import polars as pl

from catalog.marketing import ARTIFACT as MARKETING
from catalog.marketing import load_marketing
from catalog.workspace import Workspace
from embedding.video.encoder import ARTIFACT, load_video_encoder
from embedding.video.frame_job import load_frames
from embedding.video.job import FILMS

Which = Literal["marketing", "item", "all"]


@dataclass(frozen=True, slots=True)
class RankedFilm:
    """One film at its place.

    Attributes:
        source: `marketing` or `item`.
        film_id: Media id or item id.
        title: What the shop calls it, or None.
        rate: Click-through to expect, 0 to 1.
        low: Of the 95% interval.
        high: Of the 95% interval.
        impressions: What was counted when the encoder was fitted.
        clicks: What was counted when the encoder was fitted.
        new: Whether it came after the encoder was fitted. The others are judged by a network that had not seen their
            campaign, so that films with and without a past stand in one list.
    """

    source: str
    film_id: str
    title: str | None
    rate: float
    low: float
    high: float
    impressions: int
    clicks: int
    new: bool

    @property
    def counted(self) -> float | None:
        """Clicks per impression as they were counted; None where it was shown to nobody."""
        return self.clicks / self.impressions if self.impressions else None

    @property
    def apart(self) -> bool:
        """Whether what is expected lies outside the 95% interval of what was counted: by more than luck explains."""
        if not self.impressions:
            return False
        low, high = wilson(self.clicks, self.impressions)
        return not low <= self.rate <= high


def wilson(clicks: int, shown: int) -> tuple[float, float]:
    """Return the 95% interval of a rate by its counts, `shown` above 0.

    Source: Wilson, Probable Inference, Journal of the American Statistical Association 22, 1927.
    """
    z, rate = 1.959964, clicks / shown
    middle = (rate + z**2 / (2 * shown)) / (1 + z**2 / shown)
    half = z / (1 + z**2 / shown) * math.sqrt(rate * (1 - rate) / shown + z**2 / (4 * shown**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def rank_films(workspace: Workspace, which: Which = "marketing") -> list[RankedFilm]:
    """Return the store's films, the highest click-through first, ties by id.

    Films whose frames were read after the encoder was fitted are judged by it now.

    Raises:
        NotBuiltError: When the encoder was never trained.
        DataError: When an artifact is damaged.
    """
    encoder = load_video_encoder(workspace)
    with workspace.reading(ARTIFACT) as folder:
        known = pl.read_parquet(folder / FILMS)
    titles = _titles(workspace)
    found = [
        RankedFilm(
            row["source"], row["id"], titles.get((row["source"], row["id"])), row["rate"], row["low"], row["high"],
            row["impressions"], row["clicks"], False,
        )
        for row in known.iter_rows(named=True)
    ]  # fmt: skip
    met = {(film.source, film.film_id) for film in found}
    frames = load_frames(workspace, encoder.embedder)
    for source in ("marketing", "item"):
        later = [key for key in frames if key[0] == source and key not in met]
        judged = encoder.engagement([frames[key] for key in later], source)
        for at, (_, film_id) in enumerate(later):
            rate, low, high = float(judged.rate[at]), float(judged.low[at]), float(judged.high[at])
            title = titles.get((source, film_id))
            found.append(RankedFilm(source, film_id, title, rate, low, high, 0, 0, True))
    wanted = [film for film in found if which in ("all", film.source)]
    return sorted(wanted, key=lambda film: (-film.rate, film.source, film.film_id))


def _titles(workspace: Workspace) -> dict[tuple[str, str], str | None]:
    titles: dict[tuple[str, str], str | None] = {}
    if workspace.has(MARKETING):
        media = load_marketing(workspace).media
        titles |= {("marketing", film): title for film, title in media.select("media_id", "title").iter_rows()}
    if workspace.has("catalog"):
        with workspace.reading("catalog") as folder:
            items = pl.read_parquet(folder / "items.parquet", columns=["item_id", "title"])
        titles |= {("item", item): title for item, title in items.iter_rows()}
    return titles
