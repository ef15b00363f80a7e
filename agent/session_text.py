"""A conversation as text, so that another process can go on with it: JSON, typed both ways, nothing that runs."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import PydanticSerializationError

from agent.handles import HandleBook
from agent.sessions import Said, Session
from agent.spoken import Asked
from agent.understanding.intent import IntentState
from catalog.errors import DataError
from catalog.items import Catalog
from catalog.told import Told, ToldKind

FORMAT: Literal[1] = 1


class _Spoken(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    sure: bool
    state: IntentState | None


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: ToldKind
    facet: str
    value: str
    words: str
    told_at: datetime
    session_id: str | None
    request_id: str | None
    about: str | None


class _OnlyTold(BaseModel):
    """Of what stands in the text, what was told."""

    told: tuple[_Told, ...]


class _Written(BaseModel):
    """What stands in the text; ids and shopper stand beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    issued: dict[str, str]
    handles_given: int
    said: list[Said]
    state: IntentState | None
    shown: tuple[str, ...]
    last_list: tuple[str, ...]
    pending: dict[str, str]
    recorded: str | None
    unread: int
    spoken: _Spoken | None
    told: tuple[_Told, ...]


def written(session: Session) -> str:
    """Return a conversation as JSON.

    Raises:
        TypeError: When its state is not the planner's, which alone can be written.
    """
    for state in (session.state, session.spoken.state if session.spoken is not None else None):
        if state is not None and not isinstance(state, IntentState):
            raise TypeError(f"conversation state is {type(state).__name__}; IntentState would be valid")
    spoken = session.spoken
    record = _Written.model_construct(
        format=FORMAT,
        issued=dict(session.book.issued()),
        handles_given=session.book.given,
        said=session.said,
        state=session.state,
        shown=session.shown,
        last_list=session.last_list,
        pending=session.pending,
        recorded=session.recorded,
        unread=session.unread,
        spoken=None
        if spoken is None
        else _Spoken.model_construct(text=spoken.text, sure=spoken.sure, state=spoken.state),
        told=tuple(
            _Told.model_construct(**{name: getattr(t, name) for name in _Told.model_fields}) for t in session.told
        ),
    )
    try:
        return record.model_dump_json()
    except PydanticSerializationError:  # half a surrogate pair, which a model's server may send and no database keeps
        plain = json.dumps(record.model_dump(), default=str, ensure_ascii=False)
        return plain.encode("utf-8", "replace").decode()


def told_of(text: str, session_id: str) -> tuple[Told, ...]:
    """Return what the conversation that `written` gave tells of its shopper, the latest first; reads nothing else.

    Raises:
        DataError: When it is not such a text.
    """
    try:
        return tuple(_told(each) for each in _OnlyTold.model_validate_json(text).told)
    except ValidationError as error:
        raise _unreadable(session_id, error) from None


def read(text: str, session_id: str, user_id: str | None, max_handles: int) -> Session:
    """Return the conversation that `written` gave.

    Its handles know no catalogue yet: `agent.catching_up` lets them follow the one at hand.

    Args:
        text: From `written`.
        session_id: Its id.
        user_id: Who speaks; None is a guest.
        max_handles: Items it may name.

    Raises:
        DataError: When it is not such a text.
    """
    try:
        record = _Written.model_validate_json(text)
    except ValidationError as error:
        raise _unreadable(session_id, error) from None
    spoken = record.spoken
    return Session(
        session_id,
        user_id,
        HandleBook.reopened(Catalog([]), record.issued, record.handles_given, max_handles),
        record.said,
        record.state,
        record.shown,
        record.last_list,
        record.pending,
        record.recorded,
        record.unread,
        None if spoken is None else Asked(spoken.text, spoken.sure, spoken.state),
        tuple(_told(t) for t in record.told),
    )


def _unreadable(session_id: str, error: ValidationError) -> DataError:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"]))
    return DataError(f"conversation {session_id!r}: {place}: {first['msg']}; what `written` gave would be valid")


def _told(told: _Told) -> Told:
    return Told(**{name: getattr(told, name) for name in _Told.model_fields})
