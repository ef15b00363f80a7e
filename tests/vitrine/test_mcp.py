"""`vitrine mcp`, started as a desktop client starts it: a process of its own, asked over its standard streams.

Both eras of the protocol are tried in `tests/api/test_mcp.py`; here is the one that desktop clients speak today.
"""

from __future__ import annotations

import asyncio
import os
import sys

import pytest
from mcp import Client, StdioServerParameters


@pytest.mark.slow
def test_the_official_client_starts_the_shop_and_asks_it(store):
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    command = ["-m", "vitrine", "mcp", "--store", str(store), "--user", "u1", "--session", "s-1"]
    server = StdioServerParameters(command=sys.executable, args=command, env={**quiet, "OMP_NUM_THREADS": "1"})

    async def talk():
        async with Client(server, mode="legacy", read_timeout_seconds=60) as client:
            names = [tool.name for tool in (await client.list_tools()).tools]
            found = await client.call_tool("search_items", {"query": "green mug", "filters": {"price": {"max": 20}}})
            past = await client.call_tool("shopper_history", {})
            praise = {"item_id": "M01", "kind": "praise"}
            asked = await client.call_tool("record_feedback", praise)
            token = asked.structured_content["facts"]["needs_confirmation"]["confirmation"]
            done = await client.call_tool("record_feedback", {**praise, "confirmation": token})
            record = await client.read_resource("vitrine://items/M01")
            return names, found, past, done, record

    names, found, past, done, record = asyncio.run(talk())
    assert names[0] == "search_items" and "undo_feedback" in names
    assert found.structured_content["items"][0]["item_id"] == "M01"
    assert past.structured_content["facts"]["events"]
    assert done.structured_content["facts"]["recorded"]["new"] is True
    assert '"title": "Green mug"' in record.contents[0].text


def test_a_shopper_who_cannot_be_one_is_refused_in_one_line(run, store):
    assert "Vitrine-Session is 'a b'" in run("mcp", "--store", store, "--session", "a b").line
