"""Whatever is typed is understood as something, quickly, and the state stays serialisable."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.base import ShownItem
from agent.planner_calls import calls
from agent.understanding.intent import IntentState
from agent.understanding.understander import Understander
from agent.understanding.vocabulary import Vocabulary
from catalog.filters import Filters
from catalog.items import Catalog
from tools.toy_items import toy_items

TOY = Catalog(toy_items())
UNDERSTANDER = Understander(Vocabulary(TOY))
ITEMS = tuple(
    ShownItem(f"#{n}", i.item_id, i.title or "", i.price, i.currency, i.brand, i.categories, i.attributes)
    for n, i in enumerate(TOY, 1)
)
LISTED = IntentState().seen(ITEMS).model_copy(update={"last_list": ("#7", "#8", "#9")})
WORDS = """
a the no not without but and or , . ? ! #2 # the second last two these it one red blue lamp lamps mug vase leather wool
under over between 20 40 -5 €30 9.99 1e9 cheaper cheapest than like similar more others compare which how many what
colours do you have buy bought love hate instead actually never mind the colour gift for my mother just one Terrano
number 0 hundred k <B01> ' " 😀 色 वस्तु ﷺ '' -- && || [] {} %s ${x} <script>
"""
PIECES = st.sampled_from([*WORDS.split(), "\x00", "\u202e", ""])


def check(message: str, state: IntentState) -> IntentState:
    understood = UNDERSTANDER.understand(message, state)
    assert understood.acts
    for act in understood.acts:
        for call in calls(act, understood.state, 10):
            Filters.model_validate(call.arguments.get("filters", {}))
    assert IntentState.model_validate_json(understood.state.model_dump_json()) == understood.state
    return understood.state


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PIECES, max_size=14).map(" ".join), st.sampled_from((IntentState(), LISTED)))
def test_any_order_of_telling_words(message: str, state: IntentState) -> None:
    check(message, state)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300))
def test_any_text(message: str) -> None:
    check(message, LISTED)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(PIECES, max_size=8).map(" ".join), max_size=6))
def test_any_conversation(messages: list[str]) -> None:
    state = LISTED
    for message in messages:
        state = check(message, state)


@pytest.mark.parametrize(
    "message",
    ["", " ", "\x00\x01", "😀😀😀", "красная лампа", "赤いランプ", "مصباح أحمر", "'; DROP TABLE items; --", "#" * 500,
     "not " * 500, "a lamp and " * 200, "9" * 5000, "under " + "9" * 400, "1.2.3.4.5 to 6.7.8"],
    ids=lambda m: repr(m[:16]),
)  # fmt: skip
def test_odd_messages(message: str) -> None:
    check(message, LISTED)


def test_a_hundred_thousand_characters_are_read_up_to_a_limit() -> None:
    check("a blue lamp under 40 " + "x" * 100_000, LISTED)
    check("a blue lamp, not red, under 40. " * 3200, LISTED)
