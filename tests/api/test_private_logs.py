"""What a shopper says and wishes for is in no log: not after a chat, not after a search, not after a bug."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest

from agent.base import ChatRequest
from api.doubles import ScriptedAgent
from vitrine.logs import JsonFormatter

PLANTED = ("ada.lovelace@example.org", "+49 170 5551234", "orthopaedic")
SAID = f"Write to {PLANTED[0]} or call {PLANTED[1]}: I want {PLANTED[2]} shoes"


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything at INFO, as `vitrine serve` writes it."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    handler.setFormatter(JsonFormatter())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    monkeypatch.setattr(
        logging.getLogger("httpx2"), "disabled", True
    )  # the test's own client, which tells of addresses
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


class Failing(ScriptedAgent):
    """A bug that quotes what it was given."""

    async def turn(self, request: ChatRequest):
        raise RuntimeError(f"cannot read {request.message!r}")
        yield

    async def answer(self, request: ChatRequest):
        raise RuntimeError(f"cannot read {request.message!r}")


def test_no_log_holds_what_a_shopper_says(make, shop, registry, logged):
    for agent in (ScriptedAgent(shop), Failing(shop)):
        client = make.client(make.service(shop, registry, agent))
        for headers in ({}, {"Accept": "application/json"}):
            client.post("/v1/chat", json={"message": SAID, "user_id": "dora"}, headers=headers)
        client.post("/v1/search", json={"query": SAID})
        client.get("/v1/items/" + PLANTED[0])
        body = {"model": "vitrine", "messages": [{"role": "user", "content": SAID}]}
        client.post("/v1/chat/completions", json=body)
    written = logged.getvalue()
    assert '"event": "http method=POST route=/v1/chat status=200' in written
    assert "turn failed" in written
    for planted in PLANTED:
        assert planted not in written
