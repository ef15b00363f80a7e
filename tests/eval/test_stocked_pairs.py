"""Stocked and unstocked: over every value of a catalogue, nothing not carried is offered, nothing carried is denied."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from agent.base import ChatRequest
from agent.config import AgentConfig
from agent.gate.gate import Gate
from agent.gate.grounds import Grounds
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from catalog.nouns import Item
from eval.grounding import Judge
from tools.doubles import TOY_NOW, toy_shop
from tools.registry import Registry
from tools.shop import Shop

FIELDS = ("colour", "material", "brand")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    opened = toy_shop(tmp_path_factory.mktemp("shop"))
    yield opened
    opened.events.close()


def values(item: Item, field: str) -> tuple[str, ...]:
    return ((item.brand,) if item.brand else ()) if field == "brand" else item.attributes.get(field, ())


def pairs(shop: Shop) -> list[tuple[str, str, str, bool]]:
    """Every kind with every value of every field of the catalogue: (kind, field, value, whether it is carried)."""
    kinds = sorted({item.categories[-1] for item in shop.catalog})
    found = []
    for field in FIELDS:
        everything = sorted({value for item in shop.catalog for value in values(item, field)})
        for kind, value in itertools.product(kinds, everything):
            carried = any(kind == item.categories[-1] and value in values(item, field) for item in shop.catalog)
            found.append((kind, field, value, carried))
    return found


def said(kind: str, field: str, value: str) -> str:
    return f"{kind} by {value}" if field == "brand" else f"{value} {kind}"


def test_the_planner_offers_what_is_carried_and_nothing_else(shop: Shop) -> None:
    agent = Agent(
        shop, Registry(shop), Minds(ShopPlanner(shop.catalog, shop.embedder)), AgentConfig(), now=lambda: TOY_NOW
    )
    judge, wrong = Judge(shop.catalog), []

    async def ask_all() -> None:
        for kind, field, value, carried in pairs(shop):
            wish = f"do you have {said(kind, field, value)}?"
            answer = asdict(await agent.answer(ChatRequest(wish)))
            shown = [shop.catalog[each["item_id"]] for each in answer["recommendations"]]
            fitting = [item for item in shown if kind in item.categories and value in values(item, field)]
            if carried:
                # What is carried and sold out only is said to be so, and is not offered as if it were to be had.
                stocked = any(
                    kind in item.categories and value in values(item, field) and item.availability is not False
                    for item in shop.catalog
                )
                fine = bool(fitting) and (answer["outcome"] == "recommended" or not stocked)
            else:
                fine = answer["outcome"] != "recommended"
            faults = judge.judge(answer, said=wish)
            if not fine or faults:
                wrong.append((wish, carried, answer["outcome"], [item.title for item in shown][:3], faults))

    asyncio.run(ask_all())
    assert wrong == [], "\n".join(map(str, wrong))


DENIALS = (
    "We have no {}.", "We don't carry any {}.", "Sorry, I don't have any {} here.", "There are no {} in this shop.",
    "Unfortunately our shop sells no {}.", "{} are not carried.",
)  # fmt: skip


def through_gate(shop: Shop, words: ShopWords, text: str, wish: str) -> str:
    grounds = Grounds(shop.catalog, shop.captions, HandleBook(shop.catalog), words)
    grounds.heard(wish)
    gate = Gate(grounds)
    out: list[Any] = [*gate.feed(text), *gate.finish()]
    return "".join(passed.text for passed in out).strip()


def test_no_mind_gets_a_denial_of_what_is_carried_past_the_gate(shop: Shop) -> None:
    wrong, words = [], ShopWords.of(shop.catalog)
    for (kind, field, value, carried), denial in zip(pairs(shop), itertools.cycle(DENIALS), strict=False):
        what = said(kind, field, value)
        text = denial.format(what)
        passed = through_gate(shop, words, text, f"do you have {what}?")
        if bool(passed) == carried:
            wrong.append((text, carried, passed))
    assert wrong == []


def test_whole_kinds_and_values_are_not_denied_either(shop: Shop) -> None:
    names = {value for item in shop.catalog for field in FIELDS for value in values(item, field)}
    words = ShopWords.of(shop.catalog)
    names |= {item.categories[-1] for item in shop.catalog}
    for name in sorted(names):
        assert through_gate(shop, words, f"We have nothing in {name}.", f"anything in {name}?") == "", name
    for name in ("unicorn", "neon", "granite"):
        assert through_gate(shop, words, f"We have nothing in {name}.", f"anything in {name}?") != "", name


def costumes(item: Item) -> Iterator[str]:
    """Every way a mind may name an item it was given: by id and by title."""
    for name in (item.item_id, item.title or ""):
        yield from (name, f"**{name}**", f'"{name}"', f"“{name}”", f"`{name}`", f"({name})", f"'{name}'", f"*{name}*")
    yield from (f"<{item.item_id}>", f"item {item.item_id}", f"`<{item.item_id}>`", (item.title or "").upper())
    yield from (item.item_id.lower(), f"[{item.item_id}](http://evil.example)", f"{item.title} ({item.item_id})")


def test_an_id_in_any_costume_resolves_when_issued_and_goes_when_not(shop: Shop) -> None:
    wrong, words = [], ShopWords.of(shop.catalog)
    for item in shop.catalog:
        for costume in costumes(item):
            for issued in (True, False):
                book = HandleBook(shop.catalog)
                book.issue("V01" if item.item_id != "V01" else "V02")
                if issued:
                    book.issue(item.item_id)
                gate = Gate(Grounds(shop.catalog, shop.captions, book, words))
                out = "".join(p.text for p in [*gate.feed(f"I would take {costume} for that."), *gate.finish()])
                if (gate.named == [item.item_id]) != issued or (issued != bool(item.title and item.title in out)):
                    wrong.append((costume, issued, gate.named, out))
    assert wrong == [], "\n".join(map(str, wrong[:40]))
