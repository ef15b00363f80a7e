"""Which mind thinks: the LLM while it answers, the planner always."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from agent.base import ShownItem
from agent.config import LLMConfig
from catalog.filters import Filters
from catalog.items import Catalog
from catalog.nouns import Caption
from catalog.told import Told
from embedding.base import TextEmbedder

if TYPE_CHECKING:
    from llama_index.core.llms.function_calling import FunctionCallingLLM

    from agent.memory.heeding import Heeded
    from agent.memory.recall import Recalled
    from agent.understanding.intent import Understanding
    from agent.understanding.telling import Telling
    from agent.understanding.understander import Understander
    from agent.understanding.vocabulary import Vocabulary


class Planner(Protocol):
    """Makes the planner for one turn, and follows a conversation while another mind leads it."""

    def mind(
        self,
        state: Any,
        shown: tuple[ShownItem, ...],
        top_n: int,
        *,
        pictured: bool = False,
        told: tuple[Told, ...] | None = None,
    ) -> FunctionCallingLLM:
        """Return a mind for one turn; it has `state`, `understanding`, `outcome`, `listed` and `recalled` afterwards.

        Args:
            state: What the conversation has established, None at its start.
            shown: The last list the shopper saw, in its order.
            top_n: Most items to list.
            pictured: Whether a picture came with the message.
            told: What the shopper told of themselves; None keeps nothing of the kind in mind.
        """

    def telling(self, message: str) -> Telling:
        """Return what a message tells of the shopper for good."""

    def recall(self, message: str, understanding: Any, before: Any, told: tuple[Told, ...]) -> Recalled:
        """Return what was told before and counts for a message, which `follow` understood."""

    def heed(self, filters: Filters, told: tuple[Told, ...]) -> Heeded:
        """Return what was told before and counts for a list under filters, which no message asked for."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The catalogue's words."""

    def follow(self, message: str, state: Any) -> Any:
        """Return the understanding of a message another mind answers; its `state` goes on to the next turn."""

    def warm(self) -> None:
        """Load what the first message would otherwise wait for."""


HEEDED = 64
"""Shoppers of whom it is known which items what they told keeps out; a few bytes for each such item."""


class ShopPlanner:
    """The planner of one shop; its vocabulary is read from the catalogue at the first message.

    Args:
        catalog: The shop's words.
        embedder: For synonyms; None does without.
        captions: What was read from the pictures, so that words they show count as carried.
    """

    def __init__(
        self,
        catalog: Catalog,
        embedder: TextEmbedder | None = None,
        captions: Mapping[str, tuple[Caption, ...]] | None = None,
    ) -> None:
        self._catalog = catalog
        self._embedder = embedder
        self._captions = captions
        # Whoever looks through the shop asks for the same page after page.
        self._heeded = lru_cache(maxsize=HEEDED)(self._heeding)

    @cached_property
    def understander(self) -> Understander:
        """What reads messages."""
        from agent.understanding.understander import Understander
        from agent.understanding.vocabulary import Vocabulary

        return Understander(Vocabulary(self._catalog, self._captions), self._embedder)

    def mind(
        self,
        state: Any,
        shown: tuple[ShownItem, ...],
        top_n: int,
        *,
        pictured: bool = False,
        told: tuple[Told, ...] | None = None,
    ) -> FunctionCallingLLM:
        """See `Planner.mind`."""
        from agent.planner import PlannerLLM

        return PlannerLLM(
            understander=self.understander, state=state, shown=shown, top_n=top_n, pictured=pictured, told=told
        )

    def telling(self, message: str) -> Telling:
        """See `Planner.telling`."""
        from agent.understanding.telling import telling

        return telling(message, self.vocabulary)

    def recall(self, message: str, understanding: Understanding, before: Any, told: tuple[Told, ...]) -> Recalled:
        """See `Planner.recall`."""
        from agent.memory.recall import recalled, waiving
        from agent.understanding.intent import IntentState

        understanding = understanding.model_copy(update={"told": self.telling(message)})
        return recalled(waiving(understanding, before or IntentState(), message), told, self.vocabulary)

    def heed(self, filters: Filters, told: tuple[Told, ...]) -> Heeded:
        """See `Planner.heed`."""
        # What is kept here is nobody's sentence.
        return self._heeded(filters.model_dump_json(), tuple(replace(each, words="") for each in told))

    def _heeding(self, filters: str, told: tuple[Told, ...]) -> Heeded:
        from agent.memory.heeding import heeded

        return heeded(Filters.model_validate_json(filters), told, self.vocabulary)

    @property
    def vocabulary(self) -> Vocabulary:
        """See `Planner.vocabulary`."""
        return self.understander.vocabulary

    def follow(self, message: str, state: Any) -> Understanding:
        """See `Planner.follow`."""
        from agent.understanding.intent import IntentState

        return self.understander.understand(message, state or IntentState())

    def warm(self) -> None:
        """See `Planner.warm`."""
        self.understander.warm()


