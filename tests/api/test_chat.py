from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from agent.base import AgentEvent, Answer, ChatRequest, Done, Problem, Recommendations, Status, Token
from api.config import ApiConfig
from api.doubles import ScriptedAgent
from catalog.errors import ServiceError


def events_of(text: str) -> list[tuple[str, Any]]:
    """Read server-sent events by hand: comments begin with a colon, a blank line ends an event."""
    found = []
    for block in text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        if lines:
            fields = dict(line.split(": ", 1) for line in lines)
            found.append((fields["event"], json.loads(fields["data"])))
    return found


def test_a_turn_streams_status_tokens_items_and_done_last(client):
    answer = client.post("/v1/chat", json={"message": "blue vase"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = events_of(answer.text)
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "status" and kinds[-1] == "done"
    assert kinds.count("recommendations") == 1 and kinds.count("done") == 1
    by_kind = dict(events)
    assert by_kind["status"] == {"tool": "search_items", "text": "Looking through 30 items"}
    tokens = "".join(data["text"] for kind, data in events if kind == "token")
    done, shown = by_kind["done"], by_kind["recommendations"]
    assert tokens == done["text"]
    assert shown["outcome"] == done["outcome"] == "recommended"
    assert shown["items"] == done["recommendations"]
    assert {"session_id", "request_id", "trace_id"} <= done.keys()


def test_a_recommendation_carries_the_record_and_its_evidence(client, shop):
    answer = client.post(
        "/v1/chat", json={"message": "cobalt vase", "top_n": 1}, headers={"Accept": "application/json"}
    )
    (first,) = answer.json()["recommendations"]
    item = shop.catalog["V01"]
    assert (first["item_id"], first["title"], first["price"]) == ("V01", item.title, item.price)
    assert (first["currency"], first["brand"], first["rank"]) == ("EUR", "Glasgar", 1)
    assert first["image"] == "/v1/items/V01/picture"
    assert first["caption"] == shop.captions["V01"][0].text
    assert first["reason"]
    for fact in first["evidence"]:
        assert fact.keys() == {"kind", "name", "value", "text"}
        assert fact["kind"] in {"field", "caption", "event", "signal", "model"}


def test_no_file_of_the_store_is_named(client):
    text = client.post("/v1/chat", json={"message": "blue vase"}).text
    assert "media/" not in text


@pytest.mark.parametrize("accept", ["application/json", "application/json; q=1"])
def test_accept_json_gives_one_answer(client, accept):
    answer = client.post("/v1/chat", json={"message": "zzz"}, headers={"Accept": accept})
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body["outcome"] == "nothing" and body["recommendations"] == []
    assert body["disclosures"] == [] and body["session_restarted"] is False


@pytest.mark.parametrize("accept", ["*/*", "text/event-stream", "application/json, text/event-stream"])
def test_anything_else_is_streamed(client, accept):
    answer = client.post("/v1/chat", json={"message": "blue vase"}, headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_a_conversation_goes_on_and_top_n_is_a_ceiling(client):
    headers = {"Accept": "application/json"}
    first = client.post("/v1/chat", json={"message": "blue vase lamp", "top_n": 3}, headers=headers).json()
    body = {"message": "cheaper ones", "session_id": first["session_id"], "top_n": 3}
    second = client.post("/v1/chat", json=body, headers=headers).json()
    assert second["session_id"] == first["session_id"] and not second["session_restarted"]
    cheapest = min(item["price"] for item in first["recommendations"])
    assert 1 <= len(second["recommendations"]) <= 3
    assert all(item["price"] < cheapest for item in second["recommendations"])


def test_an_unknown_session_is_disclosed(client):
    body = {"message": "mugs", "session_id": "long-gone"}
    answer = client.post("/v1/chat", json=body, headers={"Accept": "application/json"}).json()
    assert answer["session_restarted"] is True


def test_another_shoppers_session_is_not_continued(client):
    headers = {"Accept": "application/json"}
    body = {"message": "mugs", "user_id": "ana"}
    first = client.post("/v1/chat", json=body, headers=headers).json()
    body = {"message": "cheaper", "user_id": "ben", "session_id": first["session_id"]}
    second = client.post("/v1/chat", json=body, headers=headers).json()
    assert second["session_id"] != first["session_id"]
    assert second["session_restarted"] is True and second["disclosures"]


@dataclass
class Failing(ScriptedAgent):
    """Fails in the middle of a turn."""

    error: Exception | None = None
    tell: bool = True

    async def turn(self, request: ChatRequest) -> AsyncIterator[AgentEvent]:
        yield Status("search_items", "Looking")
        if self.error:
            raise self.error
        if self.tell:
            yield Problem("Too late", "The time was up.", 503)
            yield Token("Here is what I have.")
            yield Recommendations("error", ())
            yield Done(Answer("error", "Here is what I have.", (), "s", "r", "t"))


def test_done_comes_last_after_a_problem_of_the_agent(make, shop, registry):
    client = make.client(make.service(shop, registry, Failing(shop)))
    events = events_of(client.post("/v1/chat", json={"message": "mugs"}).text)
    assert [kind for kind, _ in events] == ["status", "error", "token", "recommendations", "done"]
    error = dict(events)["error"]
    assert (error["status"], error["title"], error["detail"]) == (503, "Too late", "The time was up.")
    assert error["request_id"]


@pytest.mark.parametrize(
    ("error", "status", "shown"),
    [(RuntimeError("secret of the code"), 500, "sorry"), (ServiceError("the model is away"), 503, "the model is away")],
)
def test_done_comes_last_after_a_bug(make, shop, registry, error, status, shown, caplog):
    client = make.client(make.service(shop, registry, Failing(shop, error=error)))
    text = client.post("/v1/chat", json={"message": "mugs", "session_id": "mine"}).text
    events = events_of(text)
    assert [kind for kind, _ in events] == ["status", "error", "done"]
    assert events[1][1]["status"] == status and shown in events[1][1]["detail"]
    assert events[2][1]["outcome"] == "error" and events[2][1]["session_id"] == "mine"
    assert events[2][1]["recommendations"] == []
    assert "secret" not in text
    logged = [record for record in caplog.records if "turn failed" in record.message]
    assert len(logged) == 1


def test_a_turn_without_an_end_gets_one(make, shop, registry):
    client = make.client(make.service(shop, registry, Failing(shop, tell=False)))
    events = events_of(client.post("/v1/chat", json={"message": "mugs"}).text)
    assert [kind for kind, _ in events] == ["status", "error", "done"]


def test_a_bug_in_the_json_door_is_a_plain_500(make, shop, registry):
    class Broken(ScriptedAgent):
        async def answer(self, request: ChatRequest) -> Answer:
            raise RuntimeError("secret of the code")

    client = make.client(make.service(shop, registry, Broken(shop)))
    answer = client.post("/v1/chat", json={"message": "mugs"}, headers={"Accept": "application/json"})
    assert answer.status_code == 500 and answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.headers["content-security-policy"] and answer.json()["request_id"] == answer.headers["x-request-id"]


def test_the_request_after_a_bug_is_answered(make, shop, registry):
    """The server closes a connection on which something of ours failed: its caller is told, and opens another."""

    class Failing(ScriptedAgent):
        def _think(self, request):
            raise RuntimeError("a bug")

    told = {"Accept": "application/json"}
    with make.running(make.service(shop, registry, Failing(shop))) as address, httpx.Client(base_url=address) as http:
        for _ in range(3):
            answer = http.post("/v1/chat", json={"message": "hello"}, headers=told)
            assert (answer.status_code, answer.headers.get("connection")) == (500, "close")


def test_a_silent_stream_says_it_is_alive(make, shop, registry):
    config = ApiConfig(keep_alive_seconds=0.02)
    client = make.client(make.service(shop, registry, ScriptedAgent(shop, pause=0.08), config))
    text = client.post("/v1/chat", json={"message": "zzz"}).text
    assert ": still here" in text and events_of(text)[-1][0] == "done"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 422, "message"),
        ({"message": "   "}, 422, "message"),
        ({"message": 7}, 422, "message"),
        ({"message": "x" * 4001}, 422, "message"),
        ({"message": "a", "top_n": 0}, 422, "top_n"),
        ({"message": "a", "top_n": 1_000_000}, 422, "top_n"),
        ({"message": "a", "top_n": "5"}, 422, "top_n"),
        ({"message": "a", "top_n": True}, 422, "top_n"),
        ({"message": "a", "session_id": "x" * 65}, 422, "session_id"),
        ({"message": "a", "session_id": "a\nb"}, 422, "session_id"),
        ({"message": "a", "session_id": ""}, 422, "session_id"),
        ({"message": "a", "user_id": "a\u0000b"}, 422, "user_id"),
        ({"message": "a", "images": ["/etc/passwd"]}, 422, "images.0"),
        ({"message": "a", "images": ["data:image/png;base64,AA"] * 5}, 422, "images"),
        ({"message": "a", "mesage": "b"}, 422, "mesage"),
        ([], 422, None),
        ("text", 422, None),
    ],
)
def test_bad_requests_name_the_field(client, body, status, field):
    answer = client.post("/v1/chat", json=body)
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.get("field") == field
    assert "\n" not in problem["detail"]


