"""How people talk while they shop: typing mistakes, second thoughts, turns of phrase that name nothing."""

from __future__ import annotations

from typing import Any

import pytest

from agent.base import ShownItem
from agent.understanding.discourse import plain
from agent.understanding.intent import Compare, Feedback, IntentState, OffTopic, Search
from agent.understanding.understander import Understander
from agent.understanding.vocabulary import Vocabulary
from catalog.items import Catalog
from catalog.nouns import Item

ROWS = """
d1|Linen dress|Dresses|linen|blue|gift|60
d2|Wool dress|Dresses|wool|red|office|80
b1|Red backpack|Backpacks|canvas|red|gift|70
b2|Soothing pack|Backpacks|wool|blue|travel|90
h1|Soft handbag|Handbags|leather|red|everyday|50
h2|Soft bag|Handbags|wool|blue|gift|40
n1|Lined notebook|Notebooks|paper|red|office|9
"""


def record(row: str) -> Item:
    item_id, title, kind, material, colour, occasion, price = row.split("|")
    attributes = {"material": (material,), "colour": (colour,), "occasion": (occasion,)}
    return Item(item_id, title=title, price=float(price), categories=(kind,), attributes=attributes)


SHOP = Catalog(record(row) for row in ROWS.strip().splitlines())


@pytest.fixture(scope="module")
def understander() -> Understander:
    return Understander(Vocabulary(SHOP))


def listed(understander: Understander, said: str, *ids: str) -> IntentState:
    """The state after `said` was answered with items under handles #1, #2..."""
    state = understander.understand(said, IntentState()).state if said else IntentState()
    items = tuple(
        ShownItem(f"#{n}", i.item_id, i.title or "", i.price, None, None, i.categories, i.attributes)
        for n, i in enumerate((SHOP[item_id] for item_id in ids), 1)
    )
    return state.seen(items).model_copy(update={"last_list": tuple(item.handle for item in items)})


def searched(understander: Understander, *said: str) -> dict[str, Any]:
    state = IntentState()
    for message in said:
        understood = understander.understand(message, state)
        state = understood.state
    act = understood.acts[-1]
    assert isinstance(act, Search), act
    return act.wish.filters()


@pytest.mark.parametrize(
    ("said", "kind"),
    [("desses", "Dresses"), ("drsses please", "Dresses"), ("dresess", "Dresses"), ("bakcpacks", "Backpacks"),
     ("handbgas", "Handbags"), ("noteboks", "Notebooks"), ("a notebbok", "Notebooks")],
)  # fmt: skip
def test_mistyped_kinds_of_things_are_still_kinds_of_things(said: str, kind: str, understander: Understander) -> None:
    assert searched(understander, said) == {"category": [kind]}


def test_a_mistyped_everyday_word_is_none_of_the_shops(understander: Understander) -> None:
    understood = understander.understand("soething blue, plesae", IntentState())
    assert understood.state.wish.filters() == {"attributes": {"colour": ["blue"]}}
    assert understood.state.wish.wanted.words == ()
    assert understood.notes == ("'soething' taken for 'something'", "'plesae' taken for 'please'")


@pytest.mark.parametrize(
    "turn",
    ["on second thought, {}", "on second thoughts {}", "I changed my mind: {}", "I've changed my mind, {}",
     "no wait, {}", "hold on, {} instead", "scratch that, {}",
     "actually, make it {}", "on secnd thought, {}", "oops, I meant {}"],
)  # fmt: skip
def test_second_thoughts_swap_the_kind_and_keep_the_rest(turn: str, understander: Understander) -> None:
    found = searched(understander, "a red backpack under 80", turn.format("handbags"))
    assert found == {"category": ["Handbags"], "attributes": {"colour": ["red"]}, "price": {"max": 79.99}}


def test_second_thoughts_point_at_nothing_shown(understander: Understander) -> None:
    state = listed(understander, "dresses", "d1", "d2")
    (act,) = understander.understand("on second thought, in wool", state).acts
    assert isinstance(act, Search)
    assert act.wish.filters() == {"category": ["Dresses"], "attributes": {"material": ["wool"]}}


