"""One harness for every mind: tasks in, played and judged conversations out.

The shop's own events are left alone: conversations run over a copy of the shop with an event store of its own.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from agent.base import ChatRequest
from agent.config import AgentConfig, LLMConfig
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from catalog.errors import DataError, NotFoundError
from catalog.events import SqliteEventStore
from catalog.progress import SILENT, Progress
from eval.agent.judge import TaskJudge
from eval.agent.shopper import messages
from eval.agent.tasks import Task, TaskConfig
from tools.registry import Registry
from tools.shop import Shop


class Played(BaseModel):
    """One pass of one task: enough to read what happened, and to play it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: Task
    number: int
    """The pass, from 0: it seeds the words."""

    typos: float
    top_n: int
    faults: tuple[str, ...]
    """Why the task failed."""

    ungrounded: tuple[str, ...]
    """What was shown or said that the catalogue does not back."""

    calls: int
    """Tool calls, those answered from memory left out."""

    rounds: int
    """Times a mind was asked."""

    tokens: int
    seconds: float
    turns: tuple[dict[str, Any], ...]

    @property
    def success(self) -> bool:
        """Whether the task was done and nothing was invented on the way."""
        return not self.faults and not self.ungrounded


def _now() -> datetime:
    return datetime.now(UTC)


class Harness:
    """Plays tasks with the agent of one shop.

    Args:
        shop: The shop; its event store is neither read nor written.
        folder: An existing, empty folder for the conversations' events.
        agent: The agent's budgets and its LLM, where one thinks.
        now: The clock conversations are dated by.
    """

    def __init__(
        self, shop: Shop, folder: Path, agent: AgentConfig | None = None, now: Callable[[], datetime] = _now
    ) -> None:
        self.shop = replace(shop, events=SqliteEventStore(folder / "events.sqlite"))
        config = agent or AgentConfig()
        minds = Minds(ShopPlanner(shop.catalog, shop.embedder, shop.captions), config.llm)
        self.agent = Agent(self.shop, Registry(self.shop), minds, config, now=now)
        self.judge = TaskJudge(shop.catalog)

    def close(self) -> None:
        """Let go of the event store."""
        self.shop.events.close()

    def run(self, tasks: Sequence[Task], config: TaskConfig, progress: Progress = SILENT) -> list[Played]:
        """Play every task `config.passes` times, in order."""
        return asyncio.run(self._all(tasks, config, progress))

    def replay(self, played: Played) -> Played:
        """Play one pass again, word for word what the shopper said then, whatever the wording is by now."""
        said = [str(turn["said"]) for turn in played.turns]
        return asyncio.run(self._pass(played.task, played.number, played.typos, played.top_n, said))

    async def _all(self, tasks: Sequence[Task], config: TaskConfig, progress: Progress) -> list[Played]:
        played = []
        await self.agent.warm()  # else the first turn loads the encoder, and its seconds are counted as the agent's
        progress.start("agent tasks", len(tasks) * config.passes)
        for task in tasks:
            for number in range(config.passes):
                played.append(await self._pass(task, number, config.typos, config.top_n))
                progress.advance()
        progress.finish()
        return played

    async def _pass(
        self, task: Task, number: int, typos: float, top_n: int, said: Sequence[str] | None = None
    ) -> Played:
        user = task.user_id or f"task-{task.task_id}-{number}"
        self.forget(user)
        turns, began = [], time.perf_counter()
        try:
            async for turn in self.conversation(user, said or messages(task, number, typos=typos), top_n):
                turns.append(turn)
            written = self.shop.events.for_user(user, limit=1000)
        finally:
            self.forget(user)
        return Played(
            task=task,
            number=number,
            typos=typos,
            top_n=top_n,
            faults=tuple(self.judge.faults(task, turns, written)),
            ungrounded=tuple(self.judge.ungrounded(turns, top_n)),
            calls=sum(turn["calls"] for turn in turns),
            rounds=sum(turn["rounds"] for turn in turns),
            tokens=sum(turn["tokens"] for turn in turns),
            seconds=round(time.perf_counter() - began, 4),
            turns=tuple(turns),
        )

    async def conversation(self, user: str | None, said: Iterable[str], top_n: int) -> AsyncIterator[dict[str, Any]]:
        """Say things one after another in one session and give each answer as the judge reads it, with its costs.

        What the user did and what was kept of them stays in the harness's own store until `forget`.
        """
        session: str | None = None
        for text in said:
            answer = await self.agent.answer(ChatRequest(text, session, user, top_n=top_n))
            session = answer.session_id
            trace = self.shop.events.trace(answer.trace_id)
            wire = json.loads(json.dumps(asdict(answer), default=str))
            yield {
                "said": text,
                **{name: wire[name] for name in ("outcome", "text", "blocking", "disclosures")},
                "recommendations": [
                    {name: entry[name] for name in ("item_id", "title", "price", "currency", "rank", "reason")}
                    for entry in wire["recommendations"]
                ],
                "mind": trace["mind"],
                "calls": sum(not run["memory"] for run in trace["tools"]),
                "rounds": sum(mind["rounds"] for mind in trace["minds"]),
                "tokens": sum(mind["tokens"] for mind in trace["minds"]),
                "milliseconds": trace["milliseconds"],
            }

    def forget(self, user: str) -> None:
        """Drop a user's conversations and what they wrote into the harness's own store."""
        self.agent.forget_user(user)
        self.shop.events.forget_user(user)


def with_llm(config: AgentConfig, base_url: str, model: str) -> AgentConfig:
    """Return the agent's configuration with an OpenAI-compatible model for a mind, its other settings kept."""
    kept = config.llm.model_dump() if config.llm else {}
    return config.model_copy(update={"llm": LLMConfig(**{**kept, "base_url": base_url, "model": model})})


def save_failures(path: Path, played: Iterable[Played]) -> int:
    """Write the passes that failed, one JSON line each; return how many."""
    failed = [each for each in played if not each.success]
    path.write_text("".join(f"{each.model_dump_json()}\n" for each in failed), encoding="utf-8")
    return len(failed)


def load_failure(reference: str) -> Played:
    """Return the pass at `FILE#n`, n from 1.

    Raises:
        NotFoundError: When there is no such file or line.
        DataError: When the line is no played pass.
    """
    name, _, number = reference.rpartition("#")
    path = Path(name)
    if not name or not number.isdecimal() or len(number) > 9 or not path.is_file():
        raise NotFoundError(
            f"{reference!r} names no failure; FILE#n with n from 1, e.g. failures.jsonl#1, would be valid"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{reference!r}: {name} cannot be read: {error}") from error
    # A line ends at a newline alone: titles may hold U+2028 and others at which `splitlines` cuts too.
    lines = text.removesuffix("\n").split("\n") if text else []
    if not 1 <= int(number) <= len(lines):
        raise NotFoundError(f"{reference!r}: {name} holds {len(lines)} failures; 1 to {len(lines)} would be valid")
    try:
        return Played.model_validate_json(lines[int(number) - 1])
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{reference!r} is no played task: {place or 'line'}: {first['msg']}") from error
