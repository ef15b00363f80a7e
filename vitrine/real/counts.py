"""How much there is to do: counted in the store, sampled from files that are here, or as the publisher says."""

from __future__ import annotations

import gzip
import json
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from catalog.errors import ConfigError
from catalog.fetching.amazon_2023 import SIZES
from catalog.media.refs import is_url
from catalog.readers.amazon_files import find_files
from catalog.workspace import Workspace
from vitrine.real.config import RealConfig
from vitrine.real.data import Data, form_of
from vitrine.settings import Settings

How = Literal["counted in the store", "sampled from the files here", "as published"]

KEPT_ITEMS, KEPT_EVENTS = 0.20, 0.35
"""Most that a 5-core leaves of a category: of the published 5-cores Baby_Products keeps 17% of the items and 21% of the
reviews, Books 11% and 32%."""
SAMPLED_ROWS = 2_000
REVIEW_BYTES, PRODUCT_BYTES = 170, 750
"""Of a packed row of the two files of a category, where their sizes cannot be asked for."""
CHARS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Counts:
    """What is to be worked on, after filtering.

    Attributes:
        items: Products.
        events: Rows of the log.
        pictures: That are captioned, not more an item than the settings say.
        videos: Likewise.
        by_url: Of those, how many have to be brought.
        text_tokens: Of an item's text, on average.
        how: Where the figures come from.
        bound: Whether they are upper bounds.
    """

    items: int
    events: int
    pictures: int
    videos: int
    by_url: int
    text_tokens: int
    how: How
    bound: bool


def count(settings: Settings, config: RealConfig, data: Data, *, imported: bool) -> Counts:
    """Return how much there is.

    Args:
        settings: Name the store.
        config: Says what is filtered, and how many pictures and videos of an item are captioned.
        data: What is imported.
        imported: Whether the store holds it already; it is counted then.

    Raises:
        ConfigError: When a folder holds nothing that is known.
    """
    if imported:
        return _stored(settings, config)
    if data.source is not None and not all((data.folder / file.name).is_file() for file in data.source.files):
        size = SIZES[data.category or ""]
        return _bounded(size.items, size.reviews, config, 200, config.pictures, 0, how="as published")
    form = form_of(data.folder)
    if form != "amazon":
        return _tables(data.folder, config)
    files = find_files(data.folder)
    if files.meta is None or files.reviews is None:
        raise ConfigError(f"folder {str(data.folder)!r} lacks the reviews or the products (meta_*) of a category")
    items, shape = _sampled(files.meta)
    events, _ = _sampled(files.reviews)
    images = min(config.pictures, shape.images) if shape.images else 0
    return _bounded(
        items, events, config, shape.tokens, images, min(config.videos, shape.videos),
        how="sampled from the files here",
    )  # fmt: skip


def _bounded(
    items: int, events: int, config: RealConfig, tokens: int, images: float, videos: float, *, how: How
) -> Counts:
    kept = (KEPT_ITEMS, KEPT_EVENTS) if (config.k_core or 0) >= 5 and how == "as published" else (1.0, 1.0)
    left = max(1, round(items * kept[0]))
    pictures, films = round(left * images), round(left * videos)
    return Counts(left, round(events * kept[1]), pictures, films, pictures + films, tokens, how, True)


def _stored(settings: Settings, config: RealConfig) -> Counts:
    """Count the catalogue of the store."""
    workspace = Workspace(settings.store)
    with workspace.reading("catalog") as folder:
        items = pl.read_parquet(folder / "items.parquet")
        events = pl.scan_parquet(folder / "log.parquet").select(pl.len()).collect().item()
    shown = [
        (name, ref)
        for name, most in (("images", config.pictures), ("videos", config.videos))
        for refs in items[name].to_list()
        for ref in (refs or ())[:most]
    ]
    written = sum(
        int(items[name].cast(pl.String).str.len_chars().sum() or 0)
        for name in ("title", "description")
        if name in items.columns
    )
    pictures = sum(name == "images" for name, _ in shown)
    by_url = sum(is_url(ref) for _, ref in shown)
    tokens = max(16, written // CHARS_A_TOKEN // max(1, items.height))
    return Counts(
        items.height, events, pictures, len(shown) - pictures, by_url, tokens, "counted in the store", False
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Shape:
    """Of a product row on average."""

    images: float
    videos: float
    tokens: int


def _sampled(path: Path) -> tuple[int, _Shape]:
    """Return about how many rows a file of JSON lines has, and what its first rows are like."""
    whole = path.stat().st_size
    rows = chars = images = videos = 0
    with path.open("rb") as raw, gzip.open(raw) if path.suffix == ".gz" else nullcontext(raw) as file:
        for line in file:
            rows += 1
            chars += len(line)
            try:
                row = json.loads(line)
                images += len(row.get("images") or ())
                videos += len(row.get("videos") or ())
            except (ValueError, AttributeError, TypeError):
                pass  # rejected, and counted, by the import
            if rows == SAMPLED_ROWS:
                break
        ended = not file.readline()
        read = whole if ended else max(1, raw.tell())
    estimate = rows if ended else round(rows * whole / read)
    each = max(1, rows)
    return max(1, estimate), _Shape(images / each, videos / each, max(16, chars // each // CHARS_A_TOKEN // 3))


def _tables(folder: Path, config: RealConfig) -> Counts:
    """Reckon with plain tables and MMRec's folders by their lines."""

    def lines(*names: str) -> int:
        found = [path for path in folder.iterdir() if path.is_file() and path.name.startswith(names)]
        return sum(_lines(path) for path in found)

    inter = next((path for path in folder.iterdir() if path.suffix == ".inter"), None)
    items = lines("items") or (max(1, _lines(inter) // 10) if inter else 1)
    events = _lines(inter) if inter else lines("interactions")
    shown = folder / "images"
    pictures = min(sum(1 for _ in shown.iterdir()), items * config.pictures) if shown.is_dir() else 0
    return Counts(items, events, pictures, 0, 0, 100, "sampled from the files here", True)


def _lines(path: Path) -> int:
    if path.suffix == ".parquet":
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    return max(1, _sampled(path)[0] - (not path.name.startswith(("meta_",)) and ".jsonl" not in path.name))
