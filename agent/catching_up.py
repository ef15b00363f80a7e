"""A conversation goes on over the catalogue as it is now: items have gone since its last turn, records have changed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from agent.base import ShownItem
from agent.handles import HandleBook
from agent.messages import shown_item
from agent.sessions import Session
from catalog.items import Catalog

GONE = "an item that is no longer sold"
"""The title by which a conversation remembers what was deleted: its place in the list stays, nothing else does."""


def catch_up(session: Session, catalog: Catalog) -> None:
    """Let a conversation follow the catalogue.

    What was deleted loses its handle, so that no mind can name it, and is no longer remembered as shown. In the list
    the shopper still sees it keeps its place, or "the third" would be another item than they mean.
    """
    before = session.book.catalog
    if before is catalog:
        return
    gone = session.book.follow(catalog)
    if gone:
        session.shown = tuple(item_id for item_id in session.shown if item_id not in gone)
        session.last_list = tuple(item_id for item_id in session.last_list if item_id not in gone)
        session.pending = {call: tool for call, tool in session.pending.items() if not _names(json.loads(call), gone)}
    from agent.understanding.intent import IntentState

    if isinstance(session.state, IntentState):
        shown = tuple(_as_it_is(item, session.book, catalog) for item in session.state.shown)
        # One that was read back (its book knew no catalogue) may go on paging where its items are as they were.
        same = before is not None and not len(before) and not gone and shown == session.state.shown
        cursor = session.state.cursor if same else None
        session.state = session.state.model_copy(update={"shown": shown, "cursor": cursor})


def _as_it_is(shown: ShownItem, book: HandleBook, catalog: Catalog) -> ShownItem:
    item = catalog.get(book.item(shown.handle) or "")  # a mind that knows items by handle alone has no id in its state
    if item is None:
        return ShownItem(shown.handle, shown.item_id, GONE, None, None, None, (), {})
    return replace(shown_item(shown.handle, item), item_id=shown.item_id)


def _names(value: Any, item_ids: frozenset[str]) -> bool:
    """Whether arguments name one of some items, at any depth."""
    if isinstance(value, dict):
        return any(_names(each, item_ids) for each in value.values())
    if isinstance(value, list):
        return any(_names(each, item_ids) for each in value)
    return value in item_ids
