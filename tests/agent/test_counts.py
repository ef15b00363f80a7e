"""Counts with a price limit, through the whole turn, gate included, and counted again over the toy shop's records."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable

import pytest

from agent.gate.gate import Gate
from agent.gate.grounds import Grounds
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from agent.wording import LEFT_OUT
from catalog.items import Catalog
from catalog.nouns import Item
from tools.toy_items import toy_captions, toy_items

ITEMS = toy_items()
SHOP = Catalog(ITEMS)
WORDS = ShopWords.of(SHOP)

LIMITS: dict[str, Callable[[float, float], bool]] = {
    "under {}": operator.lt, "below {} euros": operator.lt, "for less than {}": operator.lt,
    "that are cheaper than {}": operator.lt, "at most {}": operator.le, "up to €{}": operator.le,
    "no more than {}": operator.le, "over {}": operator.gt, "above {} EUR": operator.gt, "that cost more than {}":
    operator.gt, "at least {}": operator.ge, "from {} euros": operator.ge,
}  # fmt: skip
SUBJECTS: dict[str, Callable[[Item], bool]] = {
    "vases": lambda item: "vases" in item.categories,
    "blue things": lambda item: "blue" in item.attributes["colour"],
    "blue scarves": lambda item: "scarves" in item.categories and "blue" in item.attributes["colour"],
    "ceramic mugs": lambda item: "mugs" in item.categories and "ceramic" in item.attributes["material"],
    "items": lambda item: True,
}
AMOUNTS = ("24", "29.50", "35", "300")
"""Prices of one item or of several, and more than anything costs: no item, one, some or all keep the limit."""


def number_said(text: str) -> int:
    found = re.match(r"There (is|are) (no|\d+) (.*)", text)
    assert found, text
    count = 0 if found[2] == "no" else int(found[2])
    assert (found[1] == "is") == (count == 1)
    return count


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("limit", LIMITS)
def test_a_count_within_a_limit_is_the_catalogues(talk, limit: str, subject: str) -> None:
    conversation = talk()
    for amount in AMOUNTS:
        conversation.session_id = None
        answer = conversation.say(f"how many {subject} {limit.format(amount)}?")
        keeps = LIMITS[limit]
        right = sum(i.price is not None and keeps(i.price, float(amount)) and SUBJECTS[subject](i) for i in ITEMS)
        assert number_said(answer.text) == right, answer.text
        assert re.search(rf"\b{float(amount):g}", answer.text), answer.text
        assert LEFT_OUT not in answer.disclosures and answer.outcome == "answered"
        assert conversation.trace(answer)["gate"]["changes"] == []


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize(("low", "high"), [(20, 50), (24, 35), (36, 38), (9.5, 9.5), (250, 900)])
def test_a_count_between_two_prices_has_both(talk, subject: str, low: float, high: float) -> None:
    answer = talk().say(f"how many {subject} between {low} and {high} euros?")
    right = sum(i.price is not None and low <= i.price <= high and SUBJECTS[subject](i) for i in ITEMS)
    assert number_said(answer.text) == right
    assert LEFT_OUT not in answer.disclosures


@pytest.mark.parametrize(("asked", "said"), [
    ("how many vases under 39?", "There are 3 vases under 39, 2 of them in stock."),
    ("how many vases at most 39?", "There are 4 vases up to 39, 3 of them in stock."),
    ("how many vases under 29.50?", "There is 1 vase under 29.50."),
    ("how many vases over 200?", "There are no vases over 200."),
    ("how many blue things under 40?", "There are 3 blue items under 40."),
    ("how many ceramic vases by Terrano under 40?", "There are 2 ceramic vases by Terrano under 40."),
    ("how many bags that are not leather over 60?", "There are 2 bags that are not leather over 60."),
    ("how many mugs around 10?", "There are 3 mugs from 8 to 12, 2 of them in stock."),
    ("how many mugs do you have?", "There are 6 mugs, 5 of them in stock."),
])  # fmt: skip
def test_a_count_says_what_was_counted(talk, asked: str, said: str) -> None:
    assert talk().say(asked).text == said


def passed(sentence: str, filters: dict[str, object], said: str = "how many mugs?") -> tuple[str, Gate]:
    """Return a sentence after the gate, when `catalogue_facts` counted within `filters`."""
    from catalog.filters import Filters

    counted = [item for item in ITEMS if Filters.model_validate(filters).matches(item)]
    prices = [item.price for item in counted if item.price is not None]
    facts = {"count": len(counted), "in_catalogue": 30, "filters": filters,
             "in_stock": sum(item.availability is not False for item in counted)}  # fmt: skip
    if prices:
        facts["price"] = {"count": len(prices), "min": min(prices), "max": max(prices)}
    grounds = Grounds(SHOP, toy_captions(ITEMS), HandleBook(SHOP), WORDS)
    grounds.heard(said)
    grounds.told(f"{len(counted)} of 30 items pass.", facts, found=min(len(counted), 2))
    gate = Gate(grounds)
    out = [part.text for part in (*gate.feed(sentence), *gate.finish())]
    return "".join(out).strip(), gate


MUGS = {"category": ["mugs"], "price": {"max": 11.99}}
"""Three mugs: 6.50, 9.50 and 11.00, the last out of stock; the next costs 12.00."""


@pytest.mark.parametrize("sentence", [
    "There are 3 mugs under 12.", "There are 3 mugs under €12.", "We have three mugs up to 11.99 EUR.",
    "There are 3 mugs below 11.50.", "I found 3 mugs for 11 euros or less.", "There are 3 mugs from 6.50 to 11.",
    "There are 2 mugs under 12 in stock.", "There are 3 under 12.", "There are no mugs over 100.",
])  # fmt: skip
def test_a_true_count_passes(sentence: str) -> None:
    out, gate = passed(sentence, MUGS, "how many mugs under 12? over 100? below 11.50? from 6.50 to 11?")
    assert (out, gate.changes) == (sentence, [])


@pytest.mark.parametrize(("sentence", "right"), [
    ("There are 12 mugs under 12.", "There are 3 mugs under 12."),
    ("There are 2 mugs under 12.", "There are 3 mugs under 12."),
    ("There are no mugs under 12.", "There are 3 mugs under 12."),
    ("We have 30 mugs up to 11.99 EUR.", "We have 3 mugs up to 11.99 EUR."),
])  # fmt: skip
def test_a_false_count_is_put_right(sentence: str, right: str) -> None:
    out, gate = passed(sentence, MUGS, "how many mugs under 12?")
    assert out == right
    assert [change.action for change in gate.changes] == ["corrected"]


@pytest.mark.parametrize("sentence", [
    "There are 3 mugs up to 12.", "There are 3 vases under 12.", "There are 3 blue mugs under 12.",
    "There are 3 mugs under 12 made of glass.", "There are 3 mugs under 100.", "There are 3 mugs by Hako under 12.",
    "There are 3 mugs over 12.", "There are 3 mugs that are not blue under 12.",
    "In blue, there are 3 mugs under 12.", "There are 30 mugs under 40.",
])  # fmt: skip
def test_a_count_of_something_else_goes(sentence: str) -> None:
    """The mug at 12.00 is not under 12, and no other kind, colour, maker or limit was counted."""
    out, gate = passed(sentence, MUGS, "how many mugs under 12? up to 12? over 12? 3 under 100 or 40? blue by Hako")
    assert out == ""
    assert [change.action for change in gate.changes] == ["removed"]


def test_the_shoppers_own_number_is_no_source_of_a_count() -> None:
    grounds = Grounds(SHOP, toy_captions(ITEMS), HandleBook(SHOP), WORDS)
    grounds.heard("are there 20 mugs under 20?")
    gate = Gate(grounds)
    assert [p.text for p in (*gate.feed("There are 20 mugs under 20."), *gate.finish())] == []
    gate = Gate(grounds)
    kept = "For 20 mugs under 20 tell me a colour."
    assert "".join(p.text for p in (*gate.feed(kept), *gate.finish())) == kept


def test_an_unpriced_item_costs_neither_more_nor_less() -> None:
    """Six mugs, one of them without a price: not all six cost under 100."""
    assert passed("There are 6 mugs under 100.", {"category": ["mugs"]}, "mugs under 100")[0] == ""
    assert passed("There are 6 vases under 100.", {"category": ["vases"]}, "vases under 100")[1].changes == []
