"""What a conversation hands on from turn to turn, and how a mind reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from agent.base import PastMessage, ShownItem
from agent.messages import clean, shown_item
from agent.sessions import Said, Session, ToolRound
from catalog.items import Catalog
from catalog.nouns import NEGATIVE_KINDS, Interaction

SHOWN = 200
"""Shown items a conversation remembers; the earliest are forgotten first."""

SHOWN_TO_MIND = 10
"""Items of one past answer a mind reads again."""


def take_in(session: Session, history: Sequence[PastMessage], catalog: Catalog) -> None:
    """Let a new session begin with the conversation a client brings along; items it echoes get handles."""
    for past in history:
        known = tuple(dict.fromkeys(i for i in past.item_ids if i in catalog))
        _show(session, known)
        session.said.append(Said(past.role, past.text, clean(past.text, 2000), known))


def remember(
    session: Session,
    message: str,
    text: str,
    handled: str,
    shown: tuple[str, ...],
    limit: int,
    *,
    heard: str | None = None,
    rounds: tuple[ToolRound, ...] = (),
) -> None:
    """Keep a turn.

    Args:
        session: Where.
        message: What the shopper said.
        text: What they were answered.
        handled: The same as a mind remembers it, with handles.
        shown: Items of the answer, best first.
        limit: Messages to keep.
        heard: What an LLM was given as the message; None where none was asked.
        rounds: What it asked of tools.
    """
    _show(session, shown)
    session.said.append(Said("user", message, clean(message, 4000) if heard is None else heard))
    session.said.append(Said("assistant", text, handled, shown, rounds))
    gone = max(len(session.said) - limit, 0)
    session.unread = max(session.unread - gone, 0)
    del session.said[:gone]


def history_of(session: Session, catalog: Catalog, limit: int, chars: int) -> list[Said]:
    """Return past messages as a mind reads them, `handled` with what was shown beside it as data.

    From turn to turn they only grow, so that a server which keeps what it has read need not read it again. When they
    grow too long, about half goes at once: first what tools answered, then whole messages, the earliest first.

    Args:
        session: The conversation.
        catalog: Its shop's records.
        limit: Most messages.
        chars: Most characters in all.
    """
    read = [_read(session, catalog, said) for said in session.said[session.unread :]]
    if len(read) <= limit and _chars(read) <= chars:
        return read
    for place, said in enumerate(session.said[session.unread :]):
        if _chars(read) <= chars // 2:
            break
        said.rounds = ()
        read[place] = replace(read[place], rounds=())
    # What is left begins with the shopper: templates of some models refuse a conversation that does not.
    while read and (_long(read, limit, chars) or read[0].role != "user"):
        read.pop(0)
        session.unread += 1
    return read


def _long(read: Sequence[Said], limit: int, chars: int) -> bool:
    """Whether more than half of what may be read is left; the latest turn stays when it fits at all."""
    return len(read) > limit // 2 or (_chars(read) > chars // 2 and (len(read) > 2 or _chars(read) > chars))


def _chars(read: Sequence[Said]) -> int:
    return sum(said.chars for said in read)


def _read(session: Session, catalog: Catalog, said: Said) -> Said:
    return replace(said, handled=said.handled + _shown_data(session, catalog, said.shown[:SHOWN_TO_MIND]))


def last_list(session: Session, catalog: Catalog) -> tuple[ShownItem, ...]:
    """Return the items of the last answer that had any, in its order."""
    return _records(session, catalog, session.last_list)


def looked_at(past: Sequence[Interaction], session_id: str) -> tuple[str, ...]:
    """Return what a shopper looked at in this session and did not turn down, newest last.

    Args:
        past: The shopper's own events, oldest first.
        session_id: The session at hand.
    """
    looks = [e for e in past if e.session_id == session_id and e.kind in ("view", "click")]
    against = {e.item_id for e in past if e.kind in NEGATIVE_KINDS}
    return tuple(dict.fromkeys(e.item_id for e in reversed(looks) if e.item_id not in against))[::-1]


def _show(session: Session, item_ids: tuple[str, ...]) -> None:
    for item_id in item_ids:
        session.book.issue(item_id)
    session.shown = tuple(dict.fromkeys([*(i for i in session.shown if i not in item_ids), *item_ids]))[-SHOWN:]
    session.last_list = item_ids or session.last_list


def _shown_data(session: Session, catalog: Catalog, item_ids: tuple[str, ...]) -> str:
    records = [
        {"handle": item.handle, "title": item.title, "price": item.price, "currency": item.currency}
        for item in _records(session, catalog, item_ids)
    ]
    return f"\n<shown>{json.dumps(records, ensure_ascii=False)}</shown>" if records else ""


def _records(session: Session, catalog: Catalog, item_ids: tuple[str, ...]) -> tuple[ShownItem, ...]:
    found = ((session.book.handle(item_id), catalog.get(item_id)) for item_id in item_ids)
    return tuple(shown_item(handle, item) for handle, item in found if handle and item)
