"""The tool seam: a typed function an agent may call; its signature and docstring are the schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from catalog.nouns import Candidate
from catalog.told import Told

if TYPE_CHECKING:
    from tools.recommended import Recommending

Access = Literal["read", "write"]


@dataclass(frozen=True, slots=True)
class Shopper:
    """Who asks, and what of them is known in this session; never taken from model output.

    `recent` are item ids the shopper engaged with in this session, newest last; `shown` those
    already shown in this conversation; `device` is what the request comes from, where it says so (`phone`);
    `told` is what a guest told of themselves in it (what a shopper told rests with the events).
    """

    user_id: str | None = None
    session_id: str | None = None
    recent: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    device: str | None = None
    told: tuple[Told, ...] = ()


class Memory(Protocol):
    """What a shopper told of themselves, for a caller who knows more of it than the store (`api.tool_context`)."""

    def told(self) -> tuple[Told, ...]:
        """Return it, the latest first."""

    def forget(self, entry_id: str) -> int:
        """Erase one entry wherever it stands; return how many there were."""


@dataclass(frozen=True)
class ToolContext:
    """What a call is bound to, outside the model's reach: the shopper, the moment, the confirmation.

    `confirmed` holds the exact arguments (canonical JSON, ids resolved) of a write the shopper agreed to; `pictures`
    are those that came with the shopper's message, as data URLs. Where the caller carries the shopper's yes
    (`relayed`), the question of a write comes with a token, and `confirmation` is the token it brings back.
    `recommend` makes lists that a tool chooses for the shopper, where the caller's door heeds what the shopper told;
    in a conversation it is None: what was told is in the arguments already. `memory` is what they told, where the
    caller's door knows the conversations; a conversation keeps its own.
    """

    shopper: Shopper
    now: datetime
    request_id: str
    confirmed: frozenset[str] = frozenset()
    pictures: tuple[str, ...] = ()
    relayed: bool = False
    confirmation: str | None = None
    recommend: Recommending | None = None
    memory: Memory | None = None


@dataclass(frozen=True)
class ToolResult:
    """What a tool answers.

    Attributes:
        text: One plain sentence for a person.
        candidates: Items in order, best first; their records are in the catalogue.
        facts: JSON-ready values beyond the items: counts, ranges, comparisons, `blocking` (the one
            constraint that leaves nothing, as `{"field", "value", "relaxed": n}`), `ground`, `cursor`.
        trace: JSON-ready account of how it came about: stages, candidates by source, features,
            drops with reasons, milliseconds. Never shown to a model.
    """

    text: str
    candidates: tuple[Candidate, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    trace: Mapping[str, Any] = field(default_factory=dict)


class Tool(Protocol):
    """One function of the registry.

    Attributes:
        name: Its name.
        description: What it does, for a model.
        access: Whether it writes.
        destructive: Whether what it writes takes something away.
        parameters: The strict JSON schema of its arguments.
    """

    name: str
    description: str
    access: Access
    destructive: bool
    parameters: Mapping[str, Any]

    def call(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """Validate `arguments` against the schema and run.

        Raises:
            ToolRetry: The arguments can be mended; the text names the field and what would be valid.
            ToolUnavailable: Not possible now; go on without it.
        """
