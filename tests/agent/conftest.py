from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.config import AgentConfig, LLMConfig
from agent.doubles import Talk
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from catalog.items import Catalog
from catalog.nouns import Item
from tools.doubles import TOY_NOW, toy_shop
from tools.registry import Registry
from tools.shop import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = toy_shop(tmp_path)
    yield opened
    opened.events.close()


@pytest.fixture
def talk(shop: Shop) -> Iterator[Callable[..., Talk]]:
    """Begin a conversation; `base_url` names an LLM's server, `items` replaces records, the rest is `AgentConfig`."""
    with asyncio.Runner() as runner:

        def begin(
            base_url: str | None = None, *, items: Sequence[Item] = (), llm: dict[str, Any] | None = None, **config: Any
        ) -> Talk:
            changed = {item.item_id: item for item in items}
            records = [changed.get(item.item_id, item) for item in shop.catalog]
            opened = replace(shop, catalog=Catalog(records)) if items else shop
            served = LLMConfig(base_url=base_url, model="scripted", **(llm or {})) if base_url else None
            minds = Minds(ShopPlanner(opened.catalog, opened.embedder), served)
            settings = AgentConfig(llm=served, **config)
            agent = Agent(opened, Registry(opened), minds, settings, now=lambda: TOY_NOW)
            return Talk(agent, runner, user_id="ana")

        yield begin
