"""What a key may do: one table says which scope each door and each kind of tool asks for.

A door the table does not name asks for `admin`, so that a new door is shut until somebody says who may use it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from starlette.applications import Starlette
from starlette.routing import Match, Route
from starlette.types import Scope

from api.addresses import segmented
from api.audit import person
from api.problems import ApiProblem
from catalog.tenancy import OPEN_TENANT
from tools.base import Access, Tool
from tools.writes import told_of_writes

ApiScope = Literal["read", "events", "write", "agent", "metrics", "admin"]
"""`read`: look at the catalogue and be recommended from it. `events`: tell what shoppers did, by tools too. `write`:
change the catalogue. `agent`: hold conversations, with what they leave behind. `metrics`: what Prometheus reads, which
counts every tenant's traffic. `admin`: everything."""

SCOPES: frozenset[ApiScope] = frozenset(get_args(ApiScope))

DOORS: Mapping[tuple[str, str], ApiScope] = {
    ("GET", "/v1/shop"): "read",
    ("POST", "/v1/search"): "read",
    ("POST", "/v1/facets"): "read",
    ("POST", "/v1/recommendations"): "read",
    ("GET", "/v1/items/{item_id}/similar"): "read",
    ("GET", "/v1/items/{item_id}/picture"): "read",
    ("GET", "/v1/items/{item_id}"): "read",
    ("PUT", "/v1/items/{item_id}"): "write",
    ("DELETE", "/v1/items/{item_id}"): "write",
    ("PUT", "/v1/events"): "events",
    ("DELETE", "/v1/events/{event_id}"): "events",
    ("GET", "/v1/tools"): "read",
    ("POST", "/v1/tools/{name}"): "read",  # and what the tool itself asks for
    ("POST", "/mcp"): "read",  # likewise
    ("GET", "/metrics"): "metrics",
    ("POST", "/v1/chat"): "agent",
    ("POST", "/v1/chat/completions"): "agent",
    ("GET", "/v1/models"): "agent",
    ("POST", "/v1/audio/transcriptions"): "agent",
    ("GET", "/v1/traces/{trace_id}"): "agent",
    ("GET", "/v1/traces/{trace_id}/items/{item_id}"): "agent",
    ("GET", "/v1/users/{user_id}/memory"): "agent",
    ("DELETE", "/v1/users/{user_id}/memory/{entry_id}"): "agent",
    ("DELETE", "/v1/users/{user_id}/memory"): "agent",
    ("GET", "/v1/sessions/{session_id}/memory"): "agent",
    ("DELETE", "/v1/sessions/{session_id}/memory/{entry_id}"): "agent",
    ("DELETE", "/v1/sessions/{session_id}/memory"): "agent",
    ("DELETE", "/v1/users/{user_id}"): "admin",
    ("GET", "/v1/events/dead-letters"): "admin",
}
"""By method and address, as the routes say them."""

TOOLS: Mapping[Access, ApiScope] = {"read": "read", "write": "events"}
"""What a tool asks for, by what it does."""

PERSONAL = frozenset({"user_id", "session_id"})
"""Parts of an address that name a person, or open a guest's conversation: kept in the audit log as a digest."""


@dataclass(slots=True)
class Caller:
    """Who makes the running request.

    Attributes:
        key_id: Which key; `open` where none is asked for.
        tenant: Whose.
        scopes: What it may do.
        wrote: Names of the tools that wrote, for the audit log.
        late: Told of a tool that writes when the answer has begun already, as in a stream.
    """

    key_id: str = OPEN_TENANT
    tenant: str = OPEN_TENANT
    scopes: frozenset[ApiScope] = SCOPES
    wrote: list[str] = field(default_factory=list)
    late: Callable[[str], None] | None = None

    def note(self, name: str) -> None:
        """Note that a tool wrote."""
        self.wrote.append(name)
        if self.late is not None:
            self.late(name)

    def may(self, scope: ApiScope) -> bool:
        """Whether the key carries a scope."""
        return scope in self.scopes or "admin" in self.scopes


_CALLER: ContextVar[Caller | None] = ContextVar("caller", default=None)


@contextmanager
def called_by(caller: Caller) -> Iterator[None]:
    """Let `caller` be who makes the request inside the block."""
    token = _CALLER.set(caller)
    try:
        with told_of_writes(caller.note):
            yield
    finally:
        _CALLER.reset(token)


@dataclass(frozen=True, slots=True)
class Door:
    """An address as the table names it.

    Attributes:
        method: In capitals.
        pattern: With the names of its parts, as `/v1/items/{item_id}`.
        scope: What it asks for.
        parts: What stood in their place.
    """

    method: str
    pattern: str
    scope: ApiScope
    parts: Mapping[str, Any]

    @property
    def writes(self) -> bool:
        """Whether it is there to change something; tools say of themselves whether they do."""
        return self.method in ("PUT", "PATCH", "DELETE")

    @property
    def target(self) -> str:
        """What it is about, shoppers as a digest."""
        return " ".join(person(str(v)) if name in PERSONAL else str(v) for name, v in self.parts.items())


def door_of(app: Starlette, scope: Scope) -> Door | None:
    """Return the door a request stands before, as the router will find it; None where there is none."""
    seen = segmented(scope)
    for route in app.routes:
        if not isinstance(route, Route):
            continue
        match, found = route.matches(seen)
        if match is Match.FULL:
            pattern, method = route.path_format, scope["method"]
            asked = DOORS.get(("GET" if method == "HEAD" else method, pattern), "admin")
            return Door(method, pattern, asked, found["path_params"])
    return None


def demand(caller: Caller, scope: ApiScope, what: str) -> None:
    """Raise ApiProblem 403, which names the scope, unless the caller's key carries it."""
    if not caller.may(scope):
        held = ", ".join(sorted(caller.scopes)) or "none"
        detail = f"{what} needs a key of scope {scope!r}; this one has {held}"
        told = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}  # RFC 6750, section 3.1
        raise ApiProblem(403, detail, field="Authorization", headers=told)


def demand_tool(tool: Tool) -> None:
    """Let the running request call a tool.

    Raises:
        ApiProblem: 403, when the key does not carry what the tool asks for.
    """
    caller = _CALLER.get()
    if caller is None:  # a command of the operator, or standard input and output: no key, no wire
        return
    demand(caller, TOOLS[tool.access], f"the tool {tool.name!r}")


def scope_of(method: str, path: str) -> ApiScope:
    """Return what an operation of the OpenAPI document asks for."""
    return DOORS.get((method.upper(), path), "admin")
