"""A flood is answered with 503 and `Retry-After`, at once, and one kind of request leaves room for the others."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from api.config import ApiConfig
from api.doubles import ScriptedAgent, toy_service
from api.listing import at_once
from api.load import Lane, lane_of
from api.load_config import LaneConfig, LoadConfig
from catalog.errors import EventStoreError


@pytest.mark.parametrize(
    ("path", "lane"),
    [
        ("/v1/chat", "chat"),
        ("/v1/chat/completions", "chat"),
        ("/v1/audio/transcriptions", "chat"),
        ("/v1/events", "events"),
        ("/v1/recommendations", "answers"),
        ("/mcp", "answers"),
        ("/health/live", None),
        ("/metrics", None),
        ("/", None),
    ],
)
def test_which_room_a_request_takes(path, lane):
    assert lane_of(path) == lane


@pytest.mark.parametrize(("method", "lane"), [("PUT", "writes"), ("DELETE", "writes"), ("GET", "answers")])
def test_writes_of_items_take_no_shoppers_place(method, lane):
    assert lane_of("/v1/items/V01", method) == lane


def test_who_waits_longest_comes_next_and_one_too_many_is_refused():
    async def go() -> list[str]:
        lane, came = Lane(LaneConfig(at_once=1, waiting=2, seconds=5)), []

        async def visit(name: str) -> None:
            came.append(name if not await lane.enter() else f"{name} refused")

        assert await lane.enter() == ""
        waiting = [asyncio.create_task(visit(name)) for name in ("first", "second", "third")]
        await asyncio.sleep(0)
        assert came == ["third refused"] and lane.waiting == 2
        lane.leave()
        lane.leave()
        await asyncio.gather(*waiting)
        assert lane.at_work == 1
        lane.leave()
        assert lane.at_work == 0
        return came

    assert asyncio.run(go()) == ["third refused", "first", "second"]


def test_who_gives_up_leaves_no_place_taken():
    async def go() -> None:
        lane = Lane(LaneConfig(at_once=1, waiting=2, seconds=0.01))
        await lane.enter()
        assert await lane.enter() == "waited"
        gone = asyncio.create_task(lane.enter())
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        given = asyncio.create_task(lane.enter())
        await asyncio.sleep(0)
        lane.leave()
        given.cancel()  # in the moment the place is given to it
        _, outcome = await asyncio.gather(gone, given, return_exceptions=True)
        if outcome == "":  # Python 3.11 lets the place count for more than the cancelling: its taker leaves as usual
            lane.leave()
        assert (lane.at_work, lane.waiting) == (0, 0)

    asyncio.run(go())


def test_a_flood_of_chats_is_refused_and_recommendations_go_on(make, shop, registry):
    narrow = LoadConfig(chat=LaneConfig(at_once=1, waiting=0, seconds=1))
    service = make.service(shop, registry, ScriptedAgent(shop, pause=0.6), ApiConfig(load=narrow))
    with make.running(service) as address, httpx.Client(base_url=address, timeout=20) as http:
        begun = threading.Event()

        def talk() -> None:
            body = {"message": "a blue vase"}
            with httpx.Client(base_url=address, timeout=20) as own, own.stream("POST", "/v1/chat", json=body) as answer:
                for line in answer.iter_lines():
                    begun.set()
                    said.append(line)

        said: list[str] = []
        thread = threading.Thread(target=talk)
        thread.start()
        assert begun.wait(10)
        refused = http.post("/v1/chat", json={"message": "a red vase"})
        assert refused.status_code == 503 and refused.headers["Retry-After"] == "1"
        assert refused.headers["Content-Type"] == "application/problem+json" and refused.json()["request_id"]
        assert http.post("/v1/recommendations", json={}).status_code == 200
        assert http.get("/health/ready").status_code == 200
        thread.join(20)
        assert "event: done" in said
        told = http.get("/metrics").text
        assert 'vitrine_http_refused_total{lane="chat",reason="full"} 1.0' in told
        assert 'vitrine_http_at_work{lane="chat"} 0.0' in told


def test_health_page_and_metrics_answer_while_every_thread_waits_for_a_database(make, shop, registry, monkeypatch):
    """A database that hangs, above all: who asks whether the process is alive must not wait for it as well."""
    hold, waiting = threading.Event(), threading.Semaphore(0)

    def hang(*_: object) -> None:
        waiting.release()
        hold.wait(20)
        raise EventStoreError("event store does not answer")

    monkeypatch.setattr(shop.events, "put", hang)
    service = make.service(shop, registry, config=ApiConfig(load=LoadConfig(events=LaneConfig(at_once=60))))
    with make.running(service) as address, ThreadPoolExecutor(60) as callers:
        events = [callers.submit(httpx.put, f"{address}/v1/events", json={"events": []}, timeout=30) for _ in range(60)]
        try:
            assert all(waiting.acquire(timeout=10) for _ in range(40)), "anyio lends forty threads"
            for path in ("/health/live", "/health/ready", "/metrics", "/", "/page/app.js"):
                assert httpx.get(f"{address}{path}", timeout=5).status_code == 200, path
        finally:
            hold.set()
        assert {each.result().status_code for each in events} == {503}


def test_a_flood_of_writes_leaves_shoppers_their_places(make, shop, registry, monkeypatch):
    """Deletions wait for what was begun before them: a merchant who sends hundreds must not close the shop."""
    narrow = LoadConfig(writes=LaneConfig(at_once=1, waiting=0), answers=LaneConfig(at_once=1, waiting=0))
    hold, begun = threading.Event(), threading.Event()

    def slow(*_: object) -> bool:
        begun.set()
        return hold.wait(20) and False

    monkeypatch.setattr("api.item_writes.may_write", slow)
    service = make.service(shop, registry, config=ApiConfig(load=narrow))
    with make.running(service) as address, httpx.Client(base_url=address, timeout=20) as http:
        writer = threading.Thread(target=lambda: httpx.delete(f"{address}/v1/items/V01", timeout=20))
        writer.start()
        assert begun.wait(10)
        refused = http.put("/v1/items/V02", json={"title": "A vase"})
        shown = http.post("/v1/recommendations", json={})
        hold.set()
        writer.join(20)
    assert (refused.status_code, shown.status_code) == (503, 200)


def test_a_worker_makes_so_many_pages_at_once(tmp_path):
    service = toy_service(tmp_path)
    room = at_once(replace(service, config=ApiConfig(load=LoadConfig(pages=1))))
    with room:
        assert not room.acquire(blocking=False)
    assert room.acquire(blocking=False)
    service.shop.events.close()