@pytest.mark.parametrize(
    "said",
    [
        "it has to be wool",
        "and it should be wool",
        "it really must be wool",
        "they need to be wool",
        "wool it should be",
    ],
)
def test_what_it_has_to_be_is_said_of_the_wish(said: str, understander: Understander) -> None:
    state = listed(understander, "something blue", "d1", "b2", "h2")
    (act,) = understander.understand(said, state).acts
    assert isinstance(act, Search)
    assert act.wish.filters() == {"attributes": {"colour": ["blue"], "material": ["wool"]}}


@pytest.mark.parametrize("said", ["it shouldn't be wool", "it must not be wool", "it can't be wool", "not in wool"])
def test_what_it_must_not_be_is_ruled_out(said: str, understander: Understander) -> None:
    state = listed(understander, "dresses", "d1", "d2")
    (act,) = understander.understand(said, state).acts
    assert isinstance(act, Search)
    assert act.wish.filters() == {"category": ["Dresses"], "not": {"attributes": {"material": ["wool"]}}}


@pytest.mark.parametrize(
    ("said", "occasion"),
    [("something as a gift", "gift"), ("a dress as a present", "gift"), ("a backpack for travel", "travel"),
     ("a handbag for everyday use", "everyday"), ("a dress for the office", "office"), ("a nice gift", None)],
)  # fmt: skip
def test_an_occasion_is_one_where_it_is_said_as_one(
    said: str, occasion: str | None, understander: Understander
) -> None:
    wish = understander.understand(said, IntentState()).state.wish
    assert wish.wanted.attributes.get("occasion", ()) == ((occasion,) if occasion else ())


@pytest.mark.parametrize(
    ("said", "by"),
    [("which of the first two is cheaper?", "price_asc"), ("which one of the first two costs less?", "price_asc"),
     ("which of the first two has the lower price?", "price_asc"), 
     ("which of the first two costs the most?", "price_desc"),
     ("which of the first two is more affordable?", "price_asc"),
     ("which of the first two is rated higher?", "rating")],
)  # fmt: skip
def test_a_question_that_chooses_by_a_figure(said: str, by: str, understander: Understander) -> None:
    (act,) = understander.understand(said, listed(understander, "dresses", "d1", "d2", "b1")).acts
    assert isinstance(act, Compare)
    assert (act.handles, act.by) == (("#1", "#2"), by)


def test_turning_down_by_a_mistyped_number(understander: Understander) -> None:
    acts = understander.understand("not nummber 2, I don't like it", listed(understander, "dresses", "d1", "d2")).acts
    assert isinstance(acts[0], Feedback)
    assert (acts[0].handle, acts[0].signal) == ("#2", "dismiss")
    assert sum(isinstance(act, Feedback) for act in acts) == 1


def test_no_leave_it_declines_and_is_no_wish(understander: Understander) -> None:
    state = listed(understander, "dresses", "d1", "d2")
    asked = understander.understand("I don't like the first one", state)
    waiting = asked.state.model_copy(update={"pending": tuple(a for a in asked.acts if isinstance(a, Feedback))})
    understood = understander.understand("no, leave it", waiting)
    assert [act.kind for act in understood.acts] == ["smalltalk"]
    assert (understood.state.pending, understood.state.wish.unknown) == ((), ())
    again = understander.understand("yes, do that", waiting)
    assert again.acts == waiting.pending


def test_places_stay_where_a_turn_of_phrase_stood() -> None:
    said = "on second thought, it has to be blue"
    assert len(plain(said)) == len(said)
    assert plain(said).split() == [",", "has", "to", "be", "blue"]


@pytest.mark.parametrize(
    ("said", "price"),
    [("dresses under 80 and over 30", {"min": 30.01, "max": 79.99}),
     ("a dress, at least 20 but not more than 70", {"min": 20.0, "max": 70.0}),
     ("a dress that shouldn't cost more than 70", {"max": 70.0})],
)  # fmt: skip
def test_two_ends_of_a_price_make_a_range(said: str, price: dict[str, float], understander: Understander) -> None:
    assert searched(understander, said) == {"category": ["Dresses"], "price": price}


