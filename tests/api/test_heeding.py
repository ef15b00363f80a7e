"""What a shopper told in a chat counts for recommendations and for the catalogue's best order, with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from agent.loop import Agent
from agent.memory_sessions import MemorySessions
from agent.minds import Minds, ShopPlanner
from agent.sessions import SessionStore
from agent.shared_sessions import SharedSessions
from api.listing import TOLD_STRANGER
from catalog.conversations import ConversationRows
from catalog.event_tables import CONVERSATIONS
from catalog.told import Told
from tools.doubles import toy_shop
from tools.registry import Registry

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BLUE = {"V01", "V06", "L02", "S01", "B03", "M01"}


def entry(kind: Any, facet: str, value: str) -> Told:
    return Told(kind, facet, value, "...", NOON, "s0", "r0")


@pytest.fixture(params=["memory", "shared"])
def service(tmp_path: Path, make: Any, request: pytest.FixtureRequest) -> Any:
    shop = toy_shop(tmp_path)
    shared = SharedSessions(ConversationRows(shop.events, ttl_seconds=60, limit=100))
    sessions: SessionStore = shared if request.param == "shared" else MemorySessions(shop.catalog)
    minds = Minds(ShopPlanner(shop.catalog, shop.embedder))
    agent = Agent(shop, Registry(shop), minds, sessions=sessions)
    yield make.service(shop, agent.registry, agent)
    shop.events.close()


def post(client: TestClient, path: str, **body: Any) -> dict[str, Any]:
    answer = client.post(path, json=body, headers={"Accept": "application/json"})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def recommended(client: TestClient, **body: Any) -> tuple[dict[str, Any], list[str]]:
    found = post(client, "/v1/recommendations", **{"top_n": 30, **body})
    assert [each["rank"] for each in found["recommendations"]] == list(range(1, len(found["recommendations"]) + 1))
    return found, [each["item_id"] for each in found["recommendations"]]


def test_a_dislike_told_in_a_chat_keeps_items_out_and_the_list_says_why(client: TestClient) -> None:
    before, shown = recommended(client, user_id="cleo")
    assert BLUE & set(shown) and before["memory"] == {}
    post(client, "/v1/chat", message="I can't stand blue", user_id="cleo")
    after, left = recommended(client, user_id="cleo")
    assert left and not BLUE & set(left)
    (kept,) = after["memory"]["kept"]
    (told,) = client.get("/v1/users/cleo/memory").json()["entries"]
    assert kept == told["entry_id"]
    assert before["text"] == "What others like most, since nothing is known of you yet."
    assert after["text"].startswith("What others like most, since you have looked at nothing here yet. You told me ")
    assert after["text"].endswith("that you do not like blue, so I kept to that.")
    assert recommended(client, user_id="ana")[0]["memory"] == {}
    client.delete(f"/v1/users/cleo/memory/{kept}")
    assert recommended(client, user_id="cleo")[1] == shown


def test_a_guest_is_heard_in_their_own_session_alone(client: TestClient) -> None:
    post(client, "/v1/chat", message="I can't stand blue", session_id="s-guest")
    found, shown = recommended(client, session_id="s-guest")
    assert not BLUE & set(shown) and "You told me earlier" not in found["text"]
    assert "you do not like blue" in found["text"]
    assert BLUE & set(recommended(client, session_id="s-other")[1])
    assert BLUE & set(recommended(client, user_id="cleo", session_id="s-guest")[1])


def test_what_is_asked_for_wins_over_what_was_told(client: TestClient, service: Any) -> None:
    service.shop.events.put_told("cleo", [entry("dislike", "attribute.colour", "blue"), entry("budget", "price", "20")])
    found, shown = recommended(client, user_id="cleo", filters={"attributes": {"colour": ["blue"]}})
    # Only the budget counts, and M01 is the one blue thing below 20.
    assert shown == ["M01"] and len(found["memory"]["kept"]) == 1


def test_where_nothing_would_be_left_it_is_set_aside_and_said(client: TestClient, service: Any) -> None:
    service.shop.events.put_told("cleo", [entry("budget", "price", "1")])
    found, shown = recommended(client, user_id="cleo", filters={"category": ["mugs"]})
    assert set(shown) == {"M01", "M02", "M03", "M04", "M06"}  # M05 is out of stock
    assert list(found["memory"]) == ["set_aside"] and not found["nearest"] and found["blocking"] is None
    assert "Nothing fits both this and what you told me (you spend up to 1), so I set that aside." in found["text"]


def test_what_is_liked_goes_first(client: TestClient, service: Any) -> None:
    _, before = recommended(client, user_id="cleo")
    service.shop.events.put_told("cleo", [entry("like", "attribute.colour", "blue")])
    found, after = recommended(client, user_id="cleo")
    liked = [item_id for item_id in before if item_id in BLUE]
    assert before[: len(liked)] != liked
    assert after == [*liked, *(item_id for item_id in before if item_id not in BLUE)]
    assert list(found["memory"]) == ["liked"] and "so I put what you like first" in found["text"]


def test_the_catalogue_does_not_tell_who_told_something_that_nothing_is_known_of_them(
    client: TestClient, service: Any
) -> None:
    asked = {"user_id": "dora", "filters": {"available": True}}
    assert "nothing is known of you" in post(client, "/v1/search", **asked)["text"]
    service.shop.events.put_told("dora", [entry("dislike", "attribute.colour", "blue")])
    assert post(client, "/v1/search", **asked)["text"] == TOLD_STRANGER


def test_the_catalogue_puts_last_what_was_told_and_denies_nothing(client: TestClient, service: Any) -> None:
    asked = {"user_id": "cleo", "filters": {"available": True}, "top_n": 30}
    before = [each["item_id"] for each in post(client, "/v1/search", **asked)["items"]]
    service.shop.events.put_told("cleo", [entry("dislike", "attribute.colour", "blue")])
    after = [each["item_id"] for each in post(client, "/v1/search", **asked)["items"]]
    # Of the merino scarf the red one stands for the blue one now.
    assert set(after) == {*before, "S02"} - {"S01"}
    assert set(after[-5:]) == BLUE - {"S01"} != set(before[-5:])
    cheapest = post(client, "/v1/search", **asked, sort="price_asc")["items"]
    assert [each["price"] for each in cheapest if each["price"]] == sorted(e["price"] for e in cheapest if e["price"])
    assert post(client, "/v1/search", **asked, query="blue mug")["items"][0]["item_id"] == "M01"


def by_tool(client: TestClient, door: str, user_id: str | None, session_id: str = "s0", **given: Any) -> dict[str, Any]:
    given = {"top_n": 30, **given}
    if door == "tools":
        who = {"user_id": user_id, "session_id": session_id}
        return post(client, "/v1/tools/recommend_items", arguments=given, **who)
    called = {"name": "recommend_items", "arguments": given}
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": called}
    named = {"Vitrine-Session": session_id, **({"Vitrine-User": user_id} if user_id else {})}
    answer = client.post("/mcp", json=rpc, headers={"Accept": "application/json, text/event-stream", **named})
    found: dict[str, Any] = answer.json()["result"]["structuredContent"]
    return found


DOORS = pytest.mark.parametrize("door", ["tools", "mcp"])


@pytest.fixture
def begun(client: TestClient) -> Iterator[TestClient]:
    with client:  # MCP lives as long as the service does
        yield client


@DOORS
def test_a_tool_that_recommends_heeds_what_was_told(begun: TestClient, service: Any, door: str) -> None:
    before = by_tool(begun, door, "cleo")
    assert BLUE & {each["item_id"] for each in before["items"]} and "memory" not in before["facts"]
    service.shop.events.put_told("cleo", [entry("dislike", "attribute.colour", "blue")])
    after = by_tool(begun, door, "cleo")
    shown = [each["item_id"] for each in after["items"]]
    assert shown == recommended(begun, user_id="cleo")[1] and shown and not BLUE & set(shown)
    assert len(after["facts"]["memory"]["kept"]) == 1
    assert after["text"].startswith(f"{len(shown)} items, ") and after["text"].endswith(
        "do not like blue, so I kept to that."
    )
    asked = by_tool(begun, door, "cleo", filters={"attributes": {"colour": ["blue"]}})
    assert {each["item_id"] for each in asked["items"]} <= BLUE and "memory" not in asked["facts"]
    assert BLUE & {each["item_id"] for each in by_tool(begun, door, "dora")["items"]}


@DOORS
def test_a_tool_heeds_a_guest_in_their_own_session_alone(begun: TestClient, door: str) -> None:
    post(begun, "/v1/chat", message="I can't stand blue", session_id="s-guest")
    assert not BLUE & {each["item_id"] for each in by_tool(begun, door, None, "s-guest")["items"]}
    assert BLUE & {each["item_id"] for each in by_tool(begun, door, None, "s-other")["items"]}


def use_tool(client: TestClient, name: str, token: str | None = None, **who: Any) -> dict[str, Any]:
    given = {"entries": ["all"]} if name == "forget_told" else {}
    return post(client, f"/v1/tools/{name}", arguments=given, confirmation=token, **who)["facts"]


@pytest.mark.parametrize("user_id", [None, "cleo"])
def test_a_tool_shows_and_forgets_what_was_told_in_the_conversation_too(
    client: TestClient, user_id: str | None
) -> None:
    who = {"session_id": "s-1", **({"user_id": user_id} if user_id else {})}
    post(client, "/v1/chat", message="I can't stand blue", **who)
    (told,) = use_tool(client, "get_profile", **who)["told"]
    assert (told["value"], told["words"]) == ("blue", "I can't stand blue")
    assert use_tool(client, "get_profile", session_id="s-2")["told"] == []
    token = use_tool(client, "forget_told", **who)["needs_confirmation"]["confirmation"]
    assert use_tool(client, "forget_told", token, **who)["forgotten"] == [told["entry_id"]]
    assert use_tool(client, "get_profile", **who)["told"] == []
    assert BLUE & set(recommended(client, **who)[1])


def test_a_chat_heeds_once_what_was_told(client: TestClient, service: Any) -> None:
    service.shop.events.put_told("cleo", [entry("dislike", "attribute.colour", "blue")])
    answer = post(client, "/v1/chat", message="recommend me something", user_id="cleo")
    assert answer["text"].count("do not like blue") == 1
    (run,) = client.get(f"/v1/traces/{answer['trace_id']}").json()["tools"]
    assert run["arguments"]["filters"]["not"]["attributes"]["colour"] == ["blue"] and "memory" not in run["facts"]


@pytest.mark.parametrize("service", ["shared"], indirect=True)
@pytest.mark.parametrize("state", ["{broken", '{"told": [{"kind": "walnut"}]}', '{"said": []}'])
def test_a_damaged_conversation_stops_no_page(
    client: TestClient, service: Any, state: str, caplog: pytest.LogCaptureFixture
) -> None:
    post(client, "/v1/chat", message="I can't stand blue", session_id="s-guest")
    service.shop.events.transaction(lambda connection: connection.execute(update(CONVERSATIONS).values(state=state)))
    assert BLUE & set(recommended(client, session_id="s-guest")[1])
    assert client.get("/v1/sessions/s-guest/memory").json()["entries"] == []
    told = [each.getMessage() for each in caplog.records if "conversation unreadable" in each.getMessage()]
    assert len(told) == 2 and not any("walnut" in each or "s-guest" in each for each in told)
