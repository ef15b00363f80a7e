"""A token is consent to one call: this tool, these arguments, this shopper, for ten minutes."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from catalog.errors import ToolRetry
from catalog.tenancy import acting_for
from tools.base import Shopper, ToolContext, ToolResult
from tools.confirmation import Confirmations
from tools.doubles import TOY_NOW
from tools.outward import call_from_outside
from tools.registry import Registry
from tools.shop import Shop

RATING = {"item_id": "V01", "kind": "rating", "value": 5}
ANA = ToolContext(Shopper("ana", "s-1"), TOY_NOW, "r-1")
Outside = Callable[..., ToolResult]


@pytest.fixture
def outside(shop: Shop) -> Outside:
    registry = Registry(shop)
    return lambda name, arguments, context=ANA: call_from_outside(registry.get(name), arguments, context)


def asked(outside: Outside, arguments: dict[str, Any] = RATING, context: ToolContext = ANA) -> dict[str, Any]:
    return dict(outside("record_feedback", arguments, context).facts["needs_confirmation"])


def test_a_token_writes_once_however_often_it_is_shown(outside: Outside, shop: Shop) -> None:
    token = asked(outside)["confirmation"]
    assert len(shop.events.for_user("ana")) == 3
    first = outside("record_feedback", {**RATING, "confirmation": token}).facts["recorded"]
    again = outside("record_feedback", {**RATING, "confirmation": token}, replace(ANA, request_id="r-9"))
    assert first["new"] and again.facts["recorded"] == {**first, "new": False}
    assert len(shop.events.for_user("ana")) == 4


def test_a_used_token_does_not_bring_back_what_was_taken_back(outside: Outside, shop: Shop) -> None:
    token = asked(outside)["confirmation"]
    outside("record_feedback", {**RATING, "confirmation": token})
    undo = outside("undo_feedback", {}).facts["needs_confirmation"]["confirmation"]
    outside("undo_feedback", {"confirmation": undo})
    with pytest.raises(ToolRetry, match="has written before, and that was taken back"):
        outside("record_feedback", {**RATING, "confirmation": token})
    assert len(shop.events.for_user("ana")) == 3


@pytest.mark.parametrize(
    "changed",
    [{"value": 1}, {"item_id": "V02"}, {"kind": "praise", "value": None}, {"text": "superb"}],
)
def test_a_changed_argument_voids_it(outside: Outside, shop: Shop, changed: dict[str, Any]) -> None:
    token = asked(outside)["confirmation"]
    with pytest.raises(ToolRetry, match="'confirmation' is not for record_feedback with these arguments"):
        outside("record_feedback", {**RATING, **changed, "confirmation": token})
    assert len(shop.events.for_user("ana")) == 3


def test_another_spelling_of_the_same_call_keeps_it(outside: Outside) -> None:
    token = asked(outside)["confirmation"]
    written = {"item_id": "<v01>", "kind": "rating", "value": "5.0", "text": None, "confirmation": f" {token}\n"}
    assert outside("record_feedback", written).facts["recorded"]["new"]


@pytest.mark.parametrize("shopper", [Shopper("ben", "s-1"), Shopper("ana", "s-2"), Shopper(None, "s-1")])
def test_another_shopper_voids_it(outside: Outside, shopper: Shopper) -> None:
    token = asked(outside)["confirmation"]
    with pytest.raises(ToolRetry, match="'confirmation' is not for"):
        outside("record_feedback", {**RATING, "confirmation": token}, replace(ANA, shopper=shopper))


def test_another_tenant_voids_it(outside: Outside) -> None:
    token = asked(outside)["confirmation"]
    with acting_for("another"), pytest.raises(ToolRetry, match="'confirmation' is not for"):
        outside("record_feedback", {**RATING, "confirmation": token})


def test_another_tool_voids_it(outside: Outside, shop: Shop) -> None:
    token = asked(outside)["confirmation"]
    outside("record_feedback", {**RATING, "confirmation": token})
    with pytest.raises(ToolRetry, match="'confirmation' is not for undo_feedback"):
        outside("undo_feedback", {"confirmation": token})


@pytest.mark.parametrize(("after", "good"), [(timedelta(minutes=9), True), (timedelta(minutes=11), False)])
def test_it_ages(outside: Outside, after: timedelta, good: bool) -> None:
    token = asked(outside)["confirmation"]
    later = replace(ANA, now=TOY_NOW + after)
    if good:
        assert outside("record_feedback", {**RATING, "confirmation": token}, later).facts["recorded"]["new"]
    else:
        with pytest.raises(ToolRetry, match="older than 10 minutes"):
            outside("record_feedback", {**RATING, "confirmation": token}, later)


@pytest.mark.parametrize(("back", "good"), [(timedelta(seconds=30), True), (timedelta(hours=1), False)])
def test_a_clock_that_goes_back_makes_it_no_younger(outside: Outside, back: timedelta, good: bool) -> None:
    """Workers' clocks may differ by moments; one that was set back an hour would have let it live an hour longer."""
    token = asked(outside)["confirmation"]
    earlier = replace(ANA, now=TOY_NOW - back)
    if good:
        assert outside("record_feedback", {**RATING, "confirmation": token}, earlier).facts["recorded"]["new"]
    else:
        with pytest.raises(ToolRetry, match="of a later time than this; call again without it"):
            outside("record_feedback", {**RATING, "confirmation": token}, earlier)


def test_a_later_expiry_cannot_be_written_into_it(outside: Outside) -> None:
    expires, _, mac = asked(outside)["confirmation"].partition("-")
    with pytest.raises(ToolRetry, match="'confirmation' is not for"):
        outside("record_feedback", {**RATING, "confirmation": f"{int(expires) + 3600}-{mac}"})


@pytest.mark.parametrize("token", ["", "yes", "true", "1-", "-1-x", "９９-x", "9" * 40, "é-é", True, 7, ["a"], {}])
def test_what_is_no_token_writes_nothing(outside: Outside, shop: Shop, token: Any) -> None:
    try:
        result = outside("record_feedback", {**RATING, "confirmation": token})
        assert "needs_confirmation" in result.facts
    except ToolRetry as error:
        assert "'confirmation' is" in str(error)
    assert len(shop.events.for_user("ana")) == 3


def test_processes_with_the_same_secret_stand_in_for_each_other(shop: Shop) -> None:
    for secret, good in ((b"k" * 32, True), (b"other" * 8, False), (None, False)):
        one, two = Registry(shop, confirmations=Confirmations(b"k" * 32)), Registry(shop, None, Confirmations(secret))
        first = call_from_outside(one.get("record_feedback"), RATING, ANA)
        written = {**RATING, "confirmation": first.facts["needs_confirmation"]["confirmation"]}
        if good:
            assert call_from_outside(two.get("record_feedback"), written, ANA).facts["recorded"]["new"]
        else:
            with pytest.raises(ToolRetry):
                call_from_outside(two.get("record_feedback"), written, ANA)


def test_where_the_shop_talks_with_the_shopper_itself_there_is_no_token(ask: Any) -> None:
    assert "confirmation" not in ask("record_feedback", RATING, user="ana").facts["needs_confirmation"]
    with pytest.raises(ToolRetry, match="unknown field 'confirmation'"):
        ask("record_feedback", {**RATING, "confirmation": "x"}, user="ana")
