"""The shop over MCP, asked by the official client: in process, over streamable HTTP, in both eras of the protocol."""

from __future__ import annotations

import asyncio
import base64
import io
import json
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, ElicitResult
from PIL import Image

from api.mcp_routes import bound_shopper
from api.mcp_server import mcp_server
from catalog.tenancy import acting_for
from tools.doubles import toy_events, toy_shop
from tools.registry import Registry, tool

KEY = "k" * 20
ERAS = pytest.mark.parametrize("mode", ["legacy", "auto"])
DISMISS = {"item_id": "V01", "kind": "dismiss"}


@asynccontextmanager
async def inside(service, user=None, session="s-1", mode="auto", **client: Any):
    """A client beside the server, in this process."""
    server = mcp_server(service, lambda _context: bound_shopper(user, session))
    async with Client(server, mode=mode, raise_exceptions=False, **client) as connected:
        yield connected


@asynccontextmanager
async def over_http(address, mode="auto", **headers: str):
    """A client that came in by `/mcp`."""
    http = httpx2.AsyncClient(headers=headers, timeout=30)
    async with http, Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as connected:
        yield connected


@pytest.fixture
def own(make, tmp_path):
    """A shop whose events nobody else sees."""
    shop = toy_shop(tmp_path)
    yield make.service(shop, Registry(shop))
    shop.events.close()


def facts(result) -> dict[str, Any]:
    assert not result.is_error, result.content
    return dict(result.structured_content["facts"])


@ERAS
def test_list_call_and_page_in_process(service, registry, mode):
    async def talk():
        async with inside(service, mode=mode) as client:
            tools = (await client.list_tools()).tools
            pages, cursor = [], None
            while True:
                arguments = {"sort": "price_asc", "top_n": 7, **({"cursor": cursor} if cursor else {})}
                result = await client.call_tool("search_items", arguments)
                pages.append(result)
                cursor = facts(result).get("cursor")
                if cursor is None:
                    return tools, pages

    tools, pages = asyncio.run(talk())
    assert [each.name for each in tools] == list(registry.names)
    assert [each.name for each in tools if not each.annotations.read_only_hint] == [
        "record_feedback",
        "undo_feedback",
        "forget_told",
    ]
    found = [item["item_id"] for page in pages for item in page.structured_content["items"]]
    assert len(found) == len(set(found)) == facts(pages[0])["total"]
    prices = [item["price"] for page in pages for item in page.structured_content["items"] if "price" in item]
    assert prices == sorted(prices)
    assert all(json.loads(page.content[0].text) == page.structured_content for page in pages)
    assert "trace" not in pages[0].structured_content
    slate = service.shop.events.slate(pages[0].structured_content["request_id"])
    assert list(slate.item_ids) == found[:7]


@ERAS
@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("search_items", {"top_n": 0}, "Mend the arguments and call again: search_items: 'top_n' is 0"),
        ("search_items", {"qurey": "x"}, "unknown field 'qurey'"),
        ("item_details", {"item_id": "nothing"}, "'item_id' names what this shop does not have"),
        ("shopper_history", {"user_id": "ben"}, "unknown field 'user_id'"),
        ("search_by_picture", {"item_id": "V01"}, "Not possible now, go on without: "),
    ],
)
def test_what_a_tool_refuses_is_an_answer_that_says_how_to_go_on(service, mode, name, arguments, says):
    async def talk():
        async with inside(service, mode=mode) as client:
            return await client.call_tool(name, arguments)

    result = asyncio.run(talk())
    assert result.is_error and says in result.content[0].text


@ERAS
def test_an_unknown_tool_is_an_error_of_the_protocol(service, mode):
    async def talk():
        async with inside(service, mode=mode) as client:
            with pytest.raises(MCPError) as caught:
                await client.call_tool("serch_items", {})
            return caught.value.error

    error = asyncio.run(talk())
    assert error.code == INVALID_PARAMS and "Did you mean 'search_items'?" in error.message


@ERAS
def test_a_bug_is_logged_and_not_quoted(make, shop, mode, caplog):
    @tool(access="read")
    def broken(call) -> Any:
        """Break."""
        raise ZeroDivisionError("the secret of the house")

    async def talk():
        async with inside(make.service(shop, Registry(shop, [broken])), mode=mode) as client:
            with pytest.raises(MCPError) as caught:
                await client.call_tool("broken", {})
            return caught.value.error

    error = asyncio.run(talk())
    assert (error.code, error.message) == (INTERNAL_ERROR, "something went wrong here, not in your request")
    assert "the secret of the house" in caplog.text


