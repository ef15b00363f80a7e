"""A title and its year find one item, or nobody is told a guess."""

from __future__ import annotations

import pytest

from catalog.items import Catalog
from catalog.nouns import Item
from eval.dialogue.nouns import Mention
from eval.dialogue.titles import TitleIndex, spoken_title

FILMS = Catalog(
    [
        Item("1", title="Matrix, The (1999)"),
        Item("2", title="Hamlet (1996)"),
        Item("3", title="Hamlet (1990)"),
        Item("4", title="Amélie (Fabuleux destin d'Amélie Poulain, Le) (2001)"),
        Item("5", title="Dune", attributes={"year": ("2021",)}),
        Item("6", title="Blue vase"),
        Item("7", title="Emma (1996)"),
        Item("8", title="Emma (1996)"),
        Item("9"),
        Item("10", title="2001: A Space Odyssey (1968)"),
    ]
)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("The Matrix  (1999)", "1"),
        ("THE MATRIX", "1"),
        ("The Matrix (2003)", None),
        ("Hamlet (1990)", "3"),
        ("Hamlet", None),
        ("Amelie (2001)", "4"),
        ("Le Fabuleux destin d’Amélie Poulain (2001)", "4"),
        ("Dune (2021)", "5"),
        ("Dune (1984)", None),
        ("blue  VASE", "6"),
        ("Blue vase (1999)", "6"),
        ("Emma (1996)", None),
        ("2001 - a space odyssey (1968)", "10"),
        ("(1999)", None),
        ("", None),
        ("!!!", None),
    ],
)
def test_a_title_finds_the_item_of_exactly_that_name_and_year(title: str, found: str | None) -> None:
    item_id, miss = TitleIndex(FILMS).find(Mention(title))
    assert item_id == found and (miss is None) == (found is not None)


def test_an_id_beside_a_title_only_decides_between_items_of_that_title() -> None:
    titles = TitleIndex(FILMS)
    assert titles.find(Mention("Emma (1996)", "8"))[0] == "8"
    assert titles.find(Mention("Emma (1996)", "1")) == (None, "several of that title")
    assert titles.find(Mention("Some other film (1999)", "1")) == (None, "not in the shop")


def test_an_id_alone_is_the_shops_and_else_a_title() -> None:
    titles = TitleIndex(FILMS)
    assert [titles.find(Mention(item_id=each))[0] for each in ("9", "09", "Hamlet (1990)")] == ["9", None, "3"]
    assert titles.find(Mention()) == (None, "no title")


@pytest.mark.parametrize(
    ("title", "said"),
    [("Godfather, The (1972)", "The Godfather"), ("Heat  (1995)", "Heat"), ("Dune", "Dune"), ("(1999)", "(1999)")],
)
def test_a_title_is_said_without_its_year(title: str, said: str) -> None:
    assert spoken_title(title) == said
