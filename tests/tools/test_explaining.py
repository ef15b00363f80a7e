"""Why an item stands where it does, in the toy shop: its double lifts what shares a category with what was liked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from catalog.errors import ToolRetry
from catalog.nouns import Interaction
from tools.base import Shopper
from tools.because import because
from tools.doubles import TOY_NOW
from tools.evidence import words_of
from tools.pipeline.nouns import PipelineRequest
from tools.pipeline.run import run
from tools.shop import Shop


def request(user: str | None, **more: Any) -> PipelineRequest:
    return PipelineRequest(Shopper(user), TOY_NOW, "recommend", top_n=20, **more)


def newcomer(shop: Shop, *item_ids: str) -> str:
    """Somebody the model does not know, who bought these."""
    began = TOY_NOW - timedelta(days=3)
    events = [
        Interaction(f"new-{at}", "nora", item_id, began + timedelta(hours=at), "purchase")
        for at, item_id in enumerate(item_ids)
    ]
    shop.events.put(events)
    return "nora"


def test_a_result_rests_on_the_event_it_falls_without_and_on_no_other(shop: Shop) -> None:
    asked = request(newcomer(shop, "V01", "M01"))
    result = run(shop, asked)
    found = because(shop, asked, result, tried=10)
    vase, mug = (next(r.item_id for r in result.ranked if r.item_id.startswith(kind)) for kind in ("V", "M"))
    assert [each.item_id for each in found[vase]] == ["V01"]
    assert [(each.item_id, each.why) for each in found[mug]] == [("M01", "purchase")]
    assert found[mug][0].when == TOY_NOW - timedelta(days=3, hours=-1)
    # What is said is what happens: without the vase nobody bought, the list has it there.
    past = [e for e in shop.events.for_user("nora", 10)[::-1] if e.item_id != "V01"]
    after = [r.item_id for r in run(shop, replace(asked, exclude=("V01",)), past).ranked]
    assert after.index(vase) + 1 == found[vase][0].place


def test_a_shopper_of_the_model_is_asked_about_as_a_newcomer_with_the_same_past(shop: Shop) -> None:
    asked = request("ana")
    found = because(shop, asked, run(shop, asked), tried=10)
    assert {each.item_id for some in found.values() for each in some} <= {"S01", "V01", "M01"} and found


def test_nothing_is_tried_where_the_past_decides_nothing_or_a_page_would_wait(shop: Shop) -> None:
    asked = request(newcomer(shop, "V01"))
    result = run(shop, asked)
    assert because(shop, asked, result)
    assert because(shop, asked, result, tried=0) == {}
    assert because(replace(shop, pipeline=shop.pipeline.model_copy(update={"exact_items": 30})), asked, result) == {}
    stranger = request("nobody")
    assert because(shop, stranger, run(shop, stranger)) == {}
    search = replace(asked, mode="search", query="vase")
    assert because(shop, search, run(shop, search)) == {}


def test_words_stand_where_they_are_said_to_stand(shop: Shop) -> None:
    found = list(words_of(shop, "V01", "blue vases for a stem"))
    assert all(each["text"][each["start"] : each["end"]] == each["word"] for each in found)
    assert {(each["field"], each["word"]) for each in found} == {
        ("title", "vase"), ("categories", "vases"), ("attributes.colour", "blue"), ("description", "vase"),
        ("description", "stem"), ("captions", "blue"),
    }  # fmt: skip
    assert next(each["media"] for each in found if each["field"] == "captions") == "media/V01.png"


def test_the_evidence_of_a_recommendation_in_one_call(shop: Shop, ask: Any) -> None:
    newcomer(shop, "V01")
    found = ask("explain_item", {"item_id": "V05"}, user="nora")
    evidence = found.facts["evidence"]
    assert found.facts["shown"] and found.facts["ground"] == "session"
    assert all(0 < each["strength"] <= 1 for each in evidence["signals"])
    assert all(0 <= share <= 1 for share in evidence["shares"].values())
    (event,) = (each for each in evidence["events"] if each["moved"])
    assert (event["item_id"], event["title"], event["kind"]) == ("V01", "Cobalt bud vase", "purchase")
    assert event["when"] == (TOY_NOW - timedelta(days=3)).isoformat() and event["place_without"] > evidence["rank"]
    assert f"without Cobalt bud vase in the shopper's past it would stand at {event['place_without']}" in found.text


def test_the_evidence_of_a_search_has_its_words_and_the_first_place_of_all_the_strength(ask: Any) -> None:
    evidence = ask("explain_item", {"item_id": "V05", "query": "glazed moss"}).facts["evidence"]
    assert evidence["rank"] == 1 and evidence["events"] == []
    assert {(each["word"], each["field"]) for each in evidence["words"]} == {
        ("glazed", "description"), ("moss", "description"),
    }  # fmt: skip
    assert next(each for each in evidence["signals"] if each["name"] == "keyword")["strength"] == 1.0


@pytest.mark.parametrize(
    ("item_id", "arguments", "user", "reason"),
    [
        ("V04", {"query": "smoke grey cylinder vase"}, None, "it is out of stock"),
        ("S01", {}, "ana", "others come first, or it is hidden by owned"),
        (
            "V01",
            {"query": "vase", "filters": {"price": {"min": 80}}},
            None,
            "others come first, or it is hidden by price",
        ),
    ],
)
def test_what_is_not_shown_is_told_why(item_id: str, arguments: Any, user: str | None, reason: str, ask: Any) -> None:
    found = ask("explain_item", {"item_id": item_id, **arguments}, user=user)
    assert found.facts["shown"] is False and found.facts["reason"] == reason


def test_a_result_of_likeness_names_what_it_is_like(ask: Any) -> None:
    found = ask("explain_item", {"item_id": "V02", "like": ["V06", "L01"], "filters": {"category": ["vases"]}})
    assert found.facts["shown"] and found.facts["like"]["item_id"] == "V06"
    assert 0 < found.facts["like"]["likeness"] < 1 and "its likeness to Navy floor vase is 0." in found.text
    alone = ask("explain_item", {"item_id": "V06", "like": ["V06"], "filters": {"category": ["vases"]}})
    assert alone.facts["shown"] and "like" not in alone.facts


def test_an_example_that_is_none_is_refused_by_its_name(ask: Any) -> None:
    with pytest.raises(ToolRetry, match="'like'"):
        ask("explain_item", {"item_id": "V01", "like": ["V99999"]})