MOST_SECONDS = 300.0
"""How long a server can ask to be left alone."""


@dataclass
class Breaker:
    """Leaves a failing server alone for a while, so that it does not cost every turn its timeout.

    Args:
        failures: Quick failures in a row that open it; a slow failure opens it at once.
        seconds: How long it stays open; then one turn may try.
        clock: Seconds that only grow.
    """

    failures: int
    seconds: float
    clock: Callable[[], float] = time.monotonic
    last_error: str | None = None
    _count: int = 0
    _closed_at: float = field(default=float("-inf"))
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @property
    def state(self) -> str:
        """`closed` (in use), `open` (left alone) or `half-open` (the next turn tries)."""
        if self._count == 0:
            return "closed"
        if self.clock() < self._closed_at:
            return "open"
        return "half-open" if self._closed_at > float("-inf") else "closed"

    def allows(self) -> bool:
        """Whether a turn may ask the server; of several at once after a pause, only the first."""
        with self._lock:
            state = self.state
            if state == "half-open":
                self._closed_at = self.clock() + self.seconds
            return state != "open"

    def failed(self, reason: str, *, slow: bool = False, seconds: float | None = None) -> None:
        """Count a failure.

        Args:
            reason: What went wrong.
            slow: Whether it cost a shopper the whole time of a call.
            seconds: For how long the server asked to be left alone; believed up to `MOST_SECONDS`.
        """
        with self._lock:
            self.last_error = reason
            self._count += 1
            if slow or seconds is not None or self._count >= self.failures:
                self._closed_at = self.clock() + min(self.seconds if seconds is None else seconds, MOST_SECONDS)

    def heard(self, stopped: str | None) -> None:
        """Count an answer by why its mind was stopped, None when it came to its own end."""
        if stopped == "time":
            self.failed("used up the time of a whole turn", slow=True)
        else:
            self.succeeded()

    def succeeded(self) -> None:
        """Forget earlier failures."""
        with self._lock:
            self._count = 0
            self._closed_at = float("-inf")
            self.last_error = None


class Minds:
    """The minds of one agent.

    Args:
        planner: Thinks where there is no LLM, and whenever it fails.
        llm: Where an LLM is served; None: the planner thinks alone.
        clock: Seconds that only grow, for the breaker.

    Raises:
        ConfigError: When the LLM's key is not in the environment.
    """

    def __init__(
        self, planner: Planner, llm: LLMConfig | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.planner = planner
        self.config = llm
        self.breaker = Breaker(llm.breaker_failures, llm.breaker_seconds, clock) if llm else None
        self._llm: FunctionCallingLLM | None = None
        if llm is not None:
            llm.api_key()

    def llm(self) -> FunctionCallingLLM | None:
        """Return the LLM, or None when there is none or it is left alone."""
        if self.config is None or self.breaker is None or not self.breaker.allows():
            return None
        if self._llm is None:
            from agent.llm import ServedLLM

            self._llm = ServedLLM(self.config)
        return self._llm

    def status(self) -> dict[str, Any]:
        """Return which mind is active and how the LLM fares, for health and doctor."""
        if self.config is None or self.breaker is None:
            return {"active": "planner", "llm": None}
        state = self.breaker.state
        return {
            "active": "planner" if state == "open" else "llm",
            "llm": {
                "base_url": self.config.base_url,
                "model": self.config.model,
                "breaker": state,
                "last_error": self.breaker.last_error,
            },
        }