@ERAS
def test_a_write_waits_for_the_token_and_can_be_taken_back(own, mode):
    async def talk():
        async with inside(own, "dora", mode=mode) as client:
            asked = facts(await client.call_tool("record_feedback", DISMISS))["needs_confirmation"]
            assert own.shop.events.for_user("dora") == []
            token = asked["confirmation"]
            other = await client.call_tool("record_feedback", {**DISMISS, "item_id": "V02", "confirmation": token})
            assert other.is_error and "'confirmation' is not for record_feedback" in other.content[0].text
            assert own.shop.events.for_user("dora") == []
            recorded = facts(await client.call_tool("record_feedback", {**DISMISS, "confirmation": token}))["recorded"]
            assert [e.event_id for e in own.shop.events.for_user("dora")] == [recorded["event_id"]]
            undo = facts(await client.call_tool("undo_feedback", {}))["needs_confirmation"]["confirmation"]
            return facts(await client.call_tool("undo_feedback", {"confirmation": undo}))

    assert asyncio.run(talk())["undone"]["item_id"] == "V01"
    assert own.shop.events.for_user("dora") == []


@pytest.mark.parametrize(("answer", "written"), [("yes", 1), ("no", 0), ("decline", 0), ("cancel", 0)])
def test_a_client_that_can_ask_the_person_is_given_no_token(own, answer, written):
    asked = []

    async def person(_context, params):
        asked.append(params.message)
        if answer in ("yes", "no"):
            return ElicitResult(action="accept", content={"confirm": answer == "yes"})
        return ElicitResult(action=answer)

    async def talk():
        async with inside(own, "dora", elicitation_callback=person) as client:
            return await client.call_tool("record_feedback", DISMISS)

    result = asyncio.run(talk())
    assert asked == ["Shall I stop showing you Cobalt bud vase?"]
    assert len(own.shop.events.for_user("dora")) == written
    assert "confirmation" not in json.dumps(result.structured_content)


@ERAS
def test_items_are_resources_in_pages(service, mode):
    async def talk():
        async with inside(service, mode=mode) as client:
            listed = await client.list_resources()
            templates = await client.list_resource_templates()
            record = await client.read_resource("vitrine://items/S01")
            picture = await client.read_resource("vitrine://items/S01/picture")
            return listed, templates, record.contents[0], picture.contents[0]

    listed, templates, record, picture = asyncio.run(talk())
    assert [r.uri for r in listed.resources] == [f"vitrine://items/{i.item_id}" for i in service.shop.catalog]
    assert [t.uri_template for t in templates.resource_templates] == [
        "vitrine://items/{item_id}",
        "vitrine://items/{item_id}/picture",
    ]
    told = json.loads(record.text)
    assert (told["title"], told["variants"]) == ("Merino scarf, blue", ["S02", "S03"])
    assert Image.open(io.BytesIO(base64.b64decode(picture.blob))).size == (64, 64)


def test_a_large_catalogue_is_listed_page_by_page(service, monkeypatch):
    monkeypatch.setattr("api.mcp_resources.MAX_ITEMS", 7)

    async def talk():
        async with inside(service) as client:
            found, cursor = [], None
            while True:
                page = await client.list_resources(cursor=cursor)
                found.append([r.name for r in page.resources])
                cursor = page.next_cursor
                if cursor is None:
                    break
            for wrong in ("7", "7-abc", "x"):
                with pytest.raises(MCPError, match="not of this search"):
                    await client.list_resources(cursor=wrong)
            return found

    found = asyncio.run(talk())
    assert [len(page) for page in found] == [7, 7, 7, 7, 2]
    assert [name for page in found for name in page] == list(service.shop.catalog.ids.ids)


@ERAS
@pytest.mark.parametrize(
    "uri", ["vitrine://items/", "vitrine://items/zzz", "file:///etc/passwd", "vitrine://items/../x"]
)
def test_what_is_no_resource_is_refused(service, mode, uri):
    async def talk():
        async with inside(service, mode=mode) as client:
            with pytest.raises(MCPError) as caught:
                await client.read_resource(uri)
            return caught.value.error

    error = asyncio.run(talk())
    assert error.code == INVALID_PARAMS and "unknown" in error.message


