"""Reasons and evidence against the toy shop's records (tools/toy_items.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from agent.explanation import Explained, Explainer
from agent.gate.grounds import Grounds
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from agent.trace import ToolRun
from catalog.items import Catalog
from tools.toy_items import toy_captions, toy_items

ITEMS = toy_items()
SHOP = Catalog(ITEMS)


def explained(
    ids: list[str], said: str = "", arguments: Mapping[str, Any] | None = None, *, catalog: Catalog = SHOP, **run: Any
) -> dict[str, Explained]:
    grounds = Grounds(catalog, toy_captions(ITEMS), HandleBook(catalog), ShopWords.of(catalog))
    grounds.heard(said)
    call = ToolRun("search_items", arguments or {}, items=tuple(ids), **run)
    return Explainer(grounds).explain(ids, call)


def held(item_id: str, why: str = "purchase", likeness: float = 0.7, place: int | None = 4) -> dict[str, Any]:
    return {"item_id": item_id, "why": why, "when": "2026-02-26T12:00:00+00:00", "likeness": likeness, "place": place}


def test_what_was_asked_for_comes_first() -> None:
    arguments = {"query": "vase", "filters": {"attributes": {"colour": ["blue"]}, "price": {"max": 39.99}}}
    found = explained(["V01"], "a blue vase under 40", arguments)["V01"]
    assert found.reason == "Blue, as you asked; €24.00, within your limit of €40.00."
    assert [(e.kind, e.name, e.value) for e in found.evidence] == [
        ("field", "colour", "blue"), ("field", "category", "vases"), ("caption", "picture", ["blue"]),
        ("field", "title", ["vase"]), ("field", "description", ["vase"]), ("field", "price", 24.0),
    ]  # fmt: skip


def test_the_size_the_answer_keeps_to_is_named_where_the_record_has_it() -> None:
    items = [replace(item, sizes={"S01": ("S", "M"), "S02": ("L",)}.get(item.item_id, ())) for item in ITEMS]
    catalog = Catalog(items)
    grounds = Grounds(catalog, toy_captions(items), HandleBook(catalog), ShopWords.of(catalog))
    grounds.sizes = frozenset({"m"})
    found = Explainer(grounds).explain(["S01", "S02", "S03"], None)
    assert found["S01"].reason.startswith("Comes in size M")
    assert next((e.name, e.value, e.text) for e in found["S01"].evidence) == ("sizes", ["M"], "sizes: S, M")
    assert "size" not in found["S02"].reason + found["S03"].reason


def test_a_limit_the_shopper_did_not_name_is_not_called_theirs() -> None:
    found = explained(["V01"], "something cheap", {"filters": {"price": {"max": 30}}})["V01"]
    assert "your" not in found.reason and "€24.00" in found.reason


def test_a_word_the_shopper_did_not_say_was_not_asked_for() -> None:
    assert "as you asked" not in explained(["V01"], "a vase", {"query": "blue vase"})["V01"].reason.replace("vases", "")


def test_the_purchase_it_would_fall_without_is_named_with_its_day() -> None:
    ranked = [{"item_id": "S05", "sources": [{"source": "keyword", "rank": 2}], "because": [held("S01")]}]
    found = explained(["S05"], "recommend something", trace={"ranked": ranked})["S05"]
    assert found.reason.startswith("Close to Merino scarf, blue, which you bought")
    (event,) = [e for e in found.evidence if e.kind == "event"]
    assert (event.name, event.value) == ("purchase", "S01")
    assert event.text == "you bought Merino scarf, blue on 2026-02-26; without it, place 4"
    assert ("signal", "keyword", 2) in [(e.kind, e.name, e.value) for e in found.evidence]


def test_likeness_to_a_purchase_that_did_not_move_it_is_no_reason() -> None:
    closest = {"item_id": "S01", "why": "purchase", "space": "text", "cosine": 0.99}
    found = explained(["S05"], trace={"ranked": [{"item_id": "S05", "closest": closest}]})["S05"]
    assert "Merino" not in found.reason and not [e for e in found.evidence if e.kind == "event"]


def test_what_moved_it_from_afar_is_not_called_close() -> None:
    far = [{"item_id": "V01", "because": [held("S01", likeness=0.1, place=None)]}]
    assert explained(["V01"], trace={"ranked": far})["V01"].reason.startswith("Chosen because you bought Merino scarf")
    alike = [{"item_id": "V01", "because": [held("S01", "history", likeness=0.95)]}]
    found = explained(["V01"], trace={"ranked": alike})["V01"]
    assert found.reason.startswith("Chosen because you chose Merino scarf, blue before")
    same_maker = [{"item_id": "V03", "because": [held("M01", "view", likeness=0.2)]}]
    found = explained(["V03"], trace={"ranked": same_maker})["V03"]
    assert found.reason.startswith("By Terrano, like Blue speckled mug, which you looked at")


def test_one_event_is_said_once_a_page_and_another_that_moved_the_next_item_takes_its_turn() -> None:
    both = [held("S01"), held("M01", "view")]
    ranked = [{"item_id": item_id, "because": both} for item_id in ("S05", "S06", "V01")]
    told = explained(["S05", "S06", "V01"], trace={"ranked": ranked})
    assert "Merino" in told["S05"].reason and "mug" in told["S06"].reason and "you" not in told["V01"].reason
    assert {e.value for e in told["V01"].evidence if e.kind == "event"} == {"S01", "M01"}


def test_an_example_pointed_at_is_named() -> None:
    closest = {"item_id": "M01", "why": "example", "space": "text", "cosine": 0.6}
    found = explained(["V01"], trace={"ranked": [{"item_id": "V01", "closest": closest}]})["V01"]
    assert found.reason.startswith("Like Blue speckled mug: both blue")


@pytest.mark.parametrize(
    ("ranks", "features", "named"),
    [
        ({"keyword": 1, "text": 9}, {}, ["keyword"]),
        ({"keyword": 1, "text": 3}, {}, []),  # text would have found it all but as high
        ({"popularity": 1, "als": 30}, {"ranker": 0.5}, []),  # the ranker reads popularity of the item itself
        ({"als": 1, "popularity": 30}, {"ranker": 0.5}, ["als"]),
        ({"liked:text": 3}, {"ranker": 0.5}, ["liked:text"]),
    ],
)
def test_a_signal_is_named_only_where_the_others_would_not_have_found_it(
    ranks: dict[str, int], features: dict[str, float], named: list[str]
) -> None:
    sources = [{"source": name, "rank": rank} for name, rank in ranks.items()]
    entry = {"item_id": "V01", "sources": sources, "features": features}
    told = explained(["V01"], trace={"ranked": [entry]})["V01"].evidence
    assert [e.name for e in told if e.kind == "signal"] == named


def test_every_place_of_a_word_is_evidence() -> None:
    found = explained(["V01"], "a blue glass vase", {"query": "blue glass vase"})["V01"]
    assert found.reason.startswith("Blue and glass, as you asked")
    assert ("caption", "picture", ["blue"]) in [(e.kind, e.name, e.value) for e in found.evidence]
    assert ("field", "title", ["vase"]) in [(e.kind, e.name, e.value) for e in found.evidence]


def test_words_seen_in_the_picture_and_read_in_the_description() -> None:
    found = explained(["V06"], "something rounded", {"query": "rounded"})["V06"]
    assert found.reason.startswith("Its picture shows a rounded upright shape")
    assert found.evidence[0].kind == "caption" and "rounded" in found.evidence[0].text
    assert "says glazed" in explained(["V05"], "a glazed thing", {"query": "glazed"})["V05"].reason


def test_a_word_the_search_passes_over_is_no_reason() -> None:
    told = Catalog([replace(SHOP["V05"], description="What they have is glazed for whom it may concern.")])
    found = explained(["V05"], "they have glazed ones", {"query": "they have glazed ones"}, catalog=told)["V05"]
    assert "says glazed" in found.reason and "they" not in found.reason and "have" not in found.reason


def test_popularity_is_named_where_it_is_the_ground() -> None:
    found = explained(["V01"], facts={"ground": "popularity"})["V01"]
    assert found.reason.startswith("Popular with other shoppers")


def test_the_chance_of_a_click_is_evidence() -> None:
    trace = {"ranked": [{"item_id": "S05", "features": {"ctr": 0.12345}}]}
    (found,) = [each for each in explained(["S05"], trace=trace)["S05"].evidence if each.name == "ctr"]
    assert (found.kind, found.value, found.text) == ("model", 0.1235, "chance of a click, shown first: 12.3%")


def test_like_records_get_unlike_reasons() -> None:
    ids = ["V01", "V02", "V03", "V04", "V05", "V06"]
    reasons = [each.reason for each in explained(ids, "vases", {"query": "vases"}).values()]
    assert len(set(reasons)) == len(ids)


def test_nothing_to_go_on_is_still_true() -> None:
    bare = Catalog(
        [replace(SHOP["V01"], title=None, price=None, brand=None, categories=(), attributes={}, rating=None)]
    )
    found = explained(["V01"], catalog=bare)["V01"]
    assert found.reason == "It is in the shop's catalogue." and found.evidence == ()
