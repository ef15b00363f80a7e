"""The trace of an answer: how it came about, for whoever must explain or replay it. Never shown to a model."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from agent.base import ChatRequest
from agent.gate.gate import Change
from agent.sessions import Session


@dataclass
class ToolRun:
    """One tool call as it went.

    Attributes:
        arguments: As the tool got them, handles resolved.
        milliseconds: Wall clock of the call, 0 when answered from memory.
        memory: Whether the same call had been made in this turn.
        items: Item ids returned, in order.
        trace: The tool's own account (stages, sources, features, drops).
    """

    tool: str
    arguments: Mapping[str, Any]
    milliseconds: float = 0.0
    memory: bool = False
    text: str = ""
    items: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None
    trace: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class MindRun:
    """How one mind fared in the turn: its rounds and tokens, and why it did not finish, when it did not."""

    mind: str
    rounds: int = 0
    tokens: int = 0
    milliseconds: float = 0.0
    stopped: str | None = None
    responses: list[dict[str, Any]] = field(default_factory=list)
    """What an LLM answered, so that the turn can be replayed without it: text, calls, `finish`; `broke`: cut off."""


@dataclass
class Trace:
    """Collects what happens in one turn; `to_json` is what is kept.

    The shopper's message is part of it: a trace belongs to its user and is erased with them.
    """

    trace_id: str
    request_id: str
    session_id: str
    user_id: str | None
    message: str
    started_at: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    minds: list[MindRun] = field(default_factory=list)
    runs: list[ToolRun] = field(default_factory=list)
    intent: Any = None
    memory: Mapping[str, Any] = field(default_factory=dict)
    dropped: list[dict[str, str]] = field(default_factory=list)
    exhausted: str | None = None
    error: str | None = None
    _started: float = field(default_factory=time.perf_counter)

    def to_json(self, answer: Mapping[str, Any], changes: list[Change], gate: str) -> dict[str, Any]:
        """Return the whole turn as JSON-ready values.

        Args:
            answer: Outcome, text, items and disclosures as sent.
            changes: What the gate did.
            gate: Whether the gate was `on`.
        """
        return {
            "trace_id": self.trace_id,
            "request_id": self.request_id,
            "session_id": self.session_id,
            "user_id": self.user_id,
            "started_at": self.started_at,
            "milliseconds": round((time.perf_counter() - self._started) * 1000, 1),
            "message": self.message,
            "asked": jsonable(self.asked),
            "mind": self.minds[-1].mind if self.minds else None,
            "minds": [asdict(run) for run in self.minds],
            "intent": self.intent,
            "memory": dict(self.memory),
            "tools": [jsonable(asdict(run)) for run in self.runs],
            "gate": {"mode": gate, "changes": [asdict(change) for change in changes]},
            "dropped": self.dropped,
            "exhausted": self.exhausted,
            "error": self.error,
            "answer": dict(answer),
        }


def asked_of(request: ChatRequest, session: Session) -> dict[str, Any]:
    """Return what of a request stands nowhere else in a trace, and how many messages the conversation had before."""
    history = [{"role": past.role, "text": past.text, "item_ids": past.item_ids} for past in request.history]
    return {
        "top_n": request.top_n, "images": len(request.images), "said": len(session.said),
        "history": [] if session.said else history,
    }  # fmt: skip


def jsonable(value: Any) -> Any:
    """Return `value` as JSON can say it: mappings, lists, text, numbers, bools and null; the rest as text."""
    if isinstance(value, Mapping):
        return {str(name): jsonable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [jsonable(inner) for inner in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else None
    if hasattr(value, "tolist"):
        return jsonable(value.tolist())
    return str(value)


def understood_json(understood: Any) -> Any:
    """Return how a message was understood, without the items it was understood beside; None stays None."""
    if understood is None:
        return None
    return jsonable(understood.model_dump(mode="json", exclude={"state": {"shown"}}))
