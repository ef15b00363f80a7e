"""The gate on records of films: titles that end in a bracket, lists of people, talk that names nothing."""

from __future__ import annotations

import pytest

from agent.gate.gate import Gate
from agent.gate.grounds import Grounds
from agent.gate.vocabulary import ShopWords
from agent.handles import HandleBook
from agent.planner_words import _TALK
from catalog.items import Catalog
from catalog.nouns import Item

FILMS = Catalog((
    Item("f1", title="The Money Pit (1986)", description="A couple renovates a house, and nothing goes well.",
         attributes={"actors": ("Tom Hanks", "Shelley Long", "Cher"), "director": ("Richard Benjamin",)}),
    Item("f2", title="Heat (1995)", description="A thief and a detective.",
         attributes={"actors": ("Al Pacino", "Robert De Niro"), "keywords": ("problem", "blue")}),
))  # fmt: skip
WORDS = ShopWords.of(FILMS)


def passed(text: str) -> str:
    book = HandleBook(FILMS)
    for item in FILMS:
        book.issue(item.item_id)
    gate = Gate(Grounds(FILMS, {}, book, WORDS))
    return "".join(sentence.text for sentence in (*gate.feed(text), *gate.finish())).strip()


@pytest.mark.parametrize(
    "text", ["I have The Money Pit (1986).", "(The Money Pit (1986))", "The Money Pit (1986), or Heat (1995)?"]
)
def test_a_title_ends_with_the_bracket_it_opened(text: str) -> None:
    assert passed(text) == text


@pytest.mark.parametrize("text", [
    "#1: director Richard Benjamin, actors Tom Hanks, Shelley Long and Cher.",
    "#1: actors Tom Hanks and Shelley Long.",
    "#1 has Shelley Long & Tom Hanks in it.",
])  # fmt: skip
def test_people_of_one_record_stand_side_by_side(text: str) -> None:
    assert passed(text) == text.replace("#1", "The Money Pit (1986)")


@pytest.mark.parametrize("text", [
    "#1: actors Tom Hanks and Al Pacino.",
    "#1: actors Al Pacino and Robert De Niro.",
    "#1: actors Shelley Hanks and Tom Long.",
    "#1: actors Tom Hanks and Zephyr Moon.",
])  # fmt: skip
def test_people_of_another_record_or_of_none_do_not(text: str) -> None:
    assert passed(text) == "The Money Pit (1986)."


@pytest.mark.parametrize(
    "text", [*(form for forms in _TALK.values() for form in forms), "No problem, let me look again."]
)
def test_small_talk_passes_whatever_words_the_catalogue_has(text: str) -> None:
    assert passed(text) == text
