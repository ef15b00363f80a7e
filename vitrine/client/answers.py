"""What the service answers, typed; fields that a newer service adds are kept beside those known here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["recommended", "nearest", "nothing", "question", "answered", "error"]


class Answer(BaseModel):
    """An answer, or a part of one."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Evidence(Answer):
    """One fact behind a recommendation."""

    kind: str
    name: str
    value: Any
    text: str


class Shown(Answer):
    """An item of an answer; `rank` from 1, best first."""

    item_id: str
    title: str
    price: float | None
    currency: str | None
    brand: str | None
    rank: int
    score: float | None
    reason: str
    evidence: list[Evidence]
    image: str | None
    caption: str | None


class Recommendation(Shown):
    """An item of a conversation."""


class Listed(Shown):
    """An item of a list; `channels` scores by retriever, `modalities` (of a search) by what could answer."""

    channels: dict[str, float]
    modalities: dict[str, float | None] = {}


class Heard(Answer):
    """What was made of a voice; `text` is None where no words could be made out."""

    text: str | None
    language: str | None = None
    confidence: float | None = None
    certain: bool
    reason: str | None = None


class ChatAnswer(Answer):
    """A whole turn of a conversation."""

    outcome: Outcome
    text: str
    recommendations: list[Recommendation]
    blocking: dict[str, Any] | None = None
    disclosures: list[str] = []
    session_id: str
    session_restarted: bool = False
    request_id: str
    trace_id: str | None = None
    transcript: Heard | None = None


class List(Answer):
    """A page of results; cite `request_id` in the events that follow."""

    request_id: str
    text: str
    ground: str
    total: int
    nearest: bool
    blocking: dict[str, Any] | None = None


class Unknown(Answer):
    """A value of the filters that no item has, and the nearest that items have."""

    field: str
    value: str
    closest: list[str]


class Recommended(List):
    """What the shop would show this shopper."""

    recommendations: list[Listed]
    memory: dict[str, list[str]] = {}
    unknown: list[Unknown] = []


class Similar(List):
    """What is close to an item."""

    items: list[Listed]


class Found(List):
    """What was found; `cursor` fetches the next page."""

    items: list[Listed]
    cursor: str | None = None
    searched: dict[str, str] = {}
    heard: str | None = None
    seen: str | None = None
    left_out: list[str] = []
    unknown: list[Unknown] = []


class Caption(Answer):
    """Words read from a picture or a video frame."""

    text: str
    model: str
    frame_time: float | None


class Item(Answer):
    """The record of an item."""

    item_id: str
    parent_id: str | None
    title: str | None
    description: str | None
    price: float | None
    currency: str | None
    brand: str | None
    categories: list[str]
    attributes: dict[str, list[str]]
    sizes: list[str]
    url: str | None
    availability: bool | None
    language: str | None
    rating: float | None
    rating_count: int | None
    image: str | None
    pictures: int
    caption: str | None
    captions: list[Caption]
    pending: bool = False


class Written(Answer):
    """What became of a record."""

    item_id: str
    created: bool
    changed: bool
    pending: bool


class Deleted(Answer):
    """What became of a deletion; False where there was nothing."""

    item_id: str
    deleted: bool


class Rejected(Answer):
    """An event that was not taken."""

    index: int
    field: str
    detail: str


class EventsTaken(Answer):
    """What became of a batch of events."""

    accepted: int
    duplicates: int
    rejected: list[Rejected]


class DeadLetter(Answer):
    """An event that was not taken, as it was sent, with the reason."""

    payload: str
    field: str
    reason: str
    received_at: datetime
    event_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    times: int = 1


class DeadLetters(Answer):
    """A page of what was not taken, the latest first; `cursor` asks for the next."""

    dead_letters: list[DeadLetter]
    cursor: str | None = None


class TakenBack(Answer):
    """Whether there was such an event to erase."""

    event_id: str
    forgotten: bool


class Told(Answer):
    """One thing a shopper told of themselves."""

    entry_id: str
    kind: str
    facet: str
    value: str
    about: str | None
    text: str
    words: str
    told_at: datetime
    session_id: str | None
    request_id: str | None


class Memory(Answer):
    """What a shopper told of themselves, the latest first."""

    user_id: str
    entries: list[Told]


class Erased(Answer):
    """How many entries of a memory were erased."""

    user_id: str
    forgotten: int


class GuestMemory(Answer):
    """What a guest told of themselves in a conversation, the latest first."""

    session_id: str
    entries: list[Told]


class GuestErased(Answer):
    """How many entries of a guest's memory were erased."""

    session_id: str
    forgotten: int


class Forgotten(Answer):
    """What was erased of a shopper."""

    user_id: str
    events: int
    conversations: int


class ToolItem(Answer):
    """An item a tool names."""

    item_id: str
    title: str | None
    price: float | None
    currency: str | None
    brand: str | None
    score: float | None
    source: str
    image: str | None


class ToolAnswer(Answer):
    """What a tool answers."""

    text: str
    items: list[ToolItem]
    facts: dict[str, Any]
    trace: dict[str, Any]
    request_id: str


class Tool(Answer):
    """What an agent may call, with the JSON schema of its arguments."""

    name: str
    description: str
    access: str
    parameters: dict[str, Any]


class Tools(Answer):
    """Every tool; `openai` is the same in the form of OpenAI's chat completions."""

    tools: list[Tool]
    openai: list[dict[str, Any]]


class Transcription(Answer):
    """What was said in a recording; `text` is "" where no words could be made out, and `reason` says why."""

    text: str
    confidence: float | None = None
    certain: bool
    reason: str | None = None


class Ready(Answer):
    """That the shop can answer, and what is at work behind each default."""

    status: str
    shop: str
    items: int
    active: dict[str, str]
    access: str