@ERAS
def test_over_http_the_key_opens_and_the_headers_bind_the_shopper(own, make, mode):
    async def talk(address):
        heads = {"Authorization": f"Bearer {KEY}", "Vitrine-Session": "s-1"}
        told = {}
        for user in ("ana", "ben"):
            async with over_http(address, mode, **heads, **{"Vitrine-User": user}) as client:
                events = facts(await client.call_tool("shopper_history", {}))["events"]
                told[user] = {event["item_id"] for event in events}
                token = facts(await client.call_tool("record_feedback", DISMISS))["needs_confirmation"]["confirmation"]
        async with over_http(address, mode, **heads, **{"Vitrine-User": "ana"}) as client:
            foreign = await client.call_tool("record_feedback", {**DISMISS, "confirmation": token})
            assert foreign.is_error and "'confirmation' is not for" in foreign.content[0].text
            names = [each.name for each in (await client.list_tools()).tools]
        return told, names

    with acting_for("shop"):
        own.shop.events.put(toy_events())
    with make.running(own, {"VITRINE_API_KEYS": f"shop:{KEY}"}) as address:
        told, names = asyncio.run(talk(address))
    assert told == {"ana": {"S01", "V01", "M01"}, "ben": {"B01", "B04"}}
    assert names == list(own.registry.names)


@ERAS
def test_one_tenants_shoppers_are_unknown_to_another(own, make, mode):
    other = "o" * 20
    user = {"Vitrine-User": "dora", "Vitrine-Session": "s-1"}

    async def talk(address):
        async with over_http(address, mode, Authorization=f"Bearer {KEY}", **user) as client:
            token = facts(await client.call_tool("record_feedback", DISMISS))["needs_confirmation"]["confirmation"]
            assert facts(await client.call_tool("record_feedback", {**DISMISS, "confirmation": token}))["recorded"][
                "new"
            ]
            token = facts(await client.call_tool("undo_feedback", {}))["needs_confirmation"]["confirmation"]
        async with over_http(address, mode, Authorization=f"Bearer {other}", **user) as client:
            nothing = await client.call_tool("undo_feedback", {"confirmation": token})
            return facts(await client.call_tool("shopper_history", {}))["events"], nothing

    with make.running(own, {"VITRINE_API_KEYS": f"shop:{KEY},rival:{other}"}) as address:
        events, nothing = asyncio.run(talk(address))
    assert events == [] and "no feedback of this shopper" in nothing.content[0].text


def test_the_guard_stands_before_mcp_as_before_every_door(own, make):
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream", "Authorization": f"Bearer {KEY}"}
    with make.running(own, {"VITRINE_API_KEYS": f"shop:{KEY}"}) as address, httpx2.Client(base_url=address) as http:
        refused = http.post("/mcp", json=call, headers={**accept, "Authorization": "Bearer wrong-wrong-wrong-wrong"})
        assert (refused.status_code, refused.json()["field"]) == (401, "Authorization")
        assert http.post("/mcp", content="x", headers={**accept, "Content-Type": "text/plain"}).status_code == 415
        assert http.get("/mcp", headers=accept).status_code == 405
        answer = http.post("/mcp", json=call, headers=accept)
        assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store", answer.text
        assert len(answer.json()["result"]["tools"]) == len(own.registry.names)
        for bad in ("", "x" * 300, "a b", "a\tb"):
            said = http.post("/mcp", json=_history(), headers={**accept, "Vitrine-Session": bad}).json()
            assert said["error"]["code"] == INVALID_PARAMS and "Vitrine-Session is" in said["error"]["message"], bad


def test_what_is_no_request_is_no_bug(own, make, caplog):
    accept = {"Accept": "application/json, text/event-stream"}
    with make.running(own) as address:
        for params in ({"name": 7}, {"name": "search_items", "arguments": [1]}, {}):
            call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
            assert httpx2.post(f"{address}/mcp", json=call, headers=accept).json()["error"]["code"] == INVALID_PARAMS
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search_items", "arguments": {}}}
        call["params"]["arguments"]["query"] = "\ud800"
        sent = {**accept, "Content-Type": "application/json"}
        said = httpx2.post(f"{address}/mcp", content=json.dumps(call), headers=sent).json()
    assert "error" in said or said["result"]["isError"], said
    assert not [each for each in caplog.records if each.exc_info]


def _history() -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "shopper_history", "arguments": {}}}


def test_a_body_too_large_is_refused(own, make):
    from api.config import ApiConfig

    small = make.service(own.shop, own.registry, config=ApiConfig(max_picture_body_bytes=2048))
    with make.running(small) as address:
        answer = httpx2.post(f"{address}/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "x" * 4096})
    assert answer.status_code == 413
