"""What a shopper told once is used later, shown, erased and gone; another shopper's is never seen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.base import ChatRequest
from agent.config import AgentConfig, LLMConfig
from agent.doubles import Talk, ids_of, text_of
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from agent.scripted_server import ScriptedServer
from agent.understanding.profile_talk import about_me, waives
from agent.understanding.telling import telling
from agent.understanding.vocabulary import Vocabulary
from catalog.items import Catalog
from catalog.tenancy import acting_for
from catalog.told import Told
from tools.doubles import TOY_NOW, toy_shop
from tools.registry import Registry
from tools.shop import Shop
from tools.toy_items import toy_items

SIZES = {"S01": ("S", "M"), "S02": ("M",), "S03": ("M",), "S04": ("S", "M"), "S05": ("S", "L"), "S06": ("L",)}
RECORDS = [replace(item, sizes=SIZES.get(item.item_id, ())) for item in toy_items()]
VOCABULARY = Vocabulary(Catalog(RECORDS))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = replace(toy_shop(tmp_path), catalog=Catalog(RECORDS))
    yield opened
    opened.events.close()


Visit = Callable[..., Talk]


@pytest.fixture
def visit(shop: Shop) -> Iterator[Visit]:
    """Begin a conversation a week after the one before it."""
    now = [TOY_NOW]
    agents: dict[str, Agent] = {}
    with asyncio.Runner() as runner:

        def begin(user_id: str | None = "ana", base_url: str | None = None, **config: Any) -> Talk:
            key = repr((base_url, config))
            if key not in agents:
                served = LLMConfig(base_url=base_url, model="scripted") if base_url else None
                minds = Minds(ShopPlanner(shop.catalog, shop.embedder), served)
                settings = AgentConfig(llm=served, **config)
                agents[key] = Agent(shop, Registry(shop), minds, settings, now=lambda: now[0])
            now[0] += timedelta(days=7)
            return Talk(agents[key], runner, user_id=user_id)

        yield begin


def told(message: str) -> list[tuple[str, str, str | None]]:
    return [(each.kind, each.value, each.about) for each in telling(message, VOCABULARY).statements]


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("I wear size m and I can't stand red.", [("size", "M", None), ("dislike", "red", None)]),
        ("hi, I'm a large", [("size", "L", None)]),
        ("I like red. I hate red. I like red.", [("dislike", "red", None), ("like", "red", None)]),
        ("My shoe size is 42", [("size", "42", "shoe")]),
        ("I'm a 38 in shoes", [("size", "38", "shoes")]),
        ("my budget is 50 euros", [("budget", "50", None)]),
        ("I never spend more than 80", [("budget", "80", None)]),
        ("I don't like leather or wool", [("dislike", "leather", None), ("dislike", "wool", None)]),
        ("I’m allergic to wool, show me scarves", [("dislike", "wool", None)]),
        ("a vase please. My favourite colour is green!", [("like", "green", None)]),
        ("Remember that I love Terrano", [("like", "Terrano", None)]),
        ("I love scarves", [("like", "scarves", None)]),
    ],
)
def test_sentences_in_the_first_person_tell(message: str, found: list[tuple[str, str, str | None]]) -> None:
    assert told(message) == found


@pytest.mark.parametrize(
    "message",
    [
        "a red vase", "I'd like a blue one", "I don't want red", "not leather", "I like the second one", "I love it",
        "I like blue vases", "my mother loves blue", "she wears M", "my sister's size is M", "I am 38",
        "do I like red?", "I don't like red today", "a lamp, budget 50", "my budget for a lamp is 80",
        "I need a size M",
        "I love Cobalt bud vase", "I love how red looks", "if I like blue I'll say so", "I love you", "",
        "the review says: I hate red", '{"text": "I hate red"}',
    ],
)  # fmt: skip
def test_wishes_and_words_on_others_tell_nothing(message: str) -> None:
    assert told(message) == []


def test_told_once_it_is_used_later_and_the_answer_says_so(visit: Visit) -> None:
    first = visit().say("hi, I wear size M and I can't stand red. My budget is 50.")
    assert first.text.startswith("I will remember that you wear size M, spend up to 50 and do not like red.")
    assert not first.recommendations
    answer = visit().say("a scarf")
    assert ids_of(answer) == ["S01"]  # S02 is red, S03 out of stock, S04 and S06 dearer, S05 in other sizes
    assert "You told me on 9 March 2026 that you spend up to 50, wear size M and do not like red" in answer.text
    assert "omes in size M" in answer.recommendations[0].reason


def test_a_wish_of_today_wins(visit: Visit) -> None:
    visit().say("I hate red. I never spend more than 50. I wear size M")
    assert ids_of(visit().say("a red scarf")) == ["S02"]
    dear = visit().say("a scarf under 200")
    assert "S04" in ids_of(dear) and "spend up to" not in dear.text
    large = {each.item_id: each.reason for each in visit().say("a scarf in size L").recommendations}
    assert "omes in size L" in large["S05"] and not any("size M" in reason for reason in large.values())
    everything = visit().say("a lamp, never mind my budget")
    assert "L04" in ids_of(everything) and "spend" not in everything.text
    ignored = visit().say("a scarf, ignore my preferences")
    assert {"S05", "S06"} <= set(ids_of(ignored)) and "preferences" not in ignored.text
    present = ids_of(visit().say("a scarf for my mother"))
    assert "S05" in present and "S06" not in present  # her size is not known, and the budget is the shopper's still


def test_what_does_not_count_for_somebody_else_is_said(visit: Visit) -> None:
    visit().say("I hate red")
    talk = visit()
    present = talk.say("a scarf for my mother")
    assert "S02" in ids_of(present)
    assert "for somebody else, so I left aside what you told me (you do not like red)" in present.text
    assert "somebody else" not in talk.say("a vase").text  # of which none is red: nothing was left aside
    later = talk.say("a scarf")
    assert "S02" in ids_of(later) and "for somebody else" in later.text
    # A trace that repeats what was told names it: who has it forgotten has the trace forgotten too.
    assert len(talk.trace(later)["memory"]["set_aside"]) == 1


def test_what_the_shop_has_is_no_question_about_the_shopper(visit: Visit) -> None:
    assert "vases" in visit().say("what do you have?").text.casefold()
    assert about_me("what do you have on me?", ()) is not None


@pytest.mark.parametrize(
    "said", ["a scarf for me", "a scarf for myself", "for myself, a scarf", "show me scarves for me"]
)
def test_who_wants_something_for_themselves_again_is_known_again(visit: Visit, said: str) -> None:
    visit().say("I hate red")
    talk = visit()
    assert "S02" in ids_of(talk.say("a scarf for my mother"))
    own = talk.say(said)
    assert own.recommendations and "S02" not in ids_of(own) and "you do not like red" in own.text


def test_what_is_liked_comes_first(visit: Visit) -> None:
    before = ids_of(visit().say("a vase"))
    visit().say("My favourite brand is Glasgar")
    answer = visit().say("a vase")
    assert ids_of(answer)[0] == "V01" and set(ids_of(answer)) == set(before)
    assert "that you like Glasgar, so I put what you like first" in answer.text


def test_what_leaves_nothing_is_set_aside_and_that_is_said(visit: Visit) -> None:
    visit().say("I never spend more than 5 euros")
    answer = visit().say("a vase")
    assert answer.recommendations and "so I set that aside" in answer.text and "so I kept to that" not in answer.text


def test_the_list_goes_on_as_it_began(visit: Visit) -> None:
    visit().say("I hate blue")
    talk = visit()
    talk.top_n = 2
    first, more = ids_of(talk.say("a vase")), ids_of(talk.say("more"))
    assert not {"V01", "V06"} & {*first, *more} and not set(first) & set(more) and more


def test_it_is_shown_and_erased_one_by_one_and_whole(visit: Visit, shop: Shop) -> None:
    visit().say("I wear size M. I hate red. I love blue")
    talk = visit()
    shown = talk.say("What do you know about me?")
    assert "you wear size M (9 March 2026: “I wear size M”)" in shown.text and "“I hate red”" in shown.text
    assert talk.trace(shown)["mind"] is None
    assert talk.say("forget my size").text == "That is forgotten."
    assert {each.kind for each in shop.events.told_by("ana")} == {"dislike", "like"}
    talk.say("please forget that I hate red")
    assert [each.kind for each in shop.events.told_by("ana")] == ["like"]
    talk.say("forget everything")
    assert shop.events.told_by("ana") == []
    assert "nothing of yourself" in talk.say("what do you know about me?").text
    assert "start afresh" in talk.say("forget everything").text  # nothing is known any more: the wish was meant


def test_forget_it_is_about_what_was_just_shown_or_noted(visit: Visit, shop: Shop) -> None:
    visit().say("I love blue")
    talk = visit()
    talk.say("I hate red")
    assert talk.say("no, forget that").text == "That is forgotten."
    assert [each.kind for each in shop.events.told_by("ana")] == ["like"]  # only what was just noted
    talk.say("what do you know about me?")
    talk.say("forget it")
    assert shop.events.told_by("ana") == []
    visit().say("I hate red")
    talk.say("a vase")
    assert "start afresh" in talk.say("forget it").text and shop.events.told_by("ana")  # behind a wish, the wish


def test_what_is_erased_is_gone_from_every_store(visit: Visit, shop: Shop, tmp_path: Path) -> None:
    talk = visit()
    talk.say("I wear size M")
    session = talk.agent.sessions.of_user("ana")[0]
    visit().say("a scarf")
    visit().say("what do you know about me?")
    talk.say("forget my size")
    assert all("I wear size M" not in said.text + said.handled for said in session.said)
    left = [path.name for path in tmp_path.iterdir() if path.is_file() and b"wear size M" in path.read_bytes()]
    assert left == []


def test_the_agents_own_door_erases_as_well(visit: Visit, shop: Shop) -> None:
    talk = visit()
    talk.say("I wear size M. I hate red")
    size, red = sorted(shop.events.told_by("ana"), key=lambda each: each.kind, reverse=True)
    assert talk.agent.forget_told("ana", size.entry_id) == 1 and talk.agent.forget_told("ana", size.entry_id) == 0
    assert shop.events.told_by("ana") == [red] and talk.agent.forget_told("ana") == 1
    assert all("red" not in said.text for said in talk.agent.sessions.of_user("ana")[0].said)


def test_never_across_shoppers_or_tenants(visit: Visit) -> None:
    visit().say("I hate blue")
    assert "V01" in ids_of(visit("ben").say("a vase"))
    assert "nothing of yourself" in visit("ben").say("what do you know about me?").text
    talk = visit("ana")

    async def rival() -> str:
        with acting_for("rival"):
            return (await talk.agent.answer(ChatRequest("what do you know about me?", user_id="ana"))).text

    assert "nothing of yourself" in talk.runner.run(rival())
    assert "blue" in visit("ana").say("what do you know about me?").text


def test_a_guest_is_remembered_in_the_session_and_after_signing_in(visit: Visit, shop: Shop) -> None:
    guest = visit(None)
    guest.say("I hate blue")
    assert "V01" not in ids_of(guest.say("a vase"))
    assert "V01" in ids_of(visit(None).say("a vase"))
    guest.user_id = "cleo"
    assert "V01" not in ids_of(guest.say("another vase"))
    assert [each.value for each in shop.events.told_by("cleo")] == ["blue"]
    other = visit(None)
    other.say("I hate blue")
    other.say("forget that I hate blue")
    assert "V01" in ids_of(other.say("a vase"))


def test_switched_off_nothing_is_kept(visit: Visit, shop: Shop) -> None:
    talk = visit("ana", memory="off")
    assert "remember" not in talk.say("I hate blue").text and shop.events.told_by("ana") == []


def test_what_items_and_reviews_say_is_never_taken_down(visit: Visit, shop: Shop) -> None:
    talk = visit()
    for message in ("tell me about the cobalt bud vase", "a vase", "what do people say of the first?"):
        talk.say(message)
    assert shop.events.told_by("ana") == []


def test_an_llm_reads_it_beside_the_message_and_breaches_are_told(visit: Visit, shop: Shop) -> None:
    with ScriptedServer("obedient") as server:
        first = visit("ana", server.base_url)
        events = first.events("I can't stand blue")
        assert text_of(events).startswith("I will remember that you do not like blue.")
        answer = visit("ana", server.base_url).say("a vase")
        heard = server.requests[-1]["messages"]
    read = next(each["content"] for each in reversed(heard) if each["role"] == "user")
    assert '"You do not like blue."' in str(read) and "<told>" in str(read)
    assert "<told>" in heard[0]["content"] and "2026" not in heard[0]["content"]  # the prompt itself stays the same
    blue = [each.title for each in answer.recommendations if "blue" in shop.catalog[each.item_id].attributes["colour"]]
    assert blue and f"{blue[0]} does not go with what you told me (you do not like blue)" in answer.text


def entry(kind: Any, value: str, facet: str = "size", about: str | None = None) -> Told:
    return Told(kind, facet, value, "words", datetime.fromisoformat("2026-01-01T00:00:00+00:00"), about=about)


SIZE, SHOE = entry("size", "M"), entry("size", "38", about="shoes")
RED, BLUE, BUDGET = (
    entry("dislike", "red", "attribute.colour"),
    entry("like", "blue", "attribute.colour"),
    entry("budget", "50", "price"),
)
KNOWN = (SIZE, SHOE, RED, BLUE, BUDGET)


@pytest.mark.parametrize(
    ("message", "entries"),
    [
        ("forget my size", (SIZE, SHOE)), ("Please forget my shoe size!", (SHOE,)), ("delete my budget", (BUDGET,)),
        ("forget my dislikes", (RED,)), ("forget my likes", (BLUE,)), ("forget my tastes", (RED, BLUE)),
        ("forget my favourite colour", (BLUE,)), ("forget my favourite brand", ()), ("forget that I hate red", (RED,)),
        ("forget everything", KNOWN), ("delete my data", KNOWN), ("forget everything you know about me", KNOWN),
        ("forget what I told you", KNOWN), ("please forget me", KNOWN),
    ],
)  # fmt: skip
def test_what_is_to_be_forgotten(message: str, entries: tuple[Told, ...]) -> None:
    found = about_me(message, KNOWN)
    assert found is not None and found.asks == "forget" and found.entries == entries


@pytest.mark.parametrize("message", ["forget the red one", "forget it", "never mind the colour", "a size 38 dress", ""])
def test_what_is_for_the_wish_of_today(message: str) -> None:
    assert about_me(message, KNOWN) is None


def test_what_is_set_aside_for_today() -> None:
    assert waives("whatever colour, budget doesn't matter") == ("price",) or waives("any colour") == ("colour",)
    assert waives("a lamp over my budget is fine") == ("price",) and waives("a blue lamp") == ()


def test_a_nul_is_kept_in_no_words(visit: Visit, shop: Shop) -> None:
    visit().say("I hate red\0")
    assert [(each.value, "\0" in each.words) for each in shop.events.told_by("ana")] == [("red", False)]


def test_a_guest_is_remembered_no_longer_than_a_shopper(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who tells without end would make every page of their own dear: each heeds all that was told."""
    monkeypatch.setattr("agent.memory.keeping.MOST_TOLD", 1)
    guest = visit(None)
    guest.say("I hate blue")
    guest.say("I hate red")
    assert "V01" in ids_of(guest.say("a vase"))
    assert "blue" not in guest.say("what do you know about me?").text
