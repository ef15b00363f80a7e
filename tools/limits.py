"""The limits every tool shares, so that what one returns another takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

MAX_ITEMS = 100
"""Most items a tool returns in one answer, and most ids a tool takes."""

MAX_TEXT = 1000
"""Most characters of a query or a note."""

DEFAULT_TOP_N = 10

TopN = Annotated[int, Field(ge=1, le=MAX_ITEMS)]
ItemIds = Annotated[tuple[str, ...], Field(max_length=MAX_ITEMS)]
Text = Annotated[str, Field(max_length=MAX_TEXT)]
