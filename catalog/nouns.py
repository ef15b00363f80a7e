"""The nouns every layer shares. Missing is `None` (or an empty tuple), never 0 or ""."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

Kind = Literal[
    "impression", "view", "click", "dismiss", "cart", "purchase",
    "rating", "return", "complaint", "praise",
]  # fmt: skip
KINDS: tuple[str, ...] = get_args(Kind)

NEGATIVE_KINDS: frozenset[str] = frozenset({"dismiss", "return", "complaint"})
"""Kinds that speak against an item; they are never counted as a positive."""

STRONG_KINDS: frozenset[str] = frozenset({"purchase", "cart"})
"""Kinds NDCG counts by default where a log has them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a shop offers.

    `images` and `videos` are http(s) URLs or file paths (a relative path is relative to the
    workspace root). `attributes` maps a name to one or more values, e.g. `{"colour": ("red",)}`.
    `categories` runs from broad to narrow. `price` is in `currency` units.
    Items of one `parent_id` are variants and share one slot in a list.
    """

    item_id: str
    parent_id: str | None = None
    title: str | None = None
    description: str | None = None
    price: float | None = None
    currency: str | None = None
    brand: str | None = None
    categories: tuple[str, ...] = ()
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    images: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    url: str | None = None
    availability: bool | None = None
    language: str | None = None
    rating: float | None = None
    rating_count: int | None = None
    sizes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Interaction:
    """One dated event between a shopper and an item.

    `timestamp` is aware UTC. `value` is the rating, quantity or dwell time of `kind`; `text` a
    review, a call or a note. `request_id` cites the slate the item was shown in.
    """

    event_id: str
    user_id: str
    item_id: str
    timestamp: datetime
    kind: Kind
    session_id: str | None = None
    value: float | None = None
    text: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A shopper as the shop knows them."""

    user_id: str
    membership: str | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caption:
    """Words read from one medium of one item; the provenance always travels with them.

    `media` is the reference as the item gives it; `media_sha` hashes its bytes, `prompt_sha` the
    prompt or rule set. `frame_time` is in seconds for a video frame, else None.
    """

    item_id: str
    media: str
    text: str
    model: str
    prompt_sha: str
    media_sha: str
    frame_time: float | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item some source proposes; `score` is comparable within one `source` only."""

    item_id: str
    score: float
    source: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One fact behind a recommendation, in the wire's form (design, section 8)."""

    kind: Literal["field", "caption", "event", "signal", "model"]
    name: str
    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class Recommendation:
    """An item at a rank (from 1, best first), why it stands there, and the evidence for it."""

    item_id: str
    rank: int
    score: float
    reason: str
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which arm of an experiment made an answer.

    Attributes:
        experiment, arm: Their names.
        by: Whether the draw was made by the shopper or, for a guest, by the session.
        share: Chance that anyone has of this arm, by which a report knows how many to expect in it.
    """

    experiment: str
    arm: str
    by: Literal["user", "session"]
    share: float


@dataclass(frozen=True, slots=True)
class Slate:
    """What was shown: items in order with the probability of showing each there; `assignment` in an experiment."""

    request_id: str
    user_id: str | None
    session_id: str | None
    timestamp: datetime
    item_ids: tuple[str, ...]
    propensities: tuple[float, ...]
    assignment: Assignment | None = None
