"""Items written and deleted while the shop is open, over the wire; what was deleted is shown in no channel."""

from __future__ import annotations

import gc
import itertools
import json
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from agent.loop import Agent
from agent.memory_sessions import MemorySessions
from agent.minds import Minds, ShopPlanner
from api.app import create_app
from api.config import ApiConfig
from api.keys import load_keys
from api.server import opened as opened_server
from api.service import Service
from catalog.item_journal import JOURNAL, ItemJournal
from tools.doubles import ToyReader, toy_shop
from tools.live import LiveParts, LiveShop
from tools.live_config import LiveConfig
from tools.registry import Registry
from tools.shop import Shop

KETTLE = {
    "title": "Magenta kettle", "description": "Sings when the water boils.", "price": 30.0, "currency": "EUR",
    "brand": "Tinkern", "categories": ["home", "kettles"], "attributes": {"colour": ["magenta"]},
    "images": ["media/V01.png"], "availability": True,
}  # fmt: skip


def opened(folder: Path, config: ApiConfig | None = None) -> LiveShop[Service]:
    shop = toy_shop(folder, pictures=True)
    sessions = MemorySessions(shop.catalog)
    live: LiveShop[Service]

    def dress(snapshot: Shop) -> Service:
        registry = Registry(snapshot)
        minds = Minds(ShopPlanner(snapshot.catalog, snapshot.embedder, snapshot.captions))
        agent = Agent(snapshot, registry, minds, sessions=sessions)
        return Service(snapshot, registry, agent, config or ApiConfig())

    parts = LiveParts(ToyReader(), lambda same: same.statistics, config=LiveConfig(look_seconds=0.1))
    live = LiveShop(shop, ItemJournal(folder / JOURNAL, shop.name), parts, dress)
    return live


@pytest.fixture
def live(tmp_path: Path) -> Iterator[LiveShop[Service]]:
    live = opened(tmp_path)
    yield live
    live.close()
    live.newest.events.close()


@pytest.fixture
def client(live: LiveShop[Service]) -> TestClient:
    return TestClient(create_app(replace(live.current, live=live)))


def searched(client: TestClient, **body: object) -> list[str]:
    return [item["item_id"] for item in client.post("/v1/search", json={"top_n": 30, **body}).json()["items"]]


def recommended(client: TestClient, **body: object) -> list[str]:
    answer = client.post("/v1/recommendations", json={"top_n": 30, **body}).json()
    return [item["item_id"] for item in answer["recommendations"]]


