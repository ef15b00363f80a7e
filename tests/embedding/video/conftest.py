"""Stores with a few small films, drawn in a second."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from catalog.boutique.drawing.film import FilmStock, write_film
from catalog.columns import IMPRESSIONS
from catalog.log import log_frame
from catalog.marketing import Marketing, MarketingMedia, media_frame, save_marketing
from catalog.nouns import Interaction, Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


def _film(path: Path, colours: list[tuple[int, int, int]], frames: int = 3) -> str:
    """Write a film of one patterned shot a colour, each of `frames` frames, and return its name."""

    def picture(colour: tuple[int, int, int]) -> Image.Image:
        pixels = np.zeros((64, 64, 3), np.uint8)
        pixels[:] = colour
        pixels[16:48, 16:48] = 235
        return Image.fromarray(pixels)

    path.parent.mkdir(parents=True, exist_ok=True)
    stock = FilmStock(64, len(colours) * frames, 4)
    write_film(path, (picture(colour) for colour in colours for _ in range(frames)), stock)
    return path.name


def _shop(root: Path, videos: dict[str, tuple[str, ...]], events: list[Interaction] | None = None) -> Workspace:
    """Save a catalogue of items with these videos and this log."""
    items = [Item(item_id, title=item_id.upper(), videos=each) for item_id, each in videos.items()]
    save_shop(Workspace(root), ShopData.of("shop", items, log_frame(events or [])))
    return Workspace(root)


@pytest.fixture
def store(tmp_path: Path) -> Workspace:
    """Twelve marketing films of six campaigns, red before blue or blue before red; red first is clicked more."""
    media, rows = [], []
    for k in range(12):
        red_first = k % 2 == 0
        tone = 5 * (k // 2)
        shots = [(200, 30 + tone, 30), (30, 30 + tone, 200)]
        name = _film(tmp_path / f"m{k}.mp4", shots if red_first else shots[::-1])
        media.append(MarketingMedia(f"m{k}", name, f"Film {k}", f"campaign {k // 2}", (), NOON))
        rows += [(f"m{k}", f"u{n}", NOON + timedelta(minutes=n), n % 10 < (4 if red_first else 1)) for n in range(100)]
    marketing = Marketing(media_frame(media), pl.DataFrame(rows, schema=IMPRESSIONS, orient="row"))
    save_marketing(Workspace(tmp_path), marketing)
    return Workspace(tmp_path)


@pytest.fixture
def film():
    return _film


@pytest.fixture
def shop():
    return _shop


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def logged() -> list[Interaction]:
    """Impressions and clicks of `v1` and `v2`: a second click, one without an impression, one without a request."""
    rows = [
        ("v1", "u1", "impression", "r1", 0), ("v1", "u1", "click", "r1", 1), ("v1", "u1", "click", "r1", 1),
        ("v1", "u2", "impression", "r2", 2), ("v2", "u2", "impression", "r2", 2), ("v1", "u2", "click", "r9", 3),
        ("v1", "u3", "impression", None, 4), ("v1", "u3", "click", None, 5), ("v2", "u3", "purchase", None, 6),
    ]  # fmt: skip
    return [
        Interaction(f"e{k}", user, item, NOON + timedelta(minutes=minute), kind, session_id=user, request_id=request)
        for k, (item, user, kind, request, minute) in enumerate(rows)
    ]
