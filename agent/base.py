"""The agent's nouns: what comes in, what a mind sees, what goes out.

A mind is a LlamaIndex `FunctionCallingLLM`: the `planner` (no LLM) and any OpenAI-compatible model
run in the same loop. A mind sees items only under short handles (`#1`, `#2`...) issued in this
conversation, and names them in its final text; the gate outside the mind resolves them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from catalog.nouns import Evidence

Outcome = Literal["recommended", "nearest", "nothing", "question", "answered", "error"]


@dataclass(frozen=True, slots=True)
class PastMessage:
    """A message a client brings along; `item_ids` are the recommendations echoed with it, in order."""

    role: Literal["user", "assistant"]
    text: str
    item_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spoken:
    """What was heard of a spoken message.

    Attributes:
        text: The words; None when none could be made out.
        certain: Whether the speech model is sure of them.
        confidence: How likely it finds them, 0 to 1; None where it does not say.
        language: ISO code.
        reason: Why there are no words.
    """

    text: str | None
    certain: bool = True
    confidence: float | None = None
    language: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One message of a shopper. `images` are data URLs; `top_n` is a ceiling.

    `history` is read only when the session is new: a client that keeps its own conversation. Where the message was
    spoken, `spoken` says what was heard, and `message` holds the words.
    """

    message: str
    session_id: str | None = None
    user_id: str | None = None
    images: tuple[str, ...] = ()
    top_n: int = 10
    history: tuple[PastMessage, ...] = ()
    spoken: Spoken | None = None


@dataclass(frozen=True, slots=True)
class ShownItem:
    """An item as a mind may know it: its handle and the record fields a sentence may state."""

    handle: str
    item_id: str
    title: str
    price: float | None
    currency: str | None
    brand: str | None
    categories: tuple[str, ...]
    attributes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ShownRecommendation:
    """A recommendation on the wire (design, section 8): `title` verbatim, `price` a number or None."""

    item_id: str
    title: str
    price: float | None
    currency: str | None
    rank: int
    score: float
    reason: str
    evidence: tuple[Evidence, ...] = ()
    image: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """A tool runs."""

    tool: str
    text: str


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the answer's text, already through the gate."""

    text: str


@dataclass(frozen=True, slots=True)
class Recommendations:
    """The items of the answer, at most once a turn, before `Done`."""

    outcome: Outcome
    items: tuple[ShownRecommendation, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, in the shopper's words (problem+json on the wire)."""

    title: str
    detail: str
    status: int = 500


@dataclass(frozen=True)
class Answer:
    """A whole turn: what `Done` carries and what the non-streaming doors return.

    Attributes:
        blocking: With `nearest` or `nothing`, the constraint that leaves nothing:
            `{"field", "value", "relaxed": how many items pass without it}`.
        disclosures: What the shopper is told about how the answer came about (LLM unreachable, a new
            shopper, exploration, a dropped claim).
    """

    outcome: Outcome
    text: str
    recommendations: tuple[ShownRecommendation, ...]
    session_id: str
    request_id: str
    trace_id: str
    blocking: Mapping[str, Any] | None = None
    disclosures: tuple[str, ...] = ()
    session_restarted: bool = False


@dataclass(frozen=True)
class Done:
    """Always the last event of a turn, also after `Problem`."""

    answer: Answer


AgentEvent: TypeAlias = Status | Token | Recommendations | Problem | Done


@dataclass(frozen=True)
class ToolMessage:
    """The JSON a mind reads as a tool's answer; `agent.messages` writes and parses it.

    `{"text", "items": [{"handle", "title", "price", "currency", "brand", "categories", "attributes",
    "rating", "available", "caption", "why"}], "facts": {...}, "error": null | {"retry": bool, "text"}}`
    """

    text: str
    items: tuple[ShownItem, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None
