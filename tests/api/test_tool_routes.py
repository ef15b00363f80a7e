from __future__ import annotations

import pytest

from tools.doubles import toy_shop
from tools.registry import Registry


def test_the_tools_are_those_of_the_registry(client, registry):
    body = client.get("/v1/tools").json()
    assert [tool["name"] for tool in body["tools"]] == list(registry.names)
    assert [tool["name"] for tool in body["tools"] if tool["access"] == "write"] == [
        "record_feedback",
        "undo_feedback",
        "forget_told",
    ]
    assert body["openai"] == registry.openai_tools()
    assert all(tool["parameters"]["additionalProperties"] is False for tool in body["tools"])


def test_a_call_gives_items_and_facts(client):
    answer = client.post("/v1/tools/search_items", json={"arguments": {"query": "blue vase", "top_n": 2}}).json()
    assert len(answer["items"]) == 2 and answer["text"] and answer["request_id"]
    assert answer["items"][0]["image"].startswith("/v1/items/")
    assert answer["facts"]["ground"] == "query"


def test_the_shopper_is_bound_outside_the_arguments(client):
    answer = client.post("/v1/tools/shopper_history", json={"user_id": "ana", "arguments": {}}).json()
    assert {event["item_id"] for event in answer["facts"]["events"]} >= {"S01", "V01", "M01"}
    refused = client.post("/v1/tools/shopper_history", json={"arguments": {"user_id": "ana"}})
    assert refused.status_code == 422 and refused.json()["field"] == "user_id"


def test_a_write_waits_for_the_shoppers_yes_and_can_be_taken_back(make, tmp_path):
    shop = toy_shop(tmp_path)
    client = make.client(make.service(shop, Registry(shop)))

    def call(name, arguments, token=None):
        answer = client.post(f"/v1/tools/{name}", json=dict(arguments=arguments, user_id="dora", confirmation=token))
        assert answer.status_code == 200, answer.text
        return answer.json()["facts"]

    dismiss = {"item_id": "V01", "kind": "dismiss"}
    token = call("record_feedback", dismiss)["needs_confirmation"]["confirmation"]
    assert shop.events.for_user("dora") == []
    recorded = call("record_feedback", dismiss, token)["recorded"]
    (event,) = shop.events.for_user("dora")
    assert (event.item_id, event.kind, event.event_id) == ("V01", "dismiss", recorded["event_id"])
    token = call("undo_feedback", {})["needs_confirmation"]["confirmation"]
    assert call("undo_feedback", {"confirmation": token})["undone"]["item_id"] == "V01"  # among the arguments as well
    assert shop.events.for_user("dora") == []
    shop.events.close()


def test_the_strict_form_is_there_for_the_asking(client, registry):
    assert client.get("/v1/tools?strict=true").json()["openai"] == registry.openai_tools(strict=True)


@pytest.mark.parametrize(
    ("name", "body", "status", "field"),
    [
        ("serch_items", {}, 404, "name"),
        ("search_items", {"arguments": {"top_n": 0}}, 422, "top_n"),
        ("search_items", {"arguments": {"top_n": 10**6}}, 422, "top_n"),
        ("search_items", {"arguments": {"query": "a", "colour": "b"}}, 422, "colour"),
        ("item_details", {"arguments": {"item_id": "nothing"}}, 422, "item_id"),
        ("search_items", {"arguments": []}, 422, "arguments"),
        ("search_items", {"query": "blue"}, 422, "query"),
    ],
)
def test_bad_calls_name_the_field(client, name, body, status, field):
    answer = client.post(f"/v1/tools/{name}", json=body)
    assert answer.status_code == status, answer.text
    assert answer.json()["field"] == field


def test_an_unknown_tool_names_the_closest(client):
    assert "search_items" in client.post("/v1/tools/serch_items", json={}).json()["detail"]
