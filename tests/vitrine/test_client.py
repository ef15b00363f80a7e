"""The client against a running shop, and against a transport that fails on purpose."""

from __future__ import annotations

import asyncio
import inspect
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from api.config import ApiConfig
from api.doubles import ScriptedAgent
from api.server import opened
from api.service import Service
from catalog.tenancy import acting_for
from tools.doubles import toy_shop
from tools.registry import Registry
from vitrine.client import (
    AsyncClient,
    Client,
    Done,
    Recommendations,
    Refused,
    Status,
    Token,
    Unreachable,
    answers,
    calls,
    window,
)

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.S)
KEY = "a-key-of-sixteen-characters"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    shop = toy_shop(tmp_path_factory.mktemp("shop"))
    yield Service(shop, Registry(shop), ScriptedAgent(shop), ApiConfig())
    shop.events.close()


@pytest.fixture(scope="module")
def address(service: Service) -> Iterator[str]:
    shop_window = opened(service, "127.0.0.1", 0, environment={"VITRINE_API_KEYS": f"acme:{KEY}"})
    thread = threading.Thread(target=shop_window.run)
    thread.start()
    yield shop_window.address
    shop_window.stop()
    thread.join(20)


@pytest.fixture
def shop(address: str) -> Iterator[Client]:
    with Client(address, key=KEY) as client:
        yield client


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_of_the_documentation_run(address, example, capsys):
    assert len(example.strip().splitlines()) <= 10
    exec(compile(example.replace('"http://127.0.0.1:8000"', f'"{address}", key="{KEY}"'), "client.md", "exec"), {})
    assert capsys.readouterr().out


def test_lists_items_and_events(shop):
    found = shop.search("blue vase", top_n=3)
    assert [item.rank for item in found.items] == [1, 2, 3] and found.cursor
    assert shop.item(found.items[0].item_id).title == found.items[0].title
    assert "V01" not in [item.item_id for item in shop.similar("V01", top_n=3).items]
    event = {"event_id": "k-1", "user_id": "kim", "item_id": "V01", "kind": "click", "request_id": found.request_id}
    assert shop.put_events([event, {"event_id": "k-2"}]).rejected[0].index == 1
    assert shop.put_events([event]).duplicates == 1
    assert shop.recommendations("kim", top_n=2).recommendations[1].rank == 2


def test_tools_memory_and_health(shop):
    assert shop.call_tool("search_items", {"query": "mug"}).items
    assert shop.memory("kim/2").entries == [] and shop.forget_memory("kim/2").forgotten == 0
    assert shop.forget_user("kim/2").user_id == "kim/2"
    assert shop.guest_memory("s/2").entries == [] and shop.forget_guest_memory("s/2").forgotten == 0
    assert shop.forget_guest_memory("s/2", "told-0123456789ab").session_id == "s/2"
    assert shop.ready().access == "keys"


def test_the_catalogue_by_hand(shop):
    told, counted = shop.shop(), shop.facets()
    assert counted.total == told.items == shop.ready().items
    assert {facet.name for facet in counted.facets} >= {"category", "brand"} and counted.price.min < counted.price.max
    vases = shop.facets(filters={"category": ["vases"]}).total
    [category] = [facet for facet in counted.facets if facet.name == "category"]
    assert vases == next(each.count for each in category.values if each.value == "vases")
    assert shop.facets(item_ids=["V01", "M01"]).total == 2


def test_an_event_taken_back_counts_no_more(shop):
    told = {"event_id": "back/1", "user_id": "lou", "item_id": "V01", "kind": "dismiss"}
    assert shop.put_events([told]).accepted == 1
    assert "V01" not in [item.item_id for item in shop.recommendations("lou", top_n=30).recommendations]
    assert shop.forget_event("back/1").forgotten and not shop.forget_event("back/1").forgotten
    assert "V01" in [item.item_id for item in shop.recommendations("lou", top_n=30).recommendations]


