"""The shopper's past, and the tools that write."""

from typing import Any

import pytest

from catalog.errors import ToolRetry, ToolUnavailable
from tools.shop import Shop

DISMISS = {"item_id": "V01", "kind": "dismiss"}


def agreed(ask: Any, arguments: dict[str, Any], **who: Any) -> str:
    return str(ask("record_feedback", arguments, **who).facts["needs_confirmation"]["canonical"])


def test_history_is_newest_first(ask: Any) -> None:
    events = ask("shopper_history", {}, user="ben").facts["events"]
    assert [(e["item_id"], e["kind"]) for e in events] == [("B04", "return"), ("B01", "purchase"), ("B04", "purchase")]
    assert events[0]["title"] == "Velvet evening bag"
    assert len(ask("shopper_history", {"limit": 1}, user="ben").facts["events"]) == 1


@pytest.mark.parametrize("who", [{}, {"user": "cleo"}, {"user": "nobody"}, {"session": "s"}])
def test_no_past_is_said(ask: Any, who: dict[str, str]) -> None:
    result = ask("shopper_history", {}, **who)
    assert result.facts["events"] == [] and "Nothing is known" in result.text


def test_without_confirmation_nothing_is_written(ask: Any, shop: Shop) -> None:
    asked = ask("record_feedback", DISMISS, user="ana").facts["needs_confirmation"]
    assert asked["arguments"] == DISMISS
    assert "Cobalt bud vase" in asked["text"]
    assert len(shop.events.for_user("ana")) == 3


def test_confirmed_it_is_written_once_per_request(ask: Any, shop: Shop) -> None:
    yes = agreed(ask, DISMISS, user="ana")
    first = ask("record_feedback", DISMISS, user="ana", confirmed=(yes,)).facts["recorded"]
    again = ask("record_feedback", DISMISS, user="ana", confirmed=(yes,)).facts["recorded"]
    assert first["new"] and not again["new"]
    assert first["event_id"] == again["event_id"]
    [event] = [e for e in shop.events.for_user("ana") if e.kind == "dismiss"]
    assert (event.item_id, event.user_id) == ("V01", "ana")
    later = ask("record_feedback", DISMISS, user="ana", confirmed=(yes,), request_id="r-2").facts["recorded"]
    assert later["new"]


def test_a_confirmation_binds_the_exact_arguments(ask: Any, shop: Shop) -> None:
    yes = agreed(ask, {"item_id": "V01", "kind": "rating", "value": 5}, user="ana")
    for other in (
        {"item_id": "V01", "kind": "rating", "value": 1},
        {"item_id": "V02", "kind": "rating", "value": 5},
        {"item_id": "V01", "kind": "rating", "value": 5, "text": "superb"},
    ):
        assert "needs_confirmation" in ask("record_feedback", other, user="ana", confirmed=(yes,)).facts
    assert len(shop.events.for_user("ana")) == 3


@pytest.mark.parametrize(
    "written",
    [
        {"item_id": "<v01>", "kind": "rating", "value": 5.0},
        {"item_id": "V01", "kind": "rating", "value": "5", "text": None},
    ],
)
def test_another_spelling_of_the_same_call_is_the_same_call(ask: Any, written: dict[str, Any]) -> None:
    yes = agreed(ask, {"item_id": "V01", "kind": "rating", "value": 5}, user="ana")
    assert ask("record_feedback", written, user="ana", confirmed=(yes,)).facts["recorded"]["new"]


def test_a_guest_is_known_by_the_session_alone(ask: Any, shop: Shop) -> None:
    yes = agreed(ask, DISMISS, session="s-1")
    ask("record_feedback", DISMISS, session="s-1", confirmed=(yes,))
    [event] = shop.events.for_session("s-1")
    assert event.kind == "dismiss"
    assert "V01" not in [c.item_id for c in ask("recommend_items", {"top_n": 30}, session="s-1").candidates]
    assert ask("shopper_history", {}, session="s-1").facts["events"][0]["kind"] == "dismiss"


def test_nobody_cannot_be_recorded(ask: Any) -> None:
    with pytest.raises(ToolUnavailable, match="neither shopper nor session is known"):
        ask("record_feedback", DISMISS)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"item_id": "V01", "kind": "rating"}, "a rating needs 1 to 5"),
        ({"item_id": "V01", "kind": "rating", "value": 9}, "a rating needs 1 to 5"),
        ({"item_id": "V01", "kind": "rating", "value": float("nan")}, "a rating needs 1 to 5"),
        ({"item_id": "V01", "kind": "cart", "value": 2}, "only a rating has a value"),
        ({"item_id": "V01", "kind": "purchase"}, "'kind' is 'purchase': input should be 'dismiss', 'cart'"),
        ({"item_id": "zzz", "kind": "praise"}, "does not have: 'zzz'"),
    ],
)
def test_what_makes_no_sense_is_refused(ask: Any, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(ToolRetry) as caught:
        ask("record_feedback", arguments, user="ana")
    assert says in str(caught.value)


def test_feedback_can_be_taken_back(ask: Any, shop: Shop) -> None:
    yes = agreed(ask, DISMISS, user="ana")
    recorded = ask("record_feedback", DISMISS, user="ana", confirmed=(yes,)).facts["recorded"]
    before = shop.events.for_user("ana")
    asked = ask("undo_feedback", {"event_id": recorded["event_id"]}, user="ana").facts["needs_confirmation"]
    assert asked["text"] == "Shall I take back the dismissal for Cobalt bud vase?"
    assert shop.events.for_user("ana") == before
    done = ask("undo_feedback", {}, user="ana", confirmed=(asked["canonical"],)).facts["undone"]
    assert done["event_id"] == recorded["event_id"]
    assert [e.event_id for e in shop.events.for_user("ana")] == [e.event_id for e in before[1:]]
    assert "V01" in [c.item_id for c in ask("recommend_items", {"top_n": 30}, user="ana").candidates]


def test_only_ones_own_feedback_can_be_taken_back(ask: Any, shop: Shop) -> None:
    yes = agreed(ask, DISMISS, user="ben")
    event_id = ask("record_feedback", DISMISS, user="ben", confirmed=(yes,)).facts["recorded"]["event_id"]
    with pytest.raises(ToolUnavailable, match="no feedback of this shopper to take back"):
        ask("undo_feedback", {}, user="ana")  # a purchase and two views are not feedback
    for foreign in (event_id, "toy-2"):
        with pytest.raises(ToolRetry, match="no feedback of this shopper; their latest: none"):
            ask("undo_feedback", {"event_id": foreign}, user="ana")
    assert shop.events.for_user("ben")[0].event_id == event_id