def test_nan_is_no_number(client):
    answer = client.post(
        "/v1/chat", content='{"message": "a", "top_n": NaN}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422 and answer.json()["field"] == "top_n"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ('{"message": "a \\ud800"}', "message"),
        ('{"message": "a", "images": ["b", "\\udfff"]}', "images.1"),
        ("null", None),
    ],
)
def test_half_a_surrogate_pair_is_no_text(client, content, field):
    answer = client.post("/v1/chat", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422 and answer.json().get("field") == field


def test_a_whole_surrogate_pair_is_text(client):
    content = '{"message": "a \\ud83d\\ude00"}'
    answer = client.post("/v1/chat", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 200


def test_what_a_shopper_typed_is_not_logged(client, caplog):
    caplog.set_level("INFO")
    client.post("/v1/chat", json={"message": "anniversary present for Beatrice", "user_id": "ana"})
    assert "Beatrice" not in caplog.text
    (line,) = [r.message for r in caplog.records if r.name == "vitrine.api"]
    assert line.startswith("http method=POST route=/v1/chat status=200 ms=")


def test_a_shopper_who_leaves_stops_the_agent(make, shop, registry):
    left = threading.Event()

    class Slow(ScriptedAgent):
        async def turn(self, request: ChatRequest) -> AsyncIterator[AgentEvent]:
            try:
                yield Status("search_items", "Looking")
                await asyncio.sleep(60)
            finally:
                left.set()

    with make.running(make.service(shop, registry, Slow(shop))) as address:
        with httpx.stream("POST", f"{address}/v1/chat", json={"message": "mugs"}) as stream:
            assert next(stream.iter_lines()) == "event: status"
        assert left.wait(10)
