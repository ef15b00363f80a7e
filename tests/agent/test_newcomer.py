"""What a newcomer says first, over the toy shop: laughs, praise, qualities no field holds, a taste in mid-search."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agent.doubles import Talk, ids_of
from agent.wording import NEW_SHOPPER

Begin = Callable[..., Talk]


@pytest.mark.parametrize("said", ["lol", "haha", "lol you're funny", "you are great"])
def test_a_laugh_asks_for_nothing(talk: Begin, said: str) -> None:
    conversation = talk()
    conversation.say("vases")
    answer = conversation.say(said)
    assert answer.outcome == "answered" and not answer.recommendations


def test_what_stands_behind_a_laugh_is_heard(talk: Begin) -> None:
    assert ids_of(talk().say("lol, show me lamps")) == ids_of(talk().say("show me lamps"))


def test_a_thing_nobody_sells_is_denied_though_no_verb_asks_for_it(talk: Begin) -> None:
    answer = talk().say("a rococo trombone")
    assert answer.outcome in ("nearest", "nothing") and "trombone" in answer.text


def test_a_quality_is_looked_for_in_the_record_or_said_to_be_missing(talk: Begin) -> None:
    conversation = talk()
    conversation.say("blue vases", top_n=1)
    assert conversation.say("is it fireproof?").text == "The record of Cobalt bud vase says nothing of “fireproof”."
    word = (conversation.agent.shop.catalog["V01"].description or "").split()[1].strip(",.")
    assert word.casefold() in conversation.say(f"does it have a {word}?").text.casefold()


def test_a_taste_that_nothing_of_the_wish_has_is_noted_and_no_more(talk: Begin) -> None:
    conversation = talk()
    conversation.say("vases")
    answer = conversation.say("I love leather")
    assert answer.outcome == "answered" and answer.text.startswith("I will remember that you like leather.")


def test_who_told_of_themselves_is_no_stranger(talk: Begin) -> None:
    conversation = talk()
    conversation.user_id = "newcomer"
    assert NEW_SHOPPER in conversation.say("recommend me something").disclosures
    conversation.say("I love leather")
    answer = conversation.say("recommend me something")
    assert "You told me" in answer.text and NEW_SHOPPER not in answer.disclosures


@pytest.mark.parametrize("said", ["I can't stand red. Show me vases", "I don't fancy red. Vases"])
def test_the_verb_of_a_refusal_is_looked_for_nowhere(talk: Begin, said: str) -> None:
    conversation = talk()
    answer = conversation.say(said)
    wish = conversation.trace(answer)["intent"]["state"]["wish"]
    assert not {"stand", "fancy"} & {*wish["wanted"]["words"], *wish["unknown"]} and answer.recommendations
