"""The toy shop, and a way to ask its tools."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.base import Shopper, ToolContext, ToolResult
from tools.doubles import TOY_NOW, toy_shop
from tools.registry import Registry
from tools.shop import Shop

Ask = Callable[..., ToolResult]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = toy_shop(tmp_path)
    yield shop
    shop.events.close()


@pytest.fixture
def ask(shop: Shop) -> Ask:
    """Call a tool as a stranger, or as `user`; `confirmed` holds canonical arguments."""
    registry = Registry(shop)

    def call(
        name: str,
        arguments: Any = None,
        *,
        user: str | None = None,
        session: str | None = None,
        recent: tuple[str, ...] = (),
        confirmed: tuple[str, ...] = (),
        request_id: str = "r-1",
    ) -> ToolResult:
        shopper = Shopper(user, session, recent)
        return registry.call(name, arguments, ToolContext(shopper, TOY_NOW, request_id, frozenset(confirmed)))

    return call


@pytest.fixture
def ids(ask: Ask) -> Callable[..., list[str]]:
    """Call a tool and keep the item ids alone."""
    return lambda *args, **kwargs: [c.item_id for c in ask(*args, **kwargs).candidates]