def test_a_second_end_joins_the_first_and_a_correction_replaces_it(understander: Understander) -> None:
    assert searched(understander, "dresses under 90", "over 30")["price"] == {"min": 30.01, "max": 89.99}
    assert searched(understander, "dresses under 90", "over 95")["price"] == {"min": 95.01}
    assert searched(understander, "dresses over 30", "sorry, I meant under 90")["price"] == {"max": 89.99}


def test_cheaper_stays_below_the_limit_that_was_stated(understander: Understander) -> None:
    state = listed(understander, "dresses under 65", "d2")  # shown although it costs 80
    (act,) = understander.understand("cheaper than that", state).acts
    assert isinstance(act, Search)
    assert act.wish.filters()["price"] == {"max": 64.99}


@pytest.mark.parametrize(
    ("said", "denied"),
    [("a dress for my aunt, she hates wool", ["wool"]), ("neither wool nor linen dresses", ["wool", "linen"]),
     ("dresses, not wool, linen or leather", ["wool", "linen", "leather"]),
     ("a dress, my sister doesn't like wool", ["wool"])],
)  # fmt: skip
def test_what_others_do_not_like_and_lists_of_it(said: str, denied: list[str], understander: Understander) -> None:
    assert searched(understander, said) == {"category": ["Dresses"], "not": {"attributes": {"material": denied}}}


def test_a_price_for_both_holds_for_each_and_one_of_them_can_be_come_back_to(understander: Understander) -> None:
    first = understander.understand("I want a handbag and a matching notebook, both under 45", IntentState())
    assert [act.wish.price_max for act in first.acts if isinstance(act, Search)] == [44.99, 44.99]
    (act,) = understander.understand("the handbag should be blue", first.state).acts
    assert isinstance(act, Search)
    assert act.wish.filters() == {
        "category": ["Handbags"], "attributes": {"colour": ["blue"]}, "price": {"max": 44.99}
    }  # fmt: skip


def test_a_kind_named_late_narrows_what_was_said_before(understander: Understander) -> None:
    found = searched(
        understander, "something soothing for my dad, he hates canvas", "he likes blue", "maybe a backpack?"
    )
    assert found == {
        "category": ["Backpacks"], "attributes": {"colour": ["blue"]}, "not": {"attributes": {"material": ["canvas"]}}
    }  # fmt: skip


def test_another_subject_takes_the_place_of_one_nobody_carries(understander: Understander) -> None:
    state = understander.understand("do you sell bicycles?", IntentState()).state
    assert understander.understand("what about umbrellas?", state).state.wish.unknown == ("umbrellas",)


def test_a_word_nothing_carries_is_told_once(understander: Understander) -> None:
    first = understander.understand("a dress for the seaside", IntentState())
    second = understander.understand("in blue", first.state)
    assert (first.strange, second.strange) == (("seaside",), ())


def test_a_maker_nobody_carries_is_a_stranger(understander: Understander) -> None:
    assert understander.understand("a dress by Terrano", IntentState()).state.wish.strangers == ("terrano",)


def test_a_swap_gives_up_what_the_new_kind_never_is_and_says_so(understander: Understander) -> None:
    state = understander.understand("a red leather handbag", IntentState()).state
    (act,) = understander.understand("actually a notebook instead", state).acts
    assert isinstance(act, Search)
    assert act.wish.filters() == {"category": ["Notebooks"], "attributes": {"colour": ["red"]}}
    assert act.aside == ("leather",)


def test_as_a_gift_narrows_and_a_gift_for_somebody_begins(understander: Understander) -> None:
    assert searched(understander, "backpacks", "as a gift please")["category"] == ["Backpacks"]
    state = understander.understand("a red backpack", IntentState()).state
    assert understander.understand("I also need a gift for my mother", state).state.wish.filters() == {}


@pytest.mark.parametrize(
    ("said", "price"),
    [("dresses, nothing over 70", {"max": 70.0}), ("dresses, nothing under 70", {"min": 70.0}),
     ("dresses, not above 70", {"max": 70.0})],
)  # fmt: skip
def test_nothing_over_is_a_ceiling(said: str, price: dict[str, float], understander: Understander) -> None:
    assert searched(understander, said) == {"category": ["Dresses"], "price": price}


