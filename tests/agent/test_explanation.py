"""Reasons and evidence against the toy shop's records (tools/toy_items.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agent.explanation import Explained, Explainer
from agent.gate.grounds import Grounds
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from agent.trace import ToolRun
from catalog.items import Catalog
from catalog.nouns import Interaction
from tools.doubles import TOY_NOW
from tools.toy_items import toy_captions, toy_items

ITEMS = toy_items()
SHOP = Catalog(ITEMS)


def explained(
    ids: list[str], said: str = "", arguments: Mapping[str, Any] | None = None, *, catalog: Catalog = SHOP, **run: Any
) -> dict[str, Explained]:
    events = run.pop("events", ())
    grounds = Grounds(catalog, toy_captions(ITEMS), HandleBook(catalog), ShopWords.of(catalog))
    grounds.heard(said)
    call = ToolRun("search_items", arguments or {}, items=tuple(ids), **run)
    return Explainer(grounds, events).explain(ids, call)


def bought(item_id: str, kind: Any = "purchase") -> Interaction:
    return Interaction("e", "ana", item_id, TOY_NOW, kind)


def test_what_was_asked_for_comes_first() -> None:
    arguments = {"query": "vase", "filters": {"attributes": {"colour": ["blue"]}, "price": {"max": 39.99}}}
    found = explained(["V01"], "a blue vase under 40", arguments)["V01"]
    assert found.reason == "Blue, as you asked; €24.00, within your limit of €40.00."
    assert [(e.kind, e.name, e.value) for e in found.evidence][:3] == [
        ("field", "colour", "blue"), ("field", "category", "vases"), ("field", "price", 24.0),
    ]  # fmt: skip


def test_a_limit_the_shopper_did_not_name_is_not_called_theirs() -> None:
    found = explained(["V01"], "something cheap", {"filters": {"price": {"max": 30}}})["V01"]
    assert "your" not in found.reason and "€24.00" in found.reason


def test_a_word_the_shopper_did_not_say_was_not_asked_for() -> None:
    assert "as you asked" not in explained(["V01"], "a vase", {"query": "blue vase"})["V01"].reason.replace("vases", "")


def test_the_shoppers_own_purchase_is_named() -> None:
    closest = {"item_id": "S01", "why": "purchase", "space": "text", "cosine": 0.7}
    entry = {"sources": [{"name": "keyword", "rank": 2}], "closest": closest}
    trace = {"ranked": [{"item_id": item_id, **entry} for item_id in ("S05", "S04", "V01")]}
    both = explained(["S05", "S04", "V01"], "recommend something", trace=trace)
    found = both["S05"]
    assert "you bought" not in both["S04"].reason and "you bought" not in both["V01"].reason
    assert found.reason.startswith("Close to Merino scarf, blue, which you bought")
    assert {e.kind for e in found.evidence} >= {"event", "signal"}
    assert next(e for e in found.evidence if e.kind == "event").value == "S01"
    assert ("signal", "keyword", 2) in [(e.kind, e.name, e.value) for e in found.evidence]


def test_a_far_likeness_is_no_reason() -> None:
    closest = {"item_id": "S01", "why": "purchase", "space": "text", "cosine": 0.1}
    assert "scarf" not in explained(["V01"], trace={"ranked": [{"item_id": "V01", "closest": closest}]})["V01"].reason


def test_the_same_maker_as_something_bought() -> None:
    found = explained(["V03"], events=[bought("M01")])["V03"]
    assert found.reason.startswith("By Terrano, like Blue speckled mug, which you bought")
    assert "which you" not in explained(["V03"], events=[bought("M01", "return")])["V03"].reason


def test_words_seen_in_the_picture_and_read_in_the_description() -> None:
    found = explained(["V06"], "something rounded", {"query": "rounded"})["V06"]
    assert found.reason.startswith("Its picture shows a rounded upright shape")
    assert found.evidence[0].kind == "caption" and "rounded" in found.evidence[0].text
    assert "says glazed" in explained(["V05"], "a glazed thing", {"query": "glazed"})["V05"].reason


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
