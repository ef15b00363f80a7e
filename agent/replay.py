"""A conversation held again from its traces: the same messages, moments and ids, and what an LLM answered then.

The planner thinks afresh; an LLM's answers are read from the trace and pass tools and gate anew. Nothing is written to
the shop's own store: a replay has one of its own, which knows the shopper's events as they came.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.base import ChatRequest, PastMessage, Spoken
from agent.config import LLMConfig
from agent.loop import Agent
from agent.memory.keeping import FORGOTTEN
from agent.minds import Minds, Planner
from agent.replayable import VALID, check_replayable
from agent.wording import NO_LLM
from catalog.errors import DataError
from catalog.events import SqliteEventStore
from catalog.workspace import write_text
from tools.registry import Registry

if TYPE_CHECKING:
    from llama_index.core.llms.function_calling import FunctionCallingLLM

    from catalog.event_base import EventStore

COMPARED = ("intent", "tools", "gate", "dropped", "exhausted", "error", "answer")
"""Parts of a trace that a replay must give again."""

_UNTIMED = frozenset({"milliseconds", "trace"})
"""Fields of a tool call that tell how long it took; its own account (`trace`) holds times at every stage."""

_EVENTS = 10_000


@dataclass(frozen=True)
class Difference:
    """One thing that came out otherwise: where, what the trace says, what came now."""

    turn: int
    place: str
    recorded: Any
    now: Any

    def __str__(self) -> str:
        recorded, now = (json.dumps(value, ensure_ascii=False) for value in (self.recorded, self.now))
        return f"turn {self.turn} {self.place}: recorded {_short(recorded)}, now {_short(now)}"


def conversation_of(events: EventStore, trace_id: str) -> list[dict[str, Any]]:
    """Return the traces of the conversation that led to an answer, its own last.

    Raises:
        NotFoundError: When there is no such trace.
    """
    last = events.trace(trace_id)
    found: list[dict[str, Any]] = []
    for trace in events.traces(last["session_id"], last["user_id"]):
        found.append(trace)
        if trace["trace_id"] == trace_id:
            break
    return found


def write_traces(path: Path, traces: Sequence[Mapping[str, Any]]) -> None:
    """Write traces, one JSON object a line."""
    write_text(path, "".join(f"{json.dumps(trace, ensure_ascii=False)}\n" for trace in traces))


def read_traces(path: Path) -> list[dict[str, Any]]:
    """Return the traces of a file.

    Raises:
        DataError: When a line is no trace that can be replayed; the text names the line and the part.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{str(path)!r} cannot be read: {error}") from error
    found = []
    # A line ends at a newline alone: `splitlines` would also cut at U+2028 and others that a message may hold.
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else (), 1):
        try:
            trace = json.loads(line)
        except (ValueError, RecursionError):
            trace = None
        place = f"{str(path)!r} line {number}"
        if not isinstance(trace, dict) or not {"trace_id", "message", "asked", "started_at", *COMPARED} <= trace.keys():
            raise DataError(f"{place} is no trace; {VALID}")
        check_replayable(trace, place)
        if trace["message"] == FORGOTTEN:
            raise DataError(f"{place}: the shopper had this message forgotten, so it cannot be replayed")
        found.append(trace)
    if not found:
        raise DataError(f"{str(path)!r} holds no trace; {VALID}")
    return found


