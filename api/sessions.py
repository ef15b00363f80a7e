"""Whose conversation a session id names: an id is bound to the tenant and, once known, the shopper who used it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from agent.base import Answer, ChatRequest

MOST = 100_000


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a conversation belongs to; `user_id` None is a guest."""

    tenant: str
    user_id: str | None


@dataclass(frozen=True)
class Sessions:
    """The owners of the conversations lately held, the longest untouched forgotten first."""

    owners: OrderedDict[str, Owner] = field(default_factory=OrderedDict)

    def admit(self, request: ChatRequest, tenant: str) -> tuple[ChatRequest, bool]:
        """Return the request as the agent may see it, and whether its session is someone else's.

        A guest who signs in keeps the conversation; a second shopper, or another tenant, starts afresh.
        """
        owner = self.owners.get(request.session_id or "")
        if owner is None:
            return request, False
        foreign = owner.tenant != tenant or (owner.user_id is not None and owner.user_id != request.user_id)
        return (replace(request, session_id=None), True) if foreign else (request, False)

    def bind(self, answer: Answer, request: ChatRequest, tenant: str) -> None:
        """Remember whose conversation the answer belongs to."""
        self.owners[answer.session_id] = Owner(tenant, request.user_id)
        self.owners.move_to_end(answer.session_id)
        if len(self.owners) > MOST:
            self.owners.popitem(last=False)
