"""Whose conversation a session id names: an id is bound to the tenant and, once known, the shopper who used it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from agent.base import Answer, ChatRequest
from agent.sessions import Owner

MOST = 100_000


@dataclass(frozen=True)
class Sessions:
    """The owners of the conversations lately held here, the longest untouched forgotten first."""

    owners: OrderedDict[str, Owner] = field(default_factory=OrderedDict)

    async def admit(
        self, request: ChatRequest, tenant: str, elsewhere: Callable[[str], Awaitable[frozenset[Owner]]]
    ) -> tuple[ChatRequest, bool]:
        """Return the request as the agent may see it, and whether its session is someone else's.

        A guest who signs in keeps the conversation; a second shopper, or another tenant, starts afresh.

        Args:
            request: As it came.
            tenant: Of its key.
            elsewhere: Says who has a conversation of an id that was not held here (another worker may have it).
        """
        if request.session_id is None:
            return request, False
        here = self.owners.get(request.session_id)
        owners = frozenset([here]) if here is not None else await elsewhere(request.session_id)
        theirs = {Owner(tenant, None), Owner(tenant, request.user_id)}
        foreign = bool(owners) and not owners & theirs
        return (replace(request, session_id=None), True) if foreign else (request, False)

    def bind(self, answer: Answer, request: ChatRequest, tenant: str) -> None:
        """Remember whose conversation the answer belongs to."""
        self.owners[answer.session_id] = Owner(tenant, request.user_id)
        self.owners.move_to_end(answer.session_id)
        if len(self.owners) > MOST:
            self.owners.popitem(last=False)