def test_what_is_said_of_everything_holds_for_each(understander: Understander) -> None:
    understood = understander.understand("a dress, a handbag and a backpack, everything in blue", IntentState())
    assert [act.wish.filters() for act in understood.acts if isinstance(act, Search)] == [
        {"category": [kind], "attributes": {"colour": ["blue"]}} for kind in ("Dresses", "Handbags", "Backpacks")
    ]


def test_an_occasion_told_without_its_name(understander: Understander) -> None:
    weddings = Catalog([Item("1", categories=("Rings",), attributes={"occasion": ("wedding",)})])
    state = Understander(Vocabulary(weddings)).understand("my sister is getting married", IntentState()).state
    assert state.wish.filters() == {"attributes": {"occasion": ["wedding"]}}
    wish = understander.understand("a dress for my aunt, she turns 40", IntentState()).state.wish
    assert (wish.recipient, wish.occasion, wish.filters()) == ("aunt", "birthday", {"category": ["Dresses"]})


def test_a_whole_list_turned_down_is_left_out_and_not_recorded_item_by_item(understander: Understander) -> None:
    state = listed(understander, "something blue", "d1", "b2", "h2")
    (act,) = understander.understand("I don't like any of these", state).acts
    assert isinstance(act, Search) and act.wish.not_items == ("#1", "#2", "#3")


def test_bare_numbers_in_a_comparison_are_places(understander: Understander) -> None:
    (act,) = understander.understand(
        "what's the difference between 1 and 3", listed(understander, "", "d1", "d2", "b1")
    ).acts
    assert isinstance(act, Compare) and act.handles == ("#1", "#3")


@pytest.mark.parametrize("said", ["I'm bored", "you are useless", "we're redecorating"])
def test_a_remark_changes_no_wish(said: str, understander: Understander) -> None:
    before = understander.understand("a blue dress", IntentState()).state
    understood = understander.understand(said, before)
    assert [act.kind for act in understood.acts] == ["question"]
    assert understood.state.wish == before.wish


def test_the_cheaper_of_two_chooses_among_them(understander: Understander) -> None:
    (act,) = understander.understand("the cheaper of the first two", listed(understander, "", "d1", "d2", "b1")).acts
    assert isinstance(act, Compare) and (act.handles, act.by) == (("#1", "#2"), "price_asc")


def test_cheaper_stays_above_the_floor_where_something_is_left_there(understander: Understander) -> None:
    state = listed(understander, "dresses between 50 and 90", "d2")  # d1 costs 60
    (act,) = understander.understand("cheaper", state).acts
    assert isinstance(act, Search) and act.wish.filters()["price"] == {"min": 50.0, "max": 79.99}
    state = listed(understander, "dresses between 70 and 90", "d2")
    (act,) = understander.understand("cheaper", state).acts
    assert isinstance(act, Search) and act.wish.filters()["price"] == {"max": 79.99}


def test_another_value_of_a_facet_keeps_the_rest(understander: Understander) -> None:
    found = searched(understander, "wool dresses under 90", "in a different material")
    assert found == {
        "category": ["Dresses"], "price": {"max": 89.99}, "not": {"attributes": {"material": ["wool"]}}
    }  # fmt: skip


def test_how_many_are_there_counts_what_was_asked_for(understander: Understander) -> None:
    state = understander.understand("red backpacks", IntentState()).state
    (act,) = understander.understand("how many are there?", state).acts
    assert act.kind == "facts"
    assert act.wish.filters() == {"category": ["Backpacks"], "attributes": {"colour": ["red"]}}


@pytest.mark.parametrize("said", ["can you give me 20% off?", "is there a discount?", "how about half the price?"])
def test_a_discount_is_a_question_of_service(said: str, understander: Understander) -> None:
    (act,) = understander.understand(said, IntentState()).acts
    assert isinstance(act, OffTopic) and act.service


def test_wishes_side_by_side_are_come_back_to_in_any_order(understander: Understander) -> None:
    state = understander.understand("I'm looking for a dress and a handbag for my sister", IntentState()).state
    state = understander.understand("make the dress blue", state).state
    assert state.wish.filters() == {"category": ["Dresses"], "attributes": {"colour": ["blue"]}}
    state = understander.understand("and the handbag red", state).state
    assert state.wish.filters() == {"category": ["Handbags"], "attributes": {"colour": ["red"]}}
