"""Conversations as a demanding shopper would judge them: changes of subject, counting back, and nothing cheaper."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.doubles import ids_of
from agent.wording import LEFT_OUT


def test_a_gift_after_a_question_of_fact_is_a_new_wish(talk):
    conversation = talk()
    conversation.say("how many mugs under 20 euros?")
    answer = conversation.say("a gift for my mother")
    categories = {c for item_id in ids_of(answer) for c in conversation.agent.shop.catalog[item_id].categories}
    assert answer.outcome == "question" or not categories <= {"Mugs", "mugs"}


def test_nothing_cheaper_is_said_and_not_hidden(talk):
    conversation = talk()
    answer = conversation.say("a blue vase")
    while len(answer.recommendations) > 1:
        answer = conversation.say("cheaper ones")
    answer = conversation.say("cheaper ones")
    assert "Nothing that fits is cheaper" in answer.text or answer.outcome in ("nearest", "nothing")


def test_the_second_counts_in_the_last_list_that_had_one(talk):
    conversation = talk()
    first = conversation.say("vases")
    assert len(first.recommendations) > 1
    second = first.recommendations[1].item_id
    conversation.say("tell me about the first")
    answer = conversation.say("more like the second")
    assert second not in ids_of(answer) and answer.recommendations


def test_a_list_of_several_is_not_read_out(talk):
    answer = talk().say("vases")
    assert sum(each.title in answer.text for each in answer.recommendations) == 1
    assert answer.recommendations[0].title in answer.text


def test_evidence_quotes_a_snippet_of_a_long_description(talk):
    for answer in (talk().say("something for a picnic"), talk().say("a lamp for reading")):
        for each in answer.recommendations:
            assert all(len(e.text) <= 112 for e in each.evidence if e.name == "description")


def test_an_answer_of_which_nothing_was_left_asks_back(talk, monkeypatch):
    monkeypatch.setattr("agent.planner.compose", lambda turn: "There are 77 vases under 40.")
    conversation = talk()
    answer = conversation.say("how many vases under 40 do you have in total by 77?")
    assert answer.outcome != "error" and "77" not in answer.text.split("by")[0]
    monkeypatch.setattr("agent.planner.compose", lambda turn: "Everything ships free.")
    answer = conversation.say("how many vases under 40?")
    assert (answer.outcome, answer.recommendations) == ("question", ())
    assert LEFT_OUT in answer.disclosures and answer.text.endswith("?")
    assert conversation.trace(answer)["answer"]["outcome"] == "question"


def prices_of(conversation, answer):
    return [conversation.agent.shop.catalog[item_id].price for item_id in ids_of(answer)]


def test_a_stated_limit_outlives_cheaper_and_more_like_that(talk):
    """Under 46 there are five vases, of 24 to 45; "cheaper" leaves fewer, and likeness must not bring back the 89."""
    second, titled = "more like the second", "more like Terracotta amphora vase"
    for follow_up in ([second], ["cheaper ones", second], ["cheaper", "like #3"], [titled]):
        conversation = talk()
        conversation.say("vases under 46")
        for message in follow_up:
            answer = conversation.say(message)
        assert answer.recommendations and max(prices_of(conversation, answer)) < 46, (follow_up, answer.text)


def test_more_expensive_stays_within_the_limit_while_anything_is_left(talk):
    conversation = talk()
    shown = prices_of(conversation, conversation.say("lamps under 80", top_n=3))
    dearer = conversation.say("something more expensive")
    assert dearer.recommendations and all(min(shown) < price < 80 for price in prices_of(conversation, dearer))


def test_a_limit_that_had_to_be_set_aside_is_said_to_be_broken(talk):
    """Of six vases one costs 45 and one 89: beyond 45 nothing is left under 60."""
    conversation = talk()
    conversation.say("green vases under 60")
    answer = conversation.say("something more expensive in blue")
    assert max(prices_of(conversation, answer)) == 89
    assert "Navy floor vase is not within your price limit, under 60" in answer.text


def test_a_budget_comes_back_with_a_new_subject_as_it_was_named(talk):
    """Not as "cheaper" had narrowed it for what came before."""
    conversation = talk()
    conversation.say("my budget is 60, show me vases")
    conversation.say("cheaper")
    answer = conversation.say("and now I need a lamp")
    assert max(prices_of(conversation, answer)) == 59


@pytest.mark.parametrize(
    "asked", ["more like the second", "something similar to the second one", "a vase like the Navy floor vase"]
)
@pytest.mark.parametrize("why", ["why the first one?", "Why do you show me this?"])
def test_why_one_of_what_is_like_an_item_names_that_item(talk, asked, why):
    conversation = talk()
    listed = conversation.say("a blue vase")
    assert [each.title for each in listed.recommendations][1] == "Navy floor vase"
    conversation.say(asked)
    told = conversation.say(why)
    assert "because it is like Navy floor vase" in told.text and told.outcome == "answered"
    conversation.say("a mug")
    assert "Navy" not in conversation.say(why).text


def test_why_of_what_is_like_one_of_two_items_of_one_name_is_answered_without(talk):
    twin = talk().agent.shop.catalog["V05"]
    conversation = talk(items=[replace(twin, title="Navy floor vase")])
    conversation.say("a vase like the Navy floor vase")
    assert conversation.say("why the first one?").text.startswith("I show ")


@pytest.mark.parametrize(
    "asked",
    [
        "gift for my mum", "birthday present for mum", "gift ideas for dad", "presents for my sister",
        "and ideas for my brother", "What could I get my mother for her birthday?",
        "something for my mother's birthday",
    ],
)  # fmt: skip
@pytest.mark.parametrize("before", ["a bag", "a leather bag under 90"])
def test_who_asks_what_to_give_is_not_kept_to_what_was_looked_for_before(talk, before, asked):
    conversation = talk()
    conversation.say(before)
    answer = conversation.say(asked)
    bags = [i for i in ids_of(answer) if "bags" in conversation.agent.shop.catalog[i].categories]
    assert answer.outcome == "question" or bags != ids_of(answer)


@pytest.mark.parametrize(
    "said", ["it's for my mother's birthday", "as a gift for my mum", "for my mother", "can I give it to my mum?"]
)
def test_whom_the_thing_is_for_is_no_other_wish(talk, said):
    conversation = talk()
    conversation.say("a bag")
    answer = conversation.say(said)
    assert all("bags" in conversation.agent.shop.catalog[each].categories for each in ids_of(answer))
    assert answer.outcome != "question"


@pytest.mark.parametrize("said", ["asdfgh qwerty", "qwerty", "asdfasdf", "xkcd hjkl", "sdfghjkl!!"])
def test_what_runs_over_the_keyboard_is_not_answered_as_understood(talk, said):
    conversation = talk()
    first = conversation.say("vases")
    answer = conversation.say(said)
    assert answer.outcome == "question" and answer.recommendations == () and "did not quite catch" in answer.text
    again = conversation.say("tell me more about the first")
    assert ids_of(again) == ids_of(first)[:1]


def test_a_word_nothing_carries_is_still_a_word(talk):
    conversation = talk()
    conversation.say("vases")
    assert "I found no mention of “dishwasher”" in conversation.say("dishwasher safe").text


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("A warm mug under 60", "Their records say nothing of “warm”."),
        ("an elegant blue vase", "Their records say nothing of “elegant”."),
        ("a warm blue mug", "Its record says nothing of “warm”."),
    ],
)
def test_a_quality_that_no_record_speaks_of_is_said_to_weigh_nothing(talk, said, told):
    conversation = talk()
    answer = conversation.say(said)
    assert told in answer.text and answer.recommendations
    assert "nothing of" not in conversation.say("cheaper").text


def test_a_quality_that_a_record_speaks_of_is_not_denied(talk):
    conversation = talk()
    assert "nothing of" not in conversation.say("a warm scarf under 60").text
    assert "nothing of" not in conversation.say("a glazed vase").text