def said(client: TestClient, message: str, **body: object) -> dict:
    headers = {"Accept": "application/json"}
    answer = client.post("/v1/chat", json={"message": message, "top_n": 10, **body}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_new_item_is_there_at_once_and_soon_in_every_channel(client, live):
    answer = client.put("/v1/items/K%2F1", json=KETTLE)
    assert answer.status_code == 202
    assert answer.json() == {"item_id": "K/1", "created": True, "changed": True, "pending": True}
    record = client.get("/v1/items/K%2F1").json()
    assert record["title"] == "Magenta kettle" and record["price"] == 30.0
    event = {"event_id": "e1", "user_id": "eve", "item_id": "K/1", "kind": "view"}
    assert client.put("/v1/events", json={"events": [event]}).json()["accepted"] == 1
    assert live.wait(5)
    record = client.get("/v1/items/K%2F1").json()
    assert not record["pending"] and record["caption"] == "A magenta object."
    assert searched(client, query="magenta kettle")[0] == "K/1"
    assert searched(client, filters={"category": ["kettles"]}, sort="price_asc") == ["K/1"]
    assert "K/1" in recommended(client, user_id="cleo")
    assert "K/1" in [item["item_id"] for item in client.get("/v1/items/V01/similar?top_n=40").json()["items"]]
    assert client.get("/v1/items/K%2F1/similar").json()["items"]
    assert client.get("/v1/items/K%2F1/picture").status_code == 200
    answer = said(client, "a magenta kettle")
    assert [each["item_id"] for each in answer["recommendations"]][:1] == ["K/1"]
    facts = client.post("/v1/tools/catalogue_facts", json={"arguments": {}}).json()["facts"]
    assert facts["in_catalogue"] == 31 and client.get("/health/ready").json()["items"] == 31
    assert "kettles" in client.get("/v1/shop").json()["categories"]


def test_the_same_again_changes_nothing_and_another_price_does(client, live):
    client.put("/v1/items/K1", json=KETTLE)
    live.wait(5)
    again = client.put("/v1/items/K1", json=KETTLE)
    assert (again.status_code, again.json()["changed"], again.json()["pending"]) == (200, False, False)
    dearer = client.put("/v1/items/K1", json={**KETTLE, "price": 45.0, "item_id": "K1"})
    assert dearer.json() == {"item_id": "K1", "created": False, "changed": True, "pending": True}
    assert client.get("/v1/items/K1").json()["price"] == 45.0
    live.wait(5)
    found = client.post("/v1/search", json={"query": "magenta kettle"}).json()["items"][0]
    assert (found["item_id"], found["price"]) == ("K1", 45.0)


def test_a_deleted_item_is_in_no_channel_and_no_conversation(client):
    first = said(client, "blue vases")
    gone = first["recommendations"][0]
    item_id, title, session = gone["item_id"], gone["title"], first["session_id"]
    page = client.post("/v1/search", json={"query": "vase", "top_n": 2}).json()
    assert client.delete(f"/v1/items/{item_id}").json() == {"item_id": item_id, "deleted": True}
    assert client.delete(f"/v1/items/{item_id}").json() == {"item_id": item_id, "deleted": False}
    for path in ("", "/similar", "/picture"):
        assert client.get(f"/v1/items/{item_id}{path}").status_code == 404
    assert item_id not in searched(client, query=title)
    assert item_id not in searched(client, filters={"category": ["vases"]}, sort="price_asc")
    assert item_id not in recommended(client, user_id="ana")
    assert item_id not in recommended(client, session_id="new")
    rest = client.post("/v1/search", json={"query": "vase", "top_n": 10, "cursor": page["cursor"]})
    if rest.status_code == 200:
        assert item_id not in [each["item_id"] for each in rest.json()["items"]]
    details = client.post("/v1/tools/item_details", json={"arguments": {"item_ids": [item_id]}})
    assert title not in details.text
    messages = ("tell me more about the first", "is the first one cheaper than the second?", "more like the first",
                "show me the list again", f"what about the {title}?", "cheaper ones", "yes")  # fmt: skip
    for message in messages:
        answer = said(client, message, session_id=session)
        assert item_id not in [each["item_id"] for each in answer["recommendations"]], message
        if title.casefold() not in message.casefold():
            assert title not in answer["text"], (message, answer["text"])
    history = [
        {"role": "user", "content": "blue vases"},
        {"role": "assistant", "content": "These.", "recommendations": [{"item_id": item_id}]},
        {"role": "user", "content": "tell me more about the first"},
    ]
    answer = client.post("/v1/chat/completions", json={"messages": history}).json()
    assert item_id not in [each["item_id"] for each in answer["recommendations"]]
    assert title not in answer["choices"][0]["message"]["content"]


def test_the_second_in_a_list_stays_the_second_when_the_first_goes(client):
    first = said(client, "blue vases")
    gone, second = first["recommendations"][:2]
    client.delete(f"/v1/items/{gone['item_id']}")
    answer = said(client, "tell me more about the second one", session_id=first["session_id"])
    assert second["title"] in answer["text"] and gone["title"] not in answer["text"]


def test_four_who_ask_while_items_come_and_go_never_see_what_went(client, live):
    said(client, "a lamp")  # what the first turn loads is not the matter here
    deleted: set[str] = set()
    done = threading.Event()
    asked = itertools.count()

    def ask(n: int) -> list[str]:
        faults: list[str] = []
        while not done.is_set() or next(asked) < 12:
            gone = set(deleted)
            if n == 0:
                shown = searched(client, query="magenta kettle")
            elif n == 1:
                shown = recommended(client, user_id="ana")
            elif n == 2:
                shown = [each["item_id"] for each in said(client, "a magenta kettle")["recommendations"]]
            else:
                shown = [each["item_id"] for each in client.get("/v1/items/M01/similar?top_n=40").json()["items"]]
            if back := gone & set(shown):
                faults.append(f"{n}: {back}")
            time.sleep(0.02)  # the writers share the processor with those who ask
        return faults

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, n) for n in range(4)]
        try:
            for n in range(8):
                assert client.put(f"/v1/items/K{n}", json={**KETTLE, "price": 30.0 + n}).status_code == 202
                if n % 2:
                    live.wait(10)
                    victim = f"K{n - 1}" if n < 5 else f"V0{n - 3}"
                    assert client.delete(f"/v1/items/{victim}").json()["deleted"]
                    deleted.add(victim)
        finally:
            done.set()
        assert [each.result() for each in asking] == [[], [], [], []]


