"""What shoppers answer to a list: none of these, something else, why this one, the ninth of five."""

from __future__ import annotations

import pytest

from agent.base import ShownItem
from agent.understanding.intent import Ask, Explain, Feedback, IntentState, Recommend, Search
from agent.understanding.understander import Understander
from agent.understanding.vocabulary import Vocabulary
from catalog.items import Catalog
from tools.toy_items import toy_items

TOY = Catalog(toy_items())


@pytest.fixture(scope="module")
def understander() -> Understander:
    return Understander(Vocabulary(TOY))


def listed(understander: Understander, said: str, number: int) -> IntentState:
    """The state after `said` was answered with the first items of the shop under #1, #2..."""
    state = understander.understand(said, IntentState()).state
    items = tuple(
        ShownItem(f"#{n}", i.item_id, i.title or "", i.price, None, None, i.categories, i.attributes)
        for n, i in enumerate(list(TOY)[:number], 1)
    )
    return state.seen(items).model_copy(update={"last_list": tuple(item.handle for item in items)})


@pytest.mark.parametrize("said", ["none of these", "None of those!", "no, none of them"])
def test_none_of_these_looks_on_without_them(understander: Understander, said: str) -> None:
    state = listed(understander, "a vase under 90", 3)
    (act,) = understander.understand(said, state).acts
    assert isinstance(act, Search) and act.wish.not_items == ("#1", "#2", "#3")
    assert act.wish.filters() == state.wish.filters()


@pytest.mark.parametrize("said", ["something completely different", "show me something totally different please"])
def test_something_completely_different_is_another_kind_within_the_limit(understander: Understander, said: str) -> None:
    understood = understander.understand(said, listed(understander, "a blue vase under 90, my budget is 90", 3))
    (act,) = understood.acts
    assert isinstance(act, Recommend) and act.more and act.wish.filters()["not"] == {"category": ["vases"]}
    assert act.wish.price_max == understood.state.wish.price_max is not None and not act.wish.wanted.attributes
    again = understander.understand("a vase", understood.state).acts[0]  # left for now, not refused for good
    assert isinstance(again, Search) and "not" not in again.wish.filters()


@pytest.mark.parametrize(
    ("said", "handles"),
    [
        ("why the second one?", ("#2",)), ("why this?", ("#1",)), ("Why?", ("#1",)),
        ("why did you show me that", ("#1",)),
        ("and why do you recommend the first and the third?", ("#1", "#3")),
    ],
)  # fmt: skip
def test_why_asks_for_the_evidence_of_the_wish(understander: Understander, said: str, handles: tuple[str, ...]) -> None:
    state = listed(understander, "a blue vase", 3)
    (act,) = understander.understand(said, state).acts
    assert isinstance(act, Explain) and act.handles == handles and act.wish == state.wish


@pytest.mark.parametrize("said", ["compare the first and the ninth", "and the ninth?", "what is the fourth made of?"])
def test_a_place_beyond_the_list_is_asked_about(understander: Understander, said: str) -> None:
    (act,) = understander.understand(said, listed(understander, "a vase", 3)).acts
    assert isinstance(act, Ask) and act.about == "which"


def test_not_that_dark_is_no_judgement_of_an_item(understander: Understander) -> None:
    state = listed(understander, "a vase", 3)
    assert not any(isinstance(act, Feedback) for act in understander.understand("no, not that big", state).acts)
    assert isinstance(understander.understand("not that one", state).acts[0], Feedback)


def test_an_ordinal_without_a_list_is_no_word_of_the_wish(understander: Understander) -> None:
    (act,) = understander.understand("a vase like the 2nd one", IntentState()).acts
    assert isinstance(act, Search) and act.wish.query() == "vase"
