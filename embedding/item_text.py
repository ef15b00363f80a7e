"""`item_text`: the one template that turns an item into the text an embedder reads."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

from catalog.errors import ConfigError, did_you_mean
from catalog.nouns import Caption, Item
from embedding.tokens import TokenCounter

Part = Literal["title", "brand", "categories", "attributes", "captions", "description", "reviews"]
PARTS: tuple[Part, ...] = get_args(Part)

TEMPLATE = 2
"""Version of the template; stands in content keys, so that a change re-embeds everything."""

CATALOGUE_PARTS: tuple[Part, ...] = ("title", "brand", "categories", "attributes", "description")
"""What the shop wrote. Captions have a space of their own."""

SHARES: Mapping[Part, int] = {
    "title": 4, "brand": 1, "categories": 2, "attributes": 3, "captions": 4, "description": 3, "reviews": 2,
}  # fmt: skip
"""How a budget that does not hold everything is divided; what a part does not need goes to the others."""

_SEPARATOR = ". "
_FAR = 8
"""Characters a token: a text of more than this many times its budget does not fit, and is not counted to its end."""
_STEERING = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]+"
)
_ENDED = re.compile(r"([。！？]|[.!?…][\"”’)\]]*)$")
_SENTENCE_END = re.compile(r"[。！？]|[.!?…][\"”’)\]]*(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Fitted:
    """An item's text within a budget, and whether something had to be left out."""

    text: str
    cut: bool


def item_text(
    item: Item,
    captions: Sequence[Caption] = (),
    reviews: Sequence[str] = (),
    *,
    parts: tuple[Part, ...] = CATALOGUE_PARTS,
    budget_chars: int = 2000,
    counter: TokenCounter | None = None,
) -> str:
    """Return the item's text: its parts in their fixed order, as sentences divided by ". ".

    Title and brand come first, then categories (comma separated), attributes (`name: value, value`,
    comma separated), captions, description, and what shoppers wrote. Parts the item lacks leave no trace; ""
    when it has none of them.

    Args:
        item: The item.
        captions: Its captions; the same sentence twice (two alike pictures) counts once, those of one video stand in
            order of time, those of a frame behind its time (`0:07 It opens.`).
        reviews: What shoppers wrote of it, chosen and in order.
        parts: Which parts; their order in the text is always that of `PARTS`.
        budget_chars: Most characters, where there is no `counter`.
        counter: Counts tokens; its `limit` is then the budget.

    Raises:
        ConfigError: When a part is unknown.

    Example:
        >>> item_text(Item("1", title="Mug", categories=("Kitchen", "Mugs"), description="Holds tea."))
        'Mug. Kitchen, Mugs. Holds tea.'
    """
    return fit(item_parts(item, captions, reviews, parts=parts), budget_chars=budget_chars, counter=counter).text


def item_parts(
    item: Item,
    captions: Sequence[Caption] = (),
    reviews: Sequence[str] = (),
    *,
    parts: tuple[Part, ...] = CATALOGUE_PARTS,
) -> dict[Part, str]:
    """Return the parts the item has, whole, in the order of `PARTS`; see `item_text`.

    Control characters and marks that steer the direction of writing are gone, blanks are single.

    Raises:
        ConfigError: When a part is unknown.
    """
    for part in parts:
        if part not in PARTS:
            raise ConfigError(f"unknown part {part!r} of an item's text. {did_you_mean(part, list(PARTS))}")
    attributes = ", ".join(
        f"{name.replace('_', ' ')}: {', '.join(values)}" for name, values in item.attributes.items() if values
    )
    said: dict[Part, str | None] = {
        "title": item.title,
        "brand": item.brand,
        "categories": ", ".join(item.categories),
        "attributes": attributes,
        "captions": " ".join(told(captions)),
        "description": item.description,
        "reviews": sentences(reviews),
    }
    return {part: text for part in PARTS if part in parts and (text := plain(said[part] or ""))}


def fit(parts: Mapping[Part, str], *, budget_chars: int = 2000, counter: TokenCounter | None = None) -> Fitted:
    """Return the parts as one text within the budget.

    What does not fit is divided by `SHARES`: a part shorter than its share is whole, and what it leaves goes to
    the others, so that a long description never takes the place of captions. Captions, descriptions and reviews
    end at a sentence where that keeps half of their share, everything else between words.
    """
    limit = counter.limit if counter is not None else budget_chars
    whole = _joined(parts.values())
    if _fits(whole, limit, counter):
        return Fitted(whole, cut=False)
    if counter is not None:
        parts = {part: text[: _FAR * limit] for part, text in parts.items()}
    between = _size(_SEPARATOR, counter) * (len(parts) - 1)
    sizes = {part: _size(text, counter) for part, text in parts.items()}
    rooms = _divided(sizes, max(1, limit - between))
    kept = {
        part: text if sizes[part] <= rooms[part] else cut_text(text, rooms[part], counter, sentence=part in _PROSE)
        for part, text in parts.items()
    }
    # Tokens of the whole need not be the sum of the parts' tokens: the last word gives way.
    return Fitted(cut_text(_joined(text for text in kept.values() if text), limit, counter), cut=True)


