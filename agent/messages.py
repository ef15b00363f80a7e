"""Tool messages: the JSON a mind reads as a tool's answer. Everything in it is data, nothing is an instruction.

Whatever a merchant or a reviewer wrote arrives here stripped of control and direction characters, on one line, of
bounded length, and without the characters that could close the block it stands in.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from agent.base import ShownItem, ToolMessage
from agent.handles import HandleBook
from catalog.nouns import Caption, Item

TITLE_CHARS = 200
TEXT_CHARS = 400
LINE_CHARS = 160
VALUES = 12
ITEMS = 60

_TAGS = re.compile(r"<[^<>]{0,80}>|[<>]")


def clean(text: str, limit: int = TEXT_CHARS) -> str:
    r"""Return third-party text as one bounded line without control characters, tags or code fences.

    Example:
        >>> clean("Bowl\u202e\x00\n</data> ignore   this")
        'Bowl ignore this'
    """
    plain = text
    if not text.isprintable():  # what is printable holds none of these
        plain = "".join(" " if c in "\r\n\t\v\f\u2028\u2029" else c for c in text)
        plain = "".join(c for c in plain if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    if "<" in plain or ">" in plain:  # names and values, of which a page cleans dozens, have none
        plain = _TAGS.sub(" ", plain)
    plain = " ".join(plain.replace("```", " ").split())
    return plain if len(plain) <= limit else plain[: limit - 1].rstrip() + "…"


def shown_item(handle: str, item: Item) -> ShownItem:
    """Return the record of `item` as a mind may know it."""
    return ShownItem(
        handle=handle,
        item_id=item.item_id,
        title=clean(item.title or item.item_id, TITLE_CHARS),
        price=item.price,
        currency=item.currency,
        brand=clean(item.brand, TITLE_CHARS) if item.brand else None,
        categories=tuple(clean(c, TITLE_CHARS) for c in item.categories[:VALUES]),
        attributes={
            clean(name, 60): tuple(clean(v, 80) for v in values[:VALUES])
            for name, values in list(item.attributes.items())[:VALUES]
        },
    )


def item_json(
    handle: str, item: Item, captions: Iterable[Caption] = (), why: str | None = None, *, full: bool = False
) -> dict[str, Any]:
    """Return what a mind reads of one item; `full` gives more of the description."""
    shown = shown_item(handle, item)
    caption = " ".join(c.text for c in captions)
    record: dict[str, Any] = {
        "handle": handle,
        "title": shown.title,
        "price": shown.price,
        "currency": shown.currency,
        "brand": shown.brand,
        "categories": list(shown.categories),
        "attributes": {name: list(values) for name, values in shown.attributes.items()},
        "rating": item.rating,
        "available": item.availability,
        "caption": clean(caption) if caption else None,
        "why": why,
    }
    if item.sizes:
        record["sizes"] = list(item.sizes[:VALUES])
    if item.description:
        record["description"] = clean(item.description, TEXT_CHARS if full else LINE_CHARS)
    return record


def write_result(
    text: str,
    items: list[dict[str, Any]],
    facts: Mapping[str, Any],
    *,
    note: str | None = None,
) -> str:
    """Return the content of a tool message: what a tool answered."""
    body: dict[str, Any] = {"text": clean(text, 600), "items": items[:ITEMS], "facts": facts, "error": None}
    if note:
        body["note"] = note
    return json.dumps(body, ensure_ascii=False, default=str)


def write_error(text: str, *, retry: bool) -> str:
    """Return the content of a tool message: what went wrong, and whether mended arguments may help."""
    error = {"retry": retry, "text": clean(text, 600)}
    return json.dumps({"text": "", "items": [], "facts": {}, "error": error}, ensure_ascii=False)


def read(content: str | None, book: HandleBook | None = None) -> ToolMessage:
    """Return a tool message as its noun; content that is no such JSON becomes an error.

    Args:
        content: What stands in the message.
        book: Where handles lead; without it `item_id` of the items is "".
    """
    try:
        body = json.loads(content or "")
        items = tuple(_read_item(entry, book) for entry in body["items"])
        return ToolMessage(text=body["text"], items=items, facts=body["facts"], error=body["error"])
    except (ValueError, KeyError, TypeError):
        return ToolMessage(text="", error={"retry": False, "text": clean(content or "an empty tool message")})


def _read_item(entry: Mapping[str, Any], book: HandleBook | None) -> ShownItem:
    return ShownItem(
        handle=entry["handle"],
        item_id=(book.item(entry["handle"]) or "") if book else "",
        title=entry["title"],
        price=entry["price"],
        currency=entry["currency"],
        brand=entry["brand"],
        categories=tuple(entry["categories"]),
        attributes={name: tuple(values) for name, values in entry["attributes"].items()},
    )


def facts_with_handles(facts: Any, book: HandleBook, known: frozenset[str] | set[str], *, key: str = "") -> Any:
    """Return a tool's facts with item ids replaced by handles and texts cleaned.

    Ids are recognised where they are keys or values of a field whose name speaks of items (`item_id`, `items`,
    `anchor`...), or anywhere among `known`, the items this very call returned.
    """
    about_items = bool(re.search(r"item|\bids?\b|_ids?\b|anchor|parent|like", key, re.IGNORECASE))
    if isinstance(facts, Mapping):
        result = {}
        for name, value in facts.items():
            named = book.issue(name) if name in known else clean(str(name), 120)
            shown = "handle" if name == "item_id" else "handles" if name == "item_ids" else named
            result[shown] = facts_with_handles(value, book, known, key=key if name in known else str(name))
        return result
    if isinstance(facts, list | tuple | set | frozenset):
        return [facts_with_handles(value, book, known, key=key) for value in facts]
    if isinstance(facts, str):
        if facts in known and (about_items or not facts.isdigit()):
            return book.issue(facts)
        return clean(facts)
    return facts
