"""`vitrine find`: a query of words, picture, voice and film over the open shop, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from agent.money import price_text
from catalog.errors import ConfigError, MediaError, NotBuiltError, VitrineError
from catalog.filters import Filters
from catalog.plain_text import one_line
from tools.base import Shopper
from tools.crossmodal.config import Modality
from tools.crossmodal.media import MediaQuery, read_query
from tools.crossmodal.search import Found, find
from tools.crossmodal.senses import Sense, Senses
from tools.pipeline.nouns import PipelineRequest
from tools.shop import Shop
from tools.vocabulary import spoken
from vitrine.settings import Settings

MODALITIES: tuple[Modality, ...] = get_args(Modality)
TITLE = 34
KINDS = {"picture": "picture", "voice": "recording", "video": "film"}
"""What an option's file is, in words."""
OPENED = {
    "pictures": "the picture-text model", "captioner": "the captioner", "transcriber": "the speech model",
    "films": "the video encoder", "fusion": "the fusion encoder",
}  # fmt: skip
"""Parts of `Senses` by what a person calls them."""


@dataclass(frozen=True)
class Wanted:
    """What the command line asks for."""

    text: str | None = None
    picture: Path | None = None
    voice: Path | None = None
    video: Path | None = None
    filters: Filters = field(default_factory=Filters)
    user_id: str | None = None
    top_n: int = 10


def read_wanted(settings: Settings, wanted: Wanted) -> MediaQuery:
    """Check what is asked for and decode its files; nothing of the shop and no model is opened for that.

    Raises:
        ConfigError: When nothing is asked for, or a file is none.
        MediaError: When a file is another medium than its option says, or cannot be decoded; the text names the option.
        NotBuiltError: When there is a voice, and no speech model is configured.
    """
    media = {"picture": wanted.picture, "voice": wanted.voice, "video": wanted.video}
    if not (wanted.text or "").strip() and not any(media.values()):
        raise ConfigError("nothing is looked for: words, --picture, --voice or --video would be valid")
    for name, path in media.items():
        if path is not None and not path.is_file():
            why = "is no file" if path.exists() else "does not exist"
            raise ConfigError(f"--{name} {str(path)!r} {why}; the path of a {KINDS[name]} would be valid")
    if wanted.voice is not None and settings.speech.transcriber == "none":
        from captioning.speech.config import make_transcriber

        try:
            make_transcriber(settings.speech)
        except VitrineError as error:
            raise NotBuiltError(f"voice: {error}") from error
    senses = Senses(config=settings.crossmodal, frames=settings.encoders.video.frames.frames)
    parts: dict[str, Any] = {}
    for name, path in media.items():
        if path is not None:
            try:
                part: dict[str, Any] = {name: path}
                parts[name] = getattr(read_query(senses, **part), name)
            except MediaError as error:
                told = str(error)
                raise MediaError(told if str(path) in told else f"--{name} {str(path)!r} {told}") from error
    return MediaQuery((wanted.text or "").strip() or None, **parts)


def find_in(shop: Shop, wanted: Wanted, query: MediaQuery, tell: Callable[[str], None] = lambda _: None) -> Found:
    """Search the open shop.

    Args:
        shop: Where.
        wanted: Filters, shopper and how many.
        query: As `read_wanted` gave it.
        tell: Given the name of each model before it is opened.

    Raises:
        MediaError: When nobody is heard in a voice.
        NotBuiltError: When nothing here can look at one of the media.
        ToolRetry: When a filter names an attribute that no item has.
    """
    filters, _ = spoken(wanted.filters, shop.facets)
    request = PipelineRequest(Shopper(wanted.user_id), datetime.now(UTC), filters=filters, top_n=wanted.top_n)
    return find(replace(shop, senses=_telling(shop.senses, tell)), query, request)


def _telling(senses: Senses, tell: Callable[[str], None]) -> Senses:
    """Return the senses saying what they open before they do."""

    def told(name: str, sense: Sense[Any]) -> Sense[Any]:
        def opened() -> Any:
            tell(f"opening {name}")
            return sense.get()

        return Sense(opened)

    parts: dict[str, Any] = {part: told(name, getattr(senses, part)) for part, name in OPENED.items()}
    return replace(senses, **parts)


def found_text(shop: Shop, found: Found) -> str:
    """Return the results as a table with a column a modality, and what was made of the query above it."""
    lines = []
    if found.wish.heard:
        lines.append(f"heard: {one_line(found.wish.heard)}")
    if found.wish.seen:
        lines.append(f"seen: {one_line(found.wish.seen)}")
    lines += [f"left out: {one_line(each)}" for each in found.wish.left_out]
    if not found.result.ranked:
        return "\n".join([*lines, "Nothing in the shop fits that."])
    if found.result.nearest:
        lines.append("Nothing fits in every way; these come nearest.")
    asked = [modality for modality in MODALITIES if modality in found.searched]
    ids = max(len(each.item_id) for each in found.result.ranked)
    names = "".join(f"{name:>9}" for name in asked)
    lines.append(f"{'':>3}  {'item':<{ids}}  {'title':<{TITLE}}  {'price':>12}{names}")
    for each in found.result.ranked:
        item, scores = shop.catalog[each.item_id], found.scores[each.item_id]
        title = one_line(item.title or item.item_id)
        cells = "".join(f"{_score(scores.get(name)):>9}" for name in asked)
        price = price_text(item.price, item.currency) or "-"
        cut = title if len(title) <= TITLE else f"{title[: TITLE - 1]}…"
        lines.append(f"{each.rank:>3}  {each.item_id:<{ids}}  {cut:<{TITLE}}  {price:>12}{cells}")
    return "\n".join(lines)


def found_json(shop: Shop, found: Found) -> str:
    """Return the results as JSON; scores by modality, null where an item has nothing to compare."""
    items: list[dict[str, Any]] = []
    for each in found.result.ranked:
        item, scores = shop.catalog[each.item_id], found.scores[each.item_id]
        items.append(
            {
                "rank": each.rank, "item_id": each.item_id, "title": item.title, "price": item.price,
                "currency": item.currency, "score": round(each.score, 6), "modalities": dict(scores),
            }
        )  # fmt: skip
    told = {
        "total": found.result.total,
        "nearest": found.result.nearest,
        "blocking": found.result.blocking.as_fact() if found.result.blocking else None,
        "searched": dict(found.searched),
        "heard": found.wish.heard,
        "seen": found.wish.seen,
        "left_out": list(found.wish.left_out),
        "items": items,
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def _score(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
