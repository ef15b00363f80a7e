"""How often a query of words, a picture, a film or a mix of them finds the item it was made from.

    python -m bench.crossmodal [--seed 51] [--stores FOLDER] [--items 360] [--queries 120]

Generates a boutique, captions it with `pixels`, embeds it, trains `clip`, `video` and `fusion` on it and indexes it.
Queries are made from items in stock:

- words: a word of the title and the category; voice is the same through a transcriber that hears every word;
- photo: the item's picture as a phone would take it again (turned, cut, darker or lighter, small, JPEG of quality 40);
- frame: one frame of the item's film, as a picture;
- film: the item's film, every second frame, smaller;
- photo + word: the photo and the category; photo + words: the photo and the words.

A cell holds the share of queries whose item, or a variant of it, comes first, and the share where it is among the first
ten with its 95% interval, over the whole pipeline; beside all modalities together each stands alone. These are photos
of items the encoders were trained on: the figures say that the parts work together, not what they are worth on photos
of shoppers.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
from PIL import Image, ImageEnhance

from catalog.errors import NotBuiltError
from catalog.media import MediaLimits, SampledVideo, open_picture, sample_clip
from catalog.nouns import Item
from eval.intervals import bootstrap_interval
from tools.base import Shopper
from tools.crossmodal.config import Modality
from tools.crossmodal.media import MediaQuery
from tools.crossmodal.search import find
from tools.doubles import TOY_NOW
from tools.pipeline.nouns import PipelineRequest
from tools.shop import Shop
from vitrine import jobs
from vitrine.encoders import train_clip_store
from vitrine.fusing import train_fusion_store
from vitrine.settings import Settings, load_settings
from vitrine.videos import generate_marketing, train_video_store
from vitrine.wiring import open_shop

TOP = 10
Making = Callable[[Shop, Item, np.random.Generator], MediaQuery | None]


def prepared(seed: int, items: int, stores: Path) -> Settings:
    """Return the settings of a store that holds the boutique of `seed` with everything trained."""
    size = {"seed": seed, "n_items": items, "n_users": 2 * items, "n_events": 50 * items, "video_share": 0.5}
    clip = {"folds": 0, "epochs": 12, "threads": 1}
    store = stores / f"crossmodal-{seed}-{items}"
    settings = load_settings({"store": str(store), "boutique": size, "encoders": {"clip": clip}})
    print(jobs.generate_boutique(settings), generate_marketing(settings), sep="\n", flush=True)
    print(jobs.caption_store(settings), *train_clip_store(settings), *jobs.embed_store(settings), sep="\n", flush=True)
    print(
        *train_video_store(settings), *train_fusion_store(settings), *jobs.index_store(settings), sep="\n", flush=True
    )
    return settings


def photo(shop: Shop, item: Item, rng: np.random.Generator) -> Image.Image:
    """Return the item's picture as a phone would take it again."""
    picture = open_picture(item.images[0], shop.root, MediaLimits())
    picture = picture.rotate(rng.uniform(-8, 8), Image.Resampling.BICUBIC, fillcolor=picture.getpixel((2, 2)))
    width, height = picture.size
    left, top, right, bottom = rng.uniform(0, 0.1, 4)
    picture = picture.crop((int(left * width), int(top * height), int((1 - right) * width), int((1 - bottom) * height)))
    picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.8, 1.2))
    buffer = io.BytesIO()
    picture.resize((160, 160)).save(buffer, "JPEG", quality=40)
    return Image.open(io.BytesIO(buffer.getvalue())).convert("RGB")


def film(shop: Shop, item: Item) -> SampledVideo | None:
    """Return the item's film as its upload would be, every second frame and smaller; None where it has none."""
    if not item.videos:
        return None
    whole = sample_clip(item.videos[0], shop.root, MediaLimits(), shop.senses.config.budget(2 * shop.senses.frames))
    frames = tuple((at, picture.resize((120, 120))) for at, picture in whole.frames[::2])
    return replace(whole, frames=frames, numbers=whole.numbers[::2])


def words(item: Item, rng: np.random.Generator) -> str:
    """Return a word of the title and the category."""
    said = [word for word in (item.title or "").split() if word.isalpha()]
    return " ".join([*rng.choice(said, min(1, len(said)), replace=False).tolist(), item.categories[-1]])


