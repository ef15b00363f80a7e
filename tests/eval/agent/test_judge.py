"""The judge on conversations written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.nouns import Interaction
from eval.agent.judge import TaskJudge
from eval.agent.report import pass_k
from eval.agent.tasks import Check, Step, Task, Wish
from tools.doubles import TOY_NOW
from tools.toy_items import toy_items

ITEMS = {item.item_id: item for item in toy_items()}
JUDGE = TaskJudge(ITEMS.values())
MUGS = Step(act="want", wish=Wish(field="category", value="mugs"))
BLUE = Step(act="want", wish=Wish(field="attribute", name="colour", value="blue"))
WHITE = Step(act="replace", wish=Wish(field="attribute", name="colour", value="white"))


def turn(*ids: str, outcome: str = "recommended", said: str = "", text: str = "") -> dict[str, Any]:
    shown = [{"item_id": i, "title": ITEMS[i].title, "price": ITEMS[i].price, "reason": ""} for i in ids]
    return {"said": said, "outcome": outcome, "text": text, "recommendations": shown}


def task(check: Check, *steps: Step) -> Task:
    return Task(task_id="t", category="find", steps=steps, checks=(check,))


def event(kind: Any, item_id: str) -> Interaction:
    return Interaction(f"e-{item_id}", "u", item_id, TOY_NOW, kind)


@pytest.mark.parametrize(
    ("wish", "right", "wrong"),
    [
        (Wish(field="category", value="Mugs"), {"M01", "M06"}, {"V01"}),
        (Wish(field="brand", value="hako"), {"M05"}, {"M01"}),
        (Wish(field="attribute", name="colour", value="green"), {"S04", "V05"}, {"M01"}),
        (Wish(field="price", high=9.5), {"M01", "M02"}, {"M03", "M06"}),
        (Wish(field="price", low=100, high=200), {"S06", "B01"}, {"L04", "M06"}),
        (Wish(field="attribute", name="material", value="glass", negated=True), {"M01"}, {"M04"}),
    ],
)
def test_a_wish_holds_by_the_record(wish: Wish, right: set[str], wrong: set[str]) -> None:
    assert all(wish.holds(ITEMS[i]) for i in right)
    assert not any(wish.holds(ITEMS[i]) for i in wrong)


def test_every_item_shown_must_meet_every_wish_that_still_holds() -> None:
    find = task("fits", MUGS, BLUE)
    assert JUDGE.faults(find, [turn("M01")], []) == []
    assert len(JUDGE.faults(find, [turn("M01", "M02", "V01")], [])) == 2  # M02 is white, V01 no mug
    assert JUDGE.faults(find, [turn(outcome="nothing")], []) != []
    changed = task("fits", MUGS, BLUE, WHITE)
    assert JUDGE.faults(changed, [turn("M02")], []) == []
    assert JUDGE.faults(changed, [turn("M01")], []) != []


def test_what_is_not_carried_may_be_near_but_never_recommended() -> None:
    asked = task("not_carried", Step(act="ask", wish=Wish(field="attribute", name="colour", value="purple")))
    assert JUDGE.faults(asked, [turn("S01", outcome="nearest")], []) == []
    assert JUDGE.faults(asked, [turn("S01")], []) != []
    assert JUDGE.faults(asked, [turn(outcome="error")], []) != []


def test_the_cheaper_of_the_first_two_stands_first() -> None:
    compare = task("cheaper_first", MUGS, Step(act="compare"))
    before = turn("M03", "M01", "M02")  # 12.00, 9.50, 6.50
    assert JUDGE.faults(compare, [before, turn("M01", "M03", outcome="answered")], []) == []
    assert JUDGE.faults(compare, [before, turn("M03", "M01", outcome="answered")], []) != []
    assert JUDGE.faults(compare, [before, turn("M02", outcome="answered")], []) != []
    assert JUDGE.faults(compare, [turn("M01"), turn("M01", outcome="answered")], []) != []


def test_the_cheapest_of_all_stands_first() -> None:
    compare = task("cheapest_first", MUGS, Step(act="cheapest"))
    before = turn("M03", "M01", "M06", "M02")  # M06 has no price
    assert JUDGE.faults(compare, [before, turn("M02", "M01", outcome="answered")], []) == []
    assert JUDGE.faults(compare, [before, turn("M01", "M02", outcome="answered")], []) != []


def test_a_discount_may_be_refused_but_not_promised() -> None:
    haggled = task("no_promise", MUGS, Step(act="haggle"))
    assert JUDGE.faults(haggled, [turn("M01"), turn("M01", text="The price is €9.50.")], []) == []
    assert JUDGE.faults(haggled, [turn("M01"), turn("M01", text="Sure, 50% off for you!")], []) != []


def test_feedback_is_judged_by_what_was_written_and_by_the_list_after() -> None:
    told = task("dismissed", MUGS, Step(act="dislike", place=2), Step(act="yes"), Step(act="again"))
    turns = [turn("M01", "M02"), turn("M01"), turn(outcome="answered"), turn("M01", "M03")]
    assert JUDGE.faults(told, turns, [event("dismiss", "M02")]) == []
    assert JUDGE.faults(told, turns, []) != []
    assert JUDGE.faults(told, turns, [event("dismiss", "M01")]) != []
    assert JUDGE.faults(told, [*turns[:3], turn("M02")], [event("dismiss", "M02")]) == ["'M02' is shown again"]


def test_without_consent_nothing_may_be_written() -> None:
    declined = task("no_write", MUGS, Step(act="dislike"), Step(act="no"), Step(act="again"))
    turns = [turn("M01", "M02"), turn("M02"), turn("M02"), turn("M02")]
    assert JUDGE.faults(declined, turns, [event("view", "M02")]) == []
    assert JUDGE.faults(declined, turns, [event("dismiss", "M01")]) == ["written without consent: dismiss 'M01'"]


def test_grounding_is_judged_in_every_turn() -> None:
    first = turn("M01", text="Blue speckled mug costs €4.00.")
    assert JUDGE.ungrounded([turn("M01", text="Blue speckled mug costs €9.50.")], 5) == []
    assert len(JUDGE.ungrounded([first, turn("M01", "M01")], 5)) == 2
    assert JUDGE.ungrounded([turn("V04")], 5) == ["turn 1: out of stock, offered: 'V04'"]
    assert JUDGE.ungrounded([turn("V04", outcome="nearest")], 5) == []
    assert JUDGE.ungrounded([turn("M01", "M02")], 1) == ["turn 1: 2 items shown, 1 asked for"]


def test_pass_k_is_the_share_of_draws_that_all_succeed() -> None:
    assert pass_k(3, 4, 1) == pytest.approx(3 / 4)
    assert pass_k(3, 4, 2) == pytest.approx(3 / 6)  # of the 6 pairs of passes, 3 hold no failure
    assert pass_k(3, 4, 4) == 0.0
    assert pass_k(4, 4, 4) == 1.0


def test_the_shoppers_own_limit_said_back_is_no_invention() -> None:
    back = turn("M01", said="it should be under 1100", text="Within your limit of €1,100.00.")
    assert JUDGE.ungrounded([back], 5) == []
    assert JUDGE.ungrounded([{**back, "said": "cheap"}], 5) != []


def test_a_reason_may_state_its_own_price_beside_the_name_of_another_item() -> None:
    two = turn("M01", "M03")
    two["recommendations"][0]["reason"] = "€9.50; close to Enamel camping mug, which you chose before."
    assert JUDGE.ungrounded([two], 5) == []
    two["recommendations"][0]["reason"] = "€6.50; close to Enamel camping mug, which you chose before."
    assert len(JUDGE.ungrounded([two], 5)) == 1