def test_what_was_not_taken_is_read_by_pages(shop):
    bad = [{"event_id": f"bad/{n}", "user_id": "lou", "item_id": "none", "kind": "click"} for n in range(3)]
    shop.put_events(bad)
    first = shop.dead_letters(limit=2)
    assert len(first.dead_letters) == 2 and first.cursor
    rest = shop.dead_letters(limit=1000, cursor=first.cursor)
    found = [letter.event_id for letter in (*first.dead_letters, *rest.dead_letters)]
    assert sorted(each for each in found if each and each.startswith("bad/")) == ["bad/0", "bad/1", "bad/2"]
    assert len(found) == len(set(found)) and rest.cursor is None
    assert first.dead_letters[0].reason == "unknown item 'none'" and first.dead_letters[0].field == "item_id"


def test_what_an_agent_may_call(shop):
    listed = shop.tools(strict=True)
    assert {tool.name for tool in listed.tools} == {each["function"]["name"] for each in listed.openai}


def test_how_an_answer_came_about(shop, service):
    ranked = [{"item_id": "V01", "rank": 1, "score": 0.9, "sources": [{"source": "keyword", "rank": 1, "score": 3.1}]}]
    run = {"tool": "search_items", "arguments": {"query": "blue"}}
    run |= {"trace": {"ranked": ranked, "sources": {"keyword": 8}}}
    told = {"trace_id": "t/1", "started_at": "2026-03-02T12:00:00+00:00", "tools": [run]}
    with acting_for("acme"):
        service.shop.events.put_trace("t/1", told)
    assert shop.trace("t/1") == told
    signals = shop.evidence("t/1", "V01")["signals"]
    assert signals == [{"name": "keyword", "rank": 1, "of": 8, "strength": 1.0}]


LEFT_OUT = {"/v1/chat/completions", "/v1/models", "/health/live", "/v1/items/{}/picture"}
"""What OpenAI's own client calls, what only an orchestrator asks, and what every `image` is the address of."""


def test_every_call_of_the_wire_has_a_method(address):
    """A route that is added without a method here fails this test, or stands in the page's list of those left out."""
    paths = httpx.get(f"{address}/openapi.json", timeout=60).json()["paths"]
    source = inspect.getsource(calls)
    called = {re.sub(r"{[^}]*}", "{}", path) for path in re.findall(r'"(/(?:v1|health)[^"]*)"', source)}
    called |= {path.replace("memory{}", tail) for path in called for tail in ("memory", "memory/{}")}
    assert {re.sub(r"{[^}]*}", "{}", path) for path in paths} - called <= LEFT_OUT


def test_both_clients_have_the_same_methods():
    def methods(kind):
        return {name: list(inspect.signature(each).parameters) for name, each in inspect.getmembers(kind, callable)
                if not name.startswith("_")}  # fmt: skip

    ours, theirs = methods(Client), methods(AsyncClient)
    assert ours.pop("close") == theirs.pop("aclose") and ours == theirs


def test_a_conversation_streams(shop):
    events = list(shop.chat_stream("blue vase", top_n=2))
    assert [type(event) for event in events if not isinstance(event, Token)] == [Status, Recommendations, Done]
    done = events[-1]
    assert "".join(event.text for event in events if isinstance(event, Token)) == done.text
    assert shop.chat("cheaper", session_id=done.session_id).session_restarted is False


def test_the_same_from_asyncio(address):
    async def talk() -> list[type]:
        async with AsyncClient(address, key=KEY) as shop:
            assert (await shop.item("V01")).item_id == "V01"
            with pytest.raises(Refused, match="unknown item 'V99'"):
                await shop.similar("V99")
            return [type(event) async for event in shop.chat_stream("blue vase")]

    assert asyncio.run(talk())[-1] is Done


