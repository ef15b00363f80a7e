"""What the wire needs from the rest of the house."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from agent.base import AgentEvent, Answer, ChatRequest
from agent.memory.heeding import Heeded
from agent.sessions import Owner
from api.config import ApiConfig
from catalog.filters import Filters
from catalog.told import Told
from tools.base import Shopper, Tool
from tools.live import LiveShop
from tools.shop import Shop


class Agent(Protocol):
    """Who answers a shopper (see `agent.loop`)."""

    def turn(self, request: ChatRequest) -> AsyncIterator[AgentEvent]:
        """Give the events of one turn as they happen; `Done` is the last."""

    async def answer(self, request: ChatRequest) -> Answer:
        """Give the whole answer of one turn."""

    async def warm(self) -> None:
        """Load what the first shopper would otherwise wait for."""

    def forget_user(self, user_id: str) -> int:
        """Drop every conversation of a shopper; return how many there were."""

    async def owners(self, session_id: str) -> frozenset[Owner]:
        """Return who has a conversation of this id, in every tenant, as far as it outlives this process's memory."""

    def forget_told(self, user_id: str, entry_id: str | None = None) -> int:
        """Forget one thing a shopper told of themselves, or all, in store and conversations; return how many."""

    def told_in(self, session_id: str) -> tuple[Told, ...]:
        """Return what the guest of a conversation told of themselves, the latest first."""

    def forget_told_in(self, session_id: str, entry_id: str | None = None) -> int:
        """Forget one thing a guest told of themselves in a conversation, or all; return how many there were."""

    def heed(self, filters: Filters, shopper: Shopper, told: tuple[Told, ...]) -> Heeded:
        """Return what a shopper told and counts for a list under filters; `told` is what the store keeps of them."""


class Registry(Protocol):
    """The tools by name (see `tools.registry`)."""

    @property
    def tools(self) -> Mapping[str, Tool]:
        """Every tool by its name."""


@dataclass(frozen=True)
class Service:
    """An open shop, ready to be put on the wire.

    Attributes:
        shop: Catalogue, indexes, models and events.
        registry: What an agent or a caller may do.
        agent: Who answers.
        config: Limits of the wire.
        active: Which implementation of each default is at work, e.g. `{"mind": "planner", "captions": "pixels"}`.
        live: Takes writes to the catalogue, and holds the service of each snapshot; None: the catalogue never changes.
    """

    shop: Shop
    registry: Registry
    agent: Agent
    config: ApiConfig = field(default_factory=ApiConfig)
    active: Mapping[str, str] = field(default_factory=dict)
    live: LiveShop[Service] | None = None

    def sells(self, item_id: str) -> bool:
        """Whether an item is in the shop, also one that snapshots do not know yet."""
        return self.live.record(item_id)[0] is not None if self.live is not None else item_id in self.shop.catalog

    def now(self) -> Service:
        """Return the service as this request sees it, the same from its beginning to its end."""
        return self if self.live is None else self.live.current
