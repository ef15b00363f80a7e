"""The open shop at the end of the road: served as a user would serve it, asked whether it is well, asked once."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from catalog.errors import ServiceError
from catalog.log import positives
from catalog.shop_data import load_shop
from catalog.workspace import Workspace
from vitrine.real.supervisor import Supervised
from vitrine.settings import Settings

START_SECONDS = 300.0
ASK_SECONDS = 120.0
SHOWN = 5
WISH = "what would you recommend for me?"


def open_shop(
    settings: Settings, options: Sequence[str], port: int, log: Path, tell: Callable[[str], None]
) -> Supervised:
    """Start `vitrine serve` on the store and wait until it is ready.

    Args:
        settings: Name the store and the address.
        options: `--set` words that choose captioner, embedder and mind.
        port: Where it listens.
        log: Gets what it writes.
        tell: Given a line for the start.

    Raises:
        ServiceError: When it does not open.
    """
    command = [
        sys.executable, "-m", "vitrine", "serve", "--store", str(settings.store), "--port", str(port), *options,
    ]  # fmt: skip
    shop = Supervised(
        "shop", command, f"http://127.0.0.1:{port}/health/ready", log, stop_seconds=settings.real.stop_seconds
    )
    shop.start(START_SECONDS, tell)
    return shop


def ask_shop(settings: Settings, port: int) -> list[str]:
    """Return the shop's health, one recommendation and one answer, a line or several each.

    Raises:
        ServiceError: When the shop refuses, or recommends nothing.
    """
    base = f"http://127.0.0.1:{port}"
    ready = _call(base, "/health/ready", None)
    parts = ", ".join(f"{name} {what}" for name, what in sorted(ready["active"].items()))
    lines = [f"health: {ready['status']}, {ready['items']:,} items; {parts}"]
    user = _regular(settings)
    found = _call(base, "/v1/recommendations", {"user_id": user, "top_n": SHOWN})
    if not found["recommendations"]:
        raise ServiceError(f"the shop at {base} recommends nothing to {user!r}: {found['text']}")
    lines.append(f"recommended to {user!r}: {found['text']}")
    lines += [f"  {each['title'] or each['item_id']}" for each in found["recommendations"]]
    if settings.agent.llm is not None:
        answer = _call(base, "/v1/chat", {"user_id": user, "message": WISH, "top_n": 3})
        told = "; ".join(answer["disclosures"])
        lines.append(f"asked {WISH!r}: {answer['text']}{f' ({told})' if told else ''}")
    return lines


def _regular(settings: Settings) -> str:
    """Return the shopper with the most successes."""
    taken = positives(load_shop(Workspace(settings.store)).log, settings.positives)
    counted = taken.group_by("user_id").len().sort(["len", "user_id"], descending=[True, False])
    return str(counted.select(pl.first("user_id")).item())


def _call(base: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
    import httpx

    key = os.environ.get("VITRINE_API_KEYS", "").partition(",")[0].rpartition(":")[2].strip()
    headers = {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    try:
        answer = httpx.request(
            "GET" if body is None else "POST", base + path, json=body, headers=headers, timeout=ASK_SECONDS,
            trust_env=False,
        )  # fmt: skip
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise ServiceError(f"the shop at {base} answers {path} not as it should: {error}") from error
    return told