def test_a_refusal_says_what_and_where(shop, address):
    with pytest.raises(Refused, match=r"422 .*top_n") as refused:
        shop.search("a", top_n=0)
    assert (refused.value.status, refused.value.field) == (422, "top_n") and refused.value.request_id
    with Client(address) as stranger, pytest.raises(Refused, match="401"):
        list(stranger.chat_stream("hello"))


def test_nobody_there():
    with Client("http://127.0.0.1:9", retries=0) as shop, pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        shop.item("V01")


def answering(*statuses: int) -> tuple[Callable[[httpx.Request], httpx.Response], list[httpx.Request]]:
    seen: list[httpx.Request] = []
    body = {"item_id": "K1", "deleted": True}

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        status = statuses[len(seen) - 1]
        if status == 0:
            raise httpx.ConnectError("refused")
        return httpx.Response(status, json=body if status == 200 else None, headers={"Retry-After": "0"})

    return answer, seen


@pytest.mark.parametrize("statuses", [(503, 429, 200), (0, 200)])
def test_what_may_be_sent_twice_is_tried_again_under_one_id(statuses):
    answer, seen = answering(*statuses)
    with Client("http://shop", transport=httpx.MockTransport(answer)) as shop:
        assert shop.delete_item("K/1").deleted
    assert len(seen) == len(statuses) and seen[0].url.raw_path == b"/v1/items/K%2F1"
    assert len({request.headers["X-Request-Id"] for request in seen}) == 1


@pytest.mark.parametrize(("statuses", "raised"), [((503, 503, 503, 200), Refused), ((422, 200), Refused)])
def test_it_is_not_tried_for_ever_nor_for_nothing(statuses, raised):
    answer, seen = answering(*statuses)
    with Client("http://shop", transport=httpx.MockTransport(answer)) as shop, pytest.raises(raised):
        shop.delete_item("K1")
    assert len(seen) == len(statuses) - 1


@pytest.mark.parametrize(("status", "raised"), [(503, Refused), (0, Unreachable)])
def test_a_post_is_sent_once(status, raised):
    answer, seen = answering(status, 200)
    with Client("http://shop", transport=httpx.MockTransport(answer)) as shop, pytest.raises(raised):
        shop.search("vase")
    assert len(seen) == 1


OURS = {
    "ChatAnswer": "AnswerOut", "Recommendation": "RecommendationOut", "Listed": "FoundItemOut", "Found": "SearchedOut",
    "Recommended": "RecommendedOut", "Similar": "SimilarOut", "Item": "ItemOut", "Written": "WrittenOut",
    "Deleted": "DeletedOut", "EventsTaken": "EventsOut", "Rejected": "RejectedOut", "Memory": "MemoryOut",
    "Told": "ToldOut", "Erased": "ErasedOut", "Forgotten": "ForgottenOut", "ToolAnswer": "ToolAnswerOut",
    "ToolItem": "ToolItemOut", "Ready": "Ready", "Heard": "TranscriptOut", "Caption": "CaptionOut",
    "Evidence": "EvidenceOut", "Facets": "FacetsOut", "Facet": "FacetOut", "FacetValue": "ValueOut",
    "PriceSpan": "PriceOut", "Shop": "ShopOut", "TakenBack": "TakenBackOut", "DeadLetters": "DeadLettersOut",
    "DeadLetter": "DeadLetterOut", "Tools": "ToolsOut", "Tool": "ToolOut",
    "Unknown": "UnknownOut", "GuestMemory": "GuestMemoryOut", "GuestErased": "GuestErasedOut",
}  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_answers_have_the_fields_of_the_openapi_document(address, name):
    schemas = httpx.get(f"{address}/openapi.json", timeout=60).json()["components"]["schemas"]
    assert set((getattr(answers, name, None) or getattr(window, name)).model_fields) == set(
        schemas[OURS[name]]["properties"]
    )


def test_it_is_thin():
    code = (
        "import sys, vitrine.client; print([m for m in ('numpy', 'fastapi', 'agent', 'catalog') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
