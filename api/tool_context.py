"""What a tool called from outside is bound to: the shopper, the moment, and what the shopper told in conversations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from api.heeding import recommend
from api.service import Service
from catalog.told import Told
from tools.base import Shopper, ToolContext


@dataclass(frozen=True)
class Remembered:
    """What a shopper told, in the store and in open conversations; a guest's is in their session alone."""

    service: Service
    shopper: Shopper

    def told(self) -> tuple[Told, ...]:
        """Return it, the latest first."""
        if self.shopper.user_id is not None:
            return tuple(self.service.shop.events.told_by(self.shopper.user_id))
        return self.service.agent.told_in(self.shopper.session_id) if self.shopper.session_id is not None else ()

    def forget(self, entry_id: str) -> int:
        """Erase one entry, and the sentence it was told by; return how many there were."""
        if self.shopper.user_id is not None:
            return self.service.agent.forget_told(self.shopper.user_id, entry_id)
        return self.service.agent.forget_told_in(self.shopper.session_id, entry_id) if self.shopper.session_id else 0


def tool_context(service: Service, shopper: Shopper, request_id: str, confirmation: str | None = None) -> ToolContext:
    """Return what a call by HTTP or MCP is bound to.

    Args:
        service: As this request sees it.
        shopper: For whom.
        request_id: Of the request.
        confirmation: The token of the shopper's yes, where the caller brings one.
    """
    return ToolContext(
        shopper,
        datetime.now(UTC),
        request_id,
        confirmation=confirmation,
        recommend=partial(recommend, service.agent.heed),
        memory=Remembered(service, shopper),
    )