async def replay(agent: Agent, traces: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """Hold a conversation again and return what came out otherwise, [] when nothing did.

    Args:
        agent: Who answered; its shop, planner, limits and gate count, its conversations are left alone.
        traces: Of one conversation from its first message on, as `conversation_of` gives them.
    """
    with tempfile.TemporaryDirectory() as folder, closing(SqliteEventStore(Path(folder) / "events.sqlite")) as events:
        shop = replace(agent.shop, events=events)
        held, differences = _Held(datetime.now(UTC)), []
        again = Agent(
            shop, Registry(shop), agent.minds, agent.config, now=lambda: held.now, new_id=lambda: held.ids.pop()
        )
        for number, trace in enumerate(traces, 1):
            held.now = datetime.fromisoformat(trace["started_at"])
            held.ids = [trace["request_id"], trace["trace_id"]]
            again.minds = _RecordedMinds(agent.minds.planner, agent.config.llm, trace)
            again.config = agent.config.model_copy(update={"llm": again.minds.config})
            _bring(agent.shop.events, events, trace, datetime.fromisoformat(traces[0]["started_at"]), held.now)
            answer = await again.answer(_request(trace))
            made = events.trace(answer.trace_id)
            differences += list(_compared(number, "asked.said", trace["asked"]["said"], made["asked"]["said"]))
            for part in COMPARED:
                differences += list(_compared(number, part, _plain(trace[part]), _plain(made[part])))
    return differences


@dataclass
class _Held:
    """The turn that is held: its moment, and its ids, the trace's last."""

    now: datetime
    ids: list[str] = field(default_factory=list)


class _RecordedMinds(Minds):
    """The planner as it is, and an LLM that answers what it answered in one turn."""

    def __init__(self, planner: Planner, config: LLMConfig | None, trace: Mapping[str, Any]) -> None:
        self._run = next((run for run in trace["minds"] if run["mind"] == "llm"), None)
        asked = self._run is not None or NO_LLM in trace["answer"]["disclosures"]
        model = config or LLMConfig(base_url="http://recorded.invalid/v1", model="recorded")
        super().__init__(planner, model.model_copy(update={"api_key_env": None}) if asked else None)

    def llm(self) -> FunctionCallingLLM | None:
        if self._run is None or self.config is None:
            return None
        from agent.recorded_llm import RecordedLLM

        return RecordedLLM(self.config, self._run)


def _request(trace: Mapping[str, Any]) -> ChatRequest:
    asked = trace["asked"]
    history = tuple(PastMessage(past["role"], past["text"], tuple(past["item_ids"])) for past in asked["history"])
    spoken = Spoken(**asked["spoken"]) if asked.get("spoken") else None
    message = asked.get("message", trace["message"])
    return ChatRequest(
        message, trace["session_id"], trace["user_id"], top_n=asked["top_n"], history=history, spoken=spoken
    )  # fmt: skip


def _bring(kept: EventStore, events: EventStore, trace: Mapping[str, Any], first: datetime, now: datetime) -> None:
    """Let the replay know what the shopper had done by now, but for what the conversation itself wrote."""
    user_id, session_id = trace["user_id"], trace["session_id"]
    past = kept.for_user(user_id, _EVENTS, now + timedelta(microseconds=1)) if user_id else []
    past += [event for event in kept.for_session(session_id, _EVENTS) if event.timestamp <= now]
    told = ("record_feedback", "undo_feedback")
    before = [
        event
        for event in {event.event_id: event for event in past}.values()
        if not (event.session_id == session_id and event.timestamp >= first and event.context.get("tool") in told)
    ]
    events.put(sorted(before, key=lambda event: event.timestamp))
    if user_id and now == first:
        events.put_told(user_id, [each for each in kept.told_by(user_id) if each.told_at < now])


def _plain(value: Any) -> Any:
    """Return a part of a trace without times."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if name not in _UNTIMED}
    return value


def _compared(turn: int, place: str, recorded: Any, now: Any) -> Iterator[Difference]:
    """Give the innermost places at which two parts differ."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for name in dict.fromkeys([*recorded, *now]):
            yield from _compared(turn, f"{place}.{name}", recorded.get(name), now.get(name))
    elif isinstance(recorded, list) and isinstance(now, list) and len(recorded) == len(now):
        for number, (one, other) in enumerate(zip(recorded, now, strict=True)):
            yield from _compared(turn, f"{place}[{number}]", one, other)
    elif recorded != now:
        yield Difference(turn, place, recorded, now)


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:159]}…"
