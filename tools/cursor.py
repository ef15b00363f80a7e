"""Cursors: where the next page of one particular call begins."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from catalog.errors import ToolRetry
from tools.arguments import canonical, shown

_WRITTEN = re.compile(r"([0-9]{1,9})-([0-9]{1,9})-([0-9a-f]{12})")


def cursor_at(offset: int, arguments: Mapping[str, Any], reach: int = 0) -> str:
    """Return the cursor for `offset` of the call with `arguments` (the cursor itself left out).

    Args:
        offset: Results on the pages before.
        arguments: What was asked.
        reach: How many candidates the first page looked at; every later page looks at as many, so that pages neither
            overlap nor miss anything and all tell the same total.
    """
    return f"{offset}-{reach}-{_stamp(arguments, reach)}"


def page_of(cursor: str | None, arguments: Mapping[str, Any], reach: int = 0) -> tuple[int, int]:
    """Return where a page begins and the reach of its search: 0 and `reach` without a cursor.

    Raises:
        ToolRetry: When the cursor is not one of ours, or belongs to another call.
    """
    if cursor is None:
        return 0, reach
    written = _WRITTEN.fullmatch(cursor)
    if written is None or written[3] != _stamp(arguments, int(written[2])):
        raise ToolRetry(f"'cursor' is {shown(cursor)}: not of this search; leave it out to begin at the first page")
    return int(written[1]), int(written[2])


def _stamp(arguments: Mapping[str, Any], reach: int) -> str:
    return hashlib.sha256(canonical({"asked": dict(arguments), "reach": reach}).encode()).hexdigest()[:12]
