"""For whom the running request is answered: the tenant whose rows a store reads and writes.

The guard of the wire sets it for each request; it follows the request into threads (`asyncio.to_thread`) and tasks.
Outside a request it is `OPEN_TENANT`, which no key may name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

OPEN_TENANT = "open"
"""The tenant of a service without keys, of the command line and of jobs."""

_TENANT: ContextVar[str] = ContextVar("tenant", default=OPEN_TENANT)


def current_tenant() -> str:
    """Return the tenant of the running request."""
    return _TENANT.get()


@contextmanager
def acting_for(tenant: str) -> Iterator[None]:
    """Read and write rows of `tenant` inside the block."""
    token = _TENANT.set(tenant)
    try:
        yield
    finally:
        _TENANT.reset(token)