REFUSED = [
    ({"images": ["/etc/passwd"]}, "images.0"),
    ({"images": ["media/../../secret.png"]}, "images.0"),
    ({"images": ["media/ok.png", "file:///etc/passwd"]}, "images.1"),
    ({"videos": ["other/film.mp4"]}, "videos.0"),
    ({"url": "javascript:alert(1)"}, "url"),
    ({"price": -1}, "price"),
    ({"currency": "euro"}, "currency"),
    ({"titel": "Vase"}, "titel"),
    ({"item_id": "another"}, "item_id"),
    ({"title": ""}, "title"),
    ({"title": "Vase\0"}, "title"),
    ({"description": "Tall\0"}, "description"),
    ({"price": 1e13}, "price"),
    ({"rating": 1e39}, "rating"),
    ({"rating_count": 10**30}, "rating_count"),
]


@pytest.mark.parametrize(("body", "field"), REFUSED, ids=[f"{field}-{n}" for n, (_, field) in enumerate(REFUSED)])
def test_what_is_no_record_is_refused_and_nothing_is_written(client, live, body, field):
    answer = client.put("/v1/items/K1", json={**KETTLE, **body})
    assert answer.status_code == 422 and answer.json()["field"] == field
    assert answer.headers["content-type"] == "application/problem+json"
    assert client.get("/v1/items/K1").status_code == 404 and live.pending == 0


def test_a_number_that_is_none_is_refused(client):
    body = json.dumps({**KETTLE, "price": float("nan")})
    answer = client.put("/v1/items/K1", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422


def test_only_named_tenants_write_where_there_are_several(tmp_path):
    keys = load_keys({"VITRINE_API_KEYS": "one:aaaaaaaaaaaaaaaaaaaa,two:bbbbbbbbbbbbbbbbbbbb"})
    one, two = ({"Authorization": f"Bearer {letter * 20}"} for letter in "ab")
    live = opened(tmp_path)
    for named, status in (((), (403, 403)), (("one",), (202, 403))):
        config = ApiConfig(catalogue_tenants=named)
        client = TestClient(create_app(replace(live.current, live=live, config=config), keys=keys))
        answers = [client.put("/v1/items/K1", json=KETTLE, headers=who) for who in (one, two)]
        assert tuple(answer.status_code for answer in answers) == status
        assert client.delete("/v1/items/V01", headers=two).status_code == 403
        assert client.put("/v1/items/K1", json=KETTLE).status_code == 401
    assert "catalogue_tenants" in answers[1].json()["detail"]
    live.close()
    live.newest.events.close()


def test_a_service_whose_catalogue_never_changes_says_so(tmp_path):
    shop = toy_shop(tmp_path)
    registry = Registry(shop)
    agent = Agent(shop, registry, Minds(ShopPlanner(shop.catalog)))
    client = TestClient(create_app(Service(shop, registry, agent)))
    assert client.put("/v1/items/K1", json=KETTLE).status_code == 501
    assert client.delete("/v1/items/V01").status_code == 501
    shop.events.close()


def test_who_rests_on_a_connection_keeps_no_old_snapshot_in_memory(live: LiveShop[Service]) -> None:
    server = opened_server(replace(live.current, live=live), "127.0.0.1", 0, environment={})
    thread = threading.Thread(target=server.run)
    thread.start()
    snapshots: list[weakref.ref[Shop]] = []
    with ExitStack() as resting:
        try:
            for number in range(4):
                snapshots.append(weakref.ref(live.newest))
                caller = resting.enter_context(httpx.Client(base_url=server.address, timeout=30))
                assert caller.post("/v1/search", json={"query": "blue vase"}).status_code == 200
                assert caller.post("/v1/chat", json={"message": "a blue vase"}).status_code == 200
                assert caller.post("/v1/recommendations", json={"user_id": "ana"}).status_code == 200
                with httpx.Client(base_url=server.address, timeout=30) as merchant:
                    merchant.put(f"/v1/items/N{number}", json=KETTLE).raise_for_status()
                assert live.wait(10)
            assert live.newest is not snapshots[-1]()
            end = time.monotonic() + 10
            # The first is the service's own; the others are of those who read them, and nobody does.
            while any(shop() is not None for shop in snapshots[1:]) and time.monotonic() < end:
                gc.collect()
                time.sleep(0.05)
            assert [shop() is None for shop in snapshots[1:]] == [True, True, True]
        finally:
            server.stop()
            thread.join(20)
    assert not thread.is_alive()