def _frame(shop: Shop, item: Item, rng: np.random.Generator) -> MediaQuery | None:
    seen = film(shop, item)
    return None if seen is None else MediaQuery(picture=seen.frames[int(rng.integers(len(seen.frames)))][1])


def _film(shop: Shop, item: Item, rng: np.random.Generator) -> MediaQuery | None:
    seen = film(shop, item)
    return None if seen is None else MediaQuery(video=seen)


KINDS: dict[str, Making] = {
    "words (voice)": lambda shop, item, rng: MediaQuery(words(item, rng)),
    "photo": lambda shop, item, rng: MediaQuery(picture=photo(shop, item, rng)),
    "frame": _frame,
    "film": _film,
    "photo + word": lambda shop, item, rng: MediaQuery(item.categories[-1], photo(shop, item, rng)),
    "photo + words": lambda shop, item, rng: MediaQuery(words(item, rng), photo(shop, item, rng)),
}


def places(shop: Shop, asked: Iterable[tuple[Item, MediaQuery]], by: Modality | None = None) -> list[int]:
    """Return at which place, from 1, each query finds its item or a variant of it; 0 for beyond the first ten.

    Queries that `by` cannot answer (a photo has no place among films) are left out.
    """
    places = []
    for item, query in asked:
        found = find(shop, query, PipelineRequest(Shopper(), TOY_NOW, top_n=TOP))
        if by is None or by in found.searched:
            ranked = found.result.ranked
            places.append(next((each.rank for each in ranked if _same(item, shop.catalog[each.item_id])), 0))
    return places


def alone(shop: Shop, modality: Modality) -> Shop:
    """Return the shop as it answers by one modality."""
    weights = {each: float(each == modality) for each in get_args(Modality)}
    config = shop.senses.config.model_copy(update={"weights": weights, "words_see": modality in ("picture", "fused")})
    return replace(shop, senses=replace(shop.senses, config=config))


def _same(item: Item, other: Item) -> bool:
    return item.item_id == other.item_id or (item.parent_id is not None and item.parent_id == other.parent_id)


def _told(found: list[int]) -> str:
    """Return the share of first places, and of the first ten with its interval."""
    if not found:
        return "-"
    ten = bootstrap_interval(np.array([0 < place <= TOP for place in found], np.float64), seed=0)
    return f"{np.mean([place == 1 for place in found]):.2f}, {ten.mean:.2f} [{ten.low:.2f}, {ten.high:.2f}]"


def measured(shop: Shop, count: int, seed: int) -> None:
    """Print the table of one shop."""
    stocked = [item for item in shop.catalog if item.availability is not False and item.images]
    ways: tuple[Modality, ...] = ("caption", "picture", "video", "fused")
    print(f"| query | queries | all | {' | '.join(ways)} | ms |\n|{' --- |' * (len(ways) + 4)}")
    for kind, make in KINDS.items():
        rng = np.random.default_rng(seed)
        drawn = [stocked[row] for row in rng.permutation(len(stocked))]
        made = ((item, make(shop, item, rng)) for item in drawn)
        asked = [(item, query) for item, query in made if query is not None][:count]
        started = time.perf_counter()
        every = places(shop, asked)
        each = 1000 * (time.perf_counter() - started) / max(1, len(asked))
        cells = []
        for way in ways:
            try:
                cells.append("-" if kind.startswith("words") else _told(places(alone(shop, way), asked, way)))
            except NotBuiltError:
                cells.append("-")
        print(f"| {kind} | {len(asked)} | {_told(every)} | {' | '.join(cells)} | {each:.0f} |", flush=True)


def main() -> None:
    """Prepare the store and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=51, help="of the boutique")
    parser.add_argument("--items", type=int, default=360)
    parser.add_argument("--queries", type=int, default=120, help="of each kind")
    parser.add_argument("--stores", type=Path, help="where the store is kept; a temporary folder otherwise")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        settings = prepared(given.seed, given.items, given.stores or Path(temporary))
        measured(open_shop(settings), given.queries, given.seed)


if __name__ == "__main__":
    main()
