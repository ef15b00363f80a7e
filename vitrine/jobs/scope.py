"""How much of a batch job is done now."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of a batch job is done now.

    Attributes:
        limit: New pieces at most; None: all.
        retry_all: Whether what failed too often is tried again.
        dry_run: Only say what would be done, and how long it would take.
    """

    limit: int | None = None
    retry_all: bool = False
    dry_run: bool = False


WHOLE = Scope()
