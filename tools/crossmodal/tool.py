"""`search_by_picture`: cross-modal search as a tool, for agents, REST and MCP."""

# ruff: noqa: D417 -- the `Call` is no argument that a caller gives, so `Args` leaves it out
from __future__ import annotations

from dataclasses import replace
from typing import Any

from PIL import Image

from catalog.errors import MediaError, NotBuiltError, ToolInapplicable, ToolRetry, ToolUnavailable
from catalog.filters import Filters
from catalog.media import open_picture
from tools.answers import answer
from tools.base import ToolResult
from tools.crossmodal.media import MediaQuery, read_picture
from tools.crossmodal.search import Found, find
from tools.item_ids import resolved
from tools.limits import DEFAULT_TOP_N, Text, TopN
from tools.pipeline.nouns import PipelineRequest, Sort
from tools.registry import Call, tool
from tools.vocabulary import spoken


@tool(access="read")
def search_by_picture(
    call: Call,
    picture: str | None = None,
    item_id: str | None = None,
    query: Text | None = None,
    filters: Filters = Filters(),  # noqa: B008  # frozen
    sort: Sort = "relevance",
    top_n: TopN = DEFAULT_TOP_N,
) -> ToolResult:
    """Find items that look like a picture, with words beside it where the shopper says what should differ.

    The picture is one that the shopper sent with this message, a data URL, or that of an item. The answer says what
    each item scored in every way it could be compared.

    Args:
        picture: '1' for the first picture of the shopper's message, '2' for the second, or a data URL of a picture.
        item_id: An item whose own first picture is looked at, in place of `picture`; the item itself is left out.
        query: What it should be like besides, in the shopper's words.
        filters: What every item must satisfy.
        sort: Order of the results; only what resembles the picture well is sorted.
        top_n: Most items to return.
    """
    shop = call.shop
    wanted, unknown = spoken(filters, shop.facets)
    example = None if item_id is None else resolved(shop.catalog, item_id, "item_id")
    if (picture is None) == (example is None):
        raise ToolRetry("'picture' or 'item_id' is needed, and not both")
    request = PipelineRequest(
        call.context.shopper, call.context.now, filters=wanted, sort=sort, top_n=top_n,
        exclude=() if example is None else (example,),
    )  # fmt: skip
    try:
        with shop.senses.turn():
            image = _of_item(call, example) if example is not None else _of_shopper(call, picture or "")
            found = find(shop, MediaQuery((query or "").strip() or None, image), request)
    except NotBuiltError as error:
        raise ToolUnavailable(str(error)) from error
    return _told(answer("search_by_picture", found.request, found.result, unknown=unknown), found)


def _of_shopper(call: Call, written: str) -> Image.Image:
    """Return the picture that is meant: one of the shopper's message by its number, else a data URL."""
    sent = call.context.pictures
    number = written.strip().lstrip("#")
    if number.isascii() and number.isdigit() and len(number) < 4:
        if not 1 <= int(number) <= len(sent):
            valid = f"1 to {len(sent)}" if sent else "a data URL, since no picture came with the message,"
            raise ToolRetry(f"'picture' is {written!r}; {valid} would be valid")
        written = sent[int(number) - 1]
    try:
        return read_picture(call.shop.senses, written)
    except MediaError as error:
        raise ToolRetry(f"'picture' {error}") from error


def _of_item(call: Call, item_id: str) -> Image.Image:
    images = call.shop.catalog[item_id].images
    if not images:
        raise ToolInapplicable(f"item {item_id!r} has no picture; similar_items may do")
    try:
        return open_picture(images[0], call.shop.root, call.shop.senses.config.limits())
    except MediaError as error:
        raise ToolInapplicable(f"the picture of item {item_id!r} cannot be opened; similar_items may do") from error


def _told(result: ToolResult, found: Found) -> ToolResult:
    """Return the answer with what was made of the picture, and every item's scores by modality."""
    scores = {item_id: {name: value for name, value in own.items() if value is not None}
              for item_id, own in found.scores.items()}  # fmt: skip
    facts: dict[str, Any] = {**result.facts, "searched": dict(found.searched), "modalities": scores}
    if found.wish.seen:
        facts["seen"] = found.wish.seen
    if found.wish.left_out:
        facts["left_out"] = list(found.wish.left_out)
    ranked = [{**each, "modalities": scores.get(each["item_id"], {})} for each in result.trace["ranked"]]
    return replace(result, facts=facts, trace={**result.trace, "ranked": ranked})
