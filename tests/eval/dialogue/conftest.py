from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.config import AgentConfig
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from tools.doubles import TOY_NOW, toy_shop
from tools.registry import Registry


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """The planner of the toy shop."""
    shop = toy_shop(tmp_path)
    yield Agent(
        shop, Registry(shop), Minds(ShopPlanner(shop.catalog, shop.embedder)), AgentConfig(), now=lambda: TOY_NOW
    )
    shop.events.close()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as running:
        yield running
