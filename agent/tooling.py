"""Tools as one turn may use them: handles for ids, budgets, repeats answered from memory, only our errors spoken."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.arguments import BROKEN
from agent.config import AgentConfig
from agent.gate.grounds import Grounds
from agent.handles import HandleBook
from agent.messages import facts_with_handles, item_json, write_error, write_result
from agent.sessions import Session
from agent.trace import ToolRun, jsonable
from catalog.errors import ToolRetry, ToolUnavailable
from catalog.nouns import Candidate
from catalog.telemetry import timed
from tools.arguments import canonical
from tools.base import ToolContext, ToolResult
from tools.registry import Registry

_NAMES_ITEMS = re.compile(
    r"item|(?:^|_)ids?$|^(?:like|unlike|exclude|anchor|candidates|handles?|unavailable|variants)$", re.IGNORECASE
)
_HANDLE = re.compile(r"[<`\"'(\[]*\s*(?:item|product)?\s*#\s*\d+\s*[>`\"')\]]*", re.IGNORECASE)

REPEATED = "You made this very call before in this turn; this is the same answer. Answer the shopper now."
LAST_ROUND = "No further tool calls are possible in this turn. Answer the shopper now with what you have."


@dataclass
class TurnTools:
    """The tools of one turn, and the account of every call.

    Attributes:
        runs: Calls in order.
        found: Candidates by item id, the latest call winning, in the order of the latest call that gave items.
        last_round: Set when the mind may not ask again after this round.
        asked: Writes that wait for the shopper's yes: canonical arguments -> tool.
        closed: Set when the mind was stopped: a call that is still under way is not made.
    """

    registry: Registry
    context: ToolContext
    session: Session
    grounds: Grounds
    config: AgentConfig
    runs: list[ToolRun] = field(default_factory=list)
    found: dict[str, Candidate] = field(default_factory=dict)
    last_round: bool = False
    closed: bool = False
    asked: dict[str, str] = field(default_factory=dict)
    _memory: dict[str, str] = field(default_factory=dict)
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def book(self) -> HandleBook:
        """Handles of the conversation."""
        return self.session.book

    @property
    def tokens(self) -> int:
        """A rough count of what the calls gave a mind to read."""
        return sum(len(content) for content in self._memory.values()) // 4

    @property
    def repeats(self) -> int:
        """Calls answered from memory."""
        return sum(run.memory for run in self.runs)

    def last_with_items(self) -> ToolRun | None:
        """Return the latest call that gave items."""
        return next((run for run in reversed(self.runs) if run.items), None)

    async def call(self, name: str, arguments: Mapping[str, Any]) -> str:
        """Run a tool and return the content of its message. Bugs inside a tool propagate."""
        async with self._one_at_a_time:
            if self.closed:
                return write_error("the turn is over", retry=False)
            return await self._call(name, arguments)

    async def _call(self, name: str, arguments: Mapping[str, Any]) -> str:
        run = ToolRun(name, jsonable(arguments))
        self.runs.append(run)
        if len(self.runs) > self.config.max_tool_calls:
            return self._refused(run, "no tool calls are left in this turn; answer now with what you have", retry=False)
        if BROKEN in arguments:
            written = str(arguments[BROKEN])
            return self._refused(run, f"the arguments are not a JSON object: {written[:120]!r}", retry=True)
        try:
            given = self._with_ids(arguments)
            run.arguments = jsonable(given)
            key = f"{name} {canonical(given)}"
            if key in self._memory:
                run.memory = True
                run.text = REPEATED
                return f'{{"note": "{REPEATED}", {self._memory[key][1:]}'
            return await self._answered(run, key, given)
        except ToolRetry as error:
            return self._refused(run, str(error), retry=True)
        except ToolUnavailable as error:
            return self._refused(run, str(error), retry=False)

    async def _answered(self, run: ToolRun, key: str, arguments: Mapping[str, Any]) -> str:
        tool = self.registry.get(run.tool)
        started = time.perf_counter()
        try:
            with timed("tool", run.tool):
                result = await asyncio.to_thread(tool.call, arguments, self.context)
        finally:
            run.milliseconds = round((time.perf_counter() - started) * 1000, 1)
        asked = result.facts.get("needs_confirmation")
        if tool.access == "write" and isinstance(asked, Mapping):
            self.asked[str(asked["canonical"])] = run.tool
        run.text, run.facts, run.trace = result.text, jsonable(result.facts), jsonable(result.trace)
        run.items = tuple(candidate.item_id for candidate in result.candidates)
        content = self._content(result)
        self._memory[key] = content
        return content

    def _content(self, result: ToolResult) -> str:
        shop = self.registry.shop
        items = []
        for candidate in result.candidates:
            item = shop.catalog.get(candidate.item_id)
            if item is None:
                continue
            items.append(
                item_json(
                    self.book.issue(candidate.item_id),
                    item,
                    shop.captions.get(candidate.item_id, ()),
                    full=len(result.candidates) <= 3,
                )
            )
        if items:
            self.found = {c.item_id: c for c in result.candidates if c.item_id in shop.catalog}
        facts = facts_with_handles(jsonable(result.facts), self.book, self._named(result))
        given = [c.item_id for c in result.candidates if c.item_id in shop.catalog]
        self.grounds.told(result.text, facts, len(items), given)
        return write_result(result.text, items, facts, note=LAST_ROUND if self.last_round else None)

    def _named(self, result: ToolResult) -> set[str]:
        """Return the items a result speaks of: its candidates, and ids in its facts' item fields."""
        named = {candidate.item_id for candidate in result.candidates}
        catalog = self.registry.shop.catalog
        waiting: list[tuple[str, Any]] = [("", result.facts)]
        while waiting:
            name, value = waiting.pop()
            if isinstance(value, Mapping):
                waiting.extend((str(key), inner) for key, inner in value.items())
            elif isinstance(value, list | tuple):
                waiting.extend((name, inner) for inner in value)
            elif isinstance(value, str) and _NAMES_ITEMS.search(name) and value in catalog:
                named.add(value)
        return named

    def _with_ids(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments with handles, in any costume, replaced by item ids where items are meant."""
        return {
            name: self._ids(name, value) if _NAMES_ITEMS.search(name) else value for name, value in arguments.items()
        }

    def _ids(self, name: str, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [self._ids(name, each) for each in value]
        if isinstance(value, int) and not isinstance(value, bool):
            value = f"#{value}" if f"{value}" not in self.registry.shop.catalog else f"{value}"
        if not isinstance(value, str):
            return value
        item_id = self.book.resolve(value)
        if item_id is not None:
            return item_id
        if _HANDLE.fullmatch(value.strip()) and value not in self.registry.shop.catalog:
            issued = list(self.book.issued())
            valid = f"{issued[0]} to {issued[-1]} were issued" if issued else "none was issued yet: search first"
            raise ToolRetry(f"{name!r} names {value!r}, which no tool issued in this conversation; {valid}")
        return value

    def _refused(self, run: ToolRun, reason: str, *, retry: bool) -> str:
        run.error = reason
        return write_error(reason, retry=retry)