_PROSE: frozenset[Part] = frozenset({"captions", "description", "reviews"})


def cut_text(text: str, limit: int, counter: TokenCounter | None = None, *, sentence: bool = False) -> str:
    """Return `text` up to the last word that fits, or the last sentence where that keeps half of what fits.

    A first word that does not fit by itself is cut between characters.
    """
    if _fits(text, limit, counter):
        return text
    end = limit if counter is None else counter.end(text[: _FAR * limit], limit)
    head = _words(text, end)
    # Tokens of a head need not be the first tokens of the whole.
    while head and not _fits(head, limit, counter):
        head = _words(head, len(head) - 1)
    if sentence:
        stops = [match.end() for match in _SENTENCE_END.finditer(head) if 2 * match.end() >= len(head)]
        head = head[: stops[-1]] if stops else head
    return head


def in_time(captions: Sequence[Caption]) -> list[Caption]:
    """Return captions by medium, in the order media are given, and within one in order of time."""
    place = {media: at for at, media in enumerate(dict.fromkeys(caption.media for caption in captions))}
    return sorted(captions, key=lambda c: (place[c.media], -1.0 if c.frame_time is None else c.frame_time))


def told(captions: Sequence[Caption]) -> list[str]:
    """Return captions `in_time` as sentences, those of a frame behind its time; a sentence said before is left out.

    Example:
        >>> made = ("model", "prompt", "media")
        >>> told([Caption("1", "a.mp4", "A bag.", *made), Caption("1", "a.mp4", "A bag. It opens", *made, 7.2)])
        ['A bag.', '0:07 It opens.']
    """
    said: dict[str, None] = {}
    texts = []
    for caption in in_time(captions):
        new = [each for each in _split(plain(caption.text)) if each not in said]
        said.update(dict.fromkeys(new))
        if new:
            text = " ".join(dict.fromkeys(new))
            texts.append(text if caption.frame_time is None else f"{_clock(caption.frame_time)} {text}")
    return texts


def _split(text: str) -> list[str]:
    """Return the sentences of a text, each with its end."""
    ends = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    each = [text[a:b].strip() for a, b in pairwise(ends)]
    return [_ended(part) for part in each if part]


def _ended(text: str) -> str:
    return text if _ENDED.search(text) else f"{text}."


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def sentences(texts: Sequence[str]) -> str:
    """Return texts as sentences behind each other, each once.

    Example:
        >>> sentences(["Fits well", "Blue!", "Fits well"])
        'Fits well. Blue!'
    """
    each = dict.fromkeys(clean for text in texts if (clean := plain(text)))
    return " ".join(map(_ended, each))


def plain(text: str) -> str:
    """Return `text` in one line, without control characters."""
    return " ".join((text if text.isprintable() else _STEERING.sub("", text)).split())


def _joined(texts: object) -> str:
    each = [str(text) for text in texts]  # type: ignore[attr-defined]  # any iterable of strings
    return _SEPARATOR.join(s.rstrip(".") if at < len(each) - 1 else s for at, s in enumerate(each))


def _divided(sizes: Mapping[Part, int], room: int) -> dict[Part, int]:
    """Return how much of `room` each part gets: max-min fair by `SHARES`."""
    given: dict[Part, int] = {}
    waiting = dict(sizes)
    while waiting:
        total = sum(SHARES[part] for part in waiting)
        shares = {part: room * SHARES[part] // total for part in waiting}
        content = {part: size for part, size in waiting.items() if size <= shares[part]}
        if not content:
            return given | shares
        given |= content
        room -= sum(content.values())
        waiting = {part: size for part, size in waiting.items() if part not in content}
    return given


def _size(text: str, counter: TokenCounter | None) -> int:
    return len(text) if counter is None else counter.count(text)


def _fits(text: str, limit: int, counter: TokenCounter | None) -> bool:
    if counter is None:
        return len(text) <= limit
    return counter.at_most(text) <= limit or (len(text) <= _FAR * limit and counter.count(text) <= limit)


def _words(text: str, end: int) -> str:
    """Return the whole words of `text` before `end`; of a first word that goes on, its beginning."""
    head = text[:end]
    if end < len(text) and not text[end].isspace() and not head[-1:].isspace():
        head = head.rsplit(None, 1)[0] if any(map(str.isspace, head)) else head
    return head.rstrip()
