"""Conversations as a demanding shopper would judge them: changes of subject, counting back, and nothing cheaper."""

from __future__ import annotations

from agent.doubles import ids_of


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
    conversation.say(f"tell me about {first.recommendations[0].title}")
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
