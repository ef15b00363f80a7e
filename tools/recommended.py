"""A list chosen for a shopper, and who chooses it: the pipeline alone, or with what the shopper told put into it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from tools.pipeline.nouns import PipelineRequest, PipelineResult
from tools.pipeline.run import run
from tools.shop import Shop


@dataclass(frozen=True)
class Recommended:
    """A page as its shopper likes it.

    Attributes:
        request: As the pipeline was asked at last.
        result: The page.
        memory: Ids of the entries that counted, by how: `kept`, `liked`, `set_aside`.
        said: What is said of it, "" for nothing.
    """

    request: PipelineRequest
    result: PipelineResult
    memory: dict[str, list[str]] = field(default_factory=dict)
    said: str = ""


Recommending: TypeAlias = Callable[[Shop, PipelineRequest], Recommended]
"""Makes a page of what was asked for."""


def as_asked(shop: Shop, request: PipelineRequest) -> Recommended:
    """Recommend by the request alone: a conversation has put into its filters what the shopper told."""
    return Recommended(request, run(shop, request))
