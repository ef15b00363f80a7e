"""Every answer that shows items is logged as a slate under the id that events cite, with true chances."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.config import AgentConfig
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from catalog.errors import NotFoundError
from tools.pipeline.exploration import ExplorationConfig
from tools.registry import Registry

WHO = {"user_id": "ana", "session_id": "s-slates"}


def planner(shop):
    registry = Registry(shop)
    return Agent(shop, registry, Minds(ShopPlanner(shop.catalog, shop.embedder, shop.captions), None), AgentConfig())


def kept(shop, answer, items):
    slate = shop.events.slate(answer["request_id"])
    assert slate.item_ids == tuple(item["item_id"] for item in items) != ()
    assert (slate.user_id, slate.session_id) == ("ana", "s-slates")
    assert len(slate.propensities) == len(slate.item_ids)
    return slate


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/v1/recommendations", {"top_n": 4}, "recommendations"),
        ("POST", "/v1/search", {"query": "blue vase", "top_n": 4}, "items"),
        ("GET", "/v1/items/V01/similar", {"top_n": 4}, "items"),
    ],
)
def test_lists_are_kept(client, shop, method, path, body, field):
    given = {"params": {**WHO, **body}} if method == "GET" else {"json": {**WHO, **body}}
    answer = client.request(method, path, **given).json()
    assert set(kept(shop, answer, answer[field]).propensities) == {1.0}


def test_what_a_tool_shows_is_kept(client, shop):
    for name, arguments in (("recommend_items", {"top_n": 3}), ("similar_items", {"item_id": "V01"})):
        answer = client.post(f"/v1/tools/{name}", json={**WHO, "arguments": arguments}).json()
        kept(shop, answer, answer["items"])
    nothing = client.post("/v1/tools/catalogue_facts", json={**WHO, "arguments": {}}).json()
    if not nothing["items"]:
        with pytest.raises(NotFoundError):
            shop.events.slate(nothing["request_id"])


def test_a_chat_answer_is_kept_and_an_event_cites_it(make, shop, registry):
    client = make.client(make.service(shop, registry, planner(shop)))
    asked = {**WHO, "message": "a blue vase, please"}
    answer = client.post("/v1/chat", json=asked, headers={"Accept": "application/json"}).json()
    slate = shop.events.slate(answer["request_id"])
    shown = [item["item_id"] for item in answer["recommendations"]]
    assert shown and list(slate.item_ids) == shown and slate.user_id == "ana"
    event = {
        "event_id": "cites", "user_id": "ana", "session_id": "s-slates", "item_id": shown[0], "kind": "click",
        "timestamp": "2026-03-02T11:00:00Z", "request_id": answer["request_id"],
    }  # fmt: skip
    assert client.put("/v1/events", json={"events": [event]}).json()["rejected"] == []
    cited = [e for e in shop.events.for_user("ana") if e.event_id == "cites"]
    assert [e.request_id for e in cited] == [answer["request_id"]]


def test_exploring_recommendations_log_the_chance_of_each_item(make, shop, registry):
    exploration = ExplorationConfig(slots=(2, 3), share=0.5, new_share=0.0)
    exploring = replace(shop, pipeline=shop.pipeline.model_copy(update={"exploration": exploration}))
    client = make.client(make.service(exploring, registry))
    body = {**WHO, "top_n": 4}
    chances = set()
    for _ in range(12):
        answer = client.post("/v1/recommendations", json=body).json()
        slate = kept(shop, answer, answer["recommendations"])
        assert slate.propensities[0] == slate.propensities[3] == 1.0
        chances |= set(slate.propensities[1:3])
    assert 0.5 in chances and min(chances) < 0.5
