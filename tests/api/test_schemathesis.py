"""What the OpenAPI document says is what the service does: schemathesis, every check, on a running shop."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from agent.loop import Agent
from agent.memory_sessions import MemorySessions
from agent.minds import Minds, ShopPlanner
from api.config import ApiConfig
from api.service import Service
from catalog.item_journal import JOURNAL, ItemJournal
from tools.doubles import ToyReader, toy_shop
from tools.live import LiveParts, LiveShop
from tools.registry import Registry
from tools.shop import Shop

ROOT = Path(__file__).parents[2]
KEY = "a-key-of-sixteen-characters"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("keys", "phases"),
    [({}, "examples,coverage,fuzzing,stateful"), ({"VITRINE_API_KEYS": f"acme:{KEY}"}, "examples,coverage")],
    ids=["open", "keys"],
)
def test_no_check_fails(tmp_path, make, keys, phases):
    live = live_shop(tmp_path)
    try:
        with make.running(replace(live.current, live=live), keys) as address:
            operations = sum(map(len, httpx.get(f"{address}/openapi.json", timeout=60).json()["paths"].values()))
            auth = ["--header", f"Authorization: Bearer {KEY}"] if keys else []
            done = schemathesis(tmp_path, f"{address}/openapi.json", "--phases", phases, *auth)
    finally:
        live.close()
        live.newest.events.close()
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert f"Tested: {operations}\n" in done.stdout


def schemathesis(folder: Path, document: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the command of docs/http.md with a bound on its examples; it leaves its notes in `folder`."""
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "--config-file", str(ROOT / "schemathesis.toml")]
    checks = ["--checks", "all", "--seed", "7", "--no-shrink", "--continue-on-failure"]
    bounds = ["--max-examples", "2", "--request-timeout", "60"]
    return subprocess.run(
        [*command, "run", document, *checks, *bounds, *options], cwd=folder, capture_output=True, text=True, timeout=240
    )


def live_shop(folder: Path) -> LiveShop[Service]:
    """Open the toy shop with the agent that needs no LLM, and a journal so that items can be written."""
    shop = toy_shop(folder, pictures=True)
    sessions = MemorySessions(shop.catalog)

    def dress(snapshot: Shop) -> Service:
        registry = Registry(snapshot)
        minds = Minds(ShopPlanner(snapshot.catalog, snapshot.embedder, snapshot.captions))
        return Service(snapshot, registry, Agent(snapshot, registry, minds, sessions=sessions), ApiConfig())

    parts = LiveParts(ToyReader(), lambda same: same.statistics)
    return LiveShop(shop, ItemJournal(folder / JOURNAL, shop.name), parts, dress)
