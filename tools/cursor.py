"""Cursors: where the next page of one particular call begins."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from catalog.errors import ToolRetry
from tools.arguments import canonical


def cursor_at(offset: int, arguments: Mapping[str, Any]) -> str:
    """Return the cursor for `offset` of the call with `arguments` (the cursor itself left out)."""
    return f"{offset}-{_stamp(arguments)}"


def offset_of(cursor: str | None, arguments: Mapping[str, Any]) -> int:
    """Return where a page begins; 0 without a cursor.

    Raises:
        ToolRetry: When the cursor is not one of ours, or belongs to another call.
    """
    if cursor is None:
        return 0
    offset, _, stamp = cursor.partition("-")
    if not offset.isdecimal() or len(offset) > 6 or stamp != _stamp(arguments):
        raise ToolRetry(f"'cursor' is {cursor!r}: not of this search; leave it out to begin at the first page")
    return int(offset)


def _stamp(arguments: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(arguments).encode()).hexdigest()[:12]
