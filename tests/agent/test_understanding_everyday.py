"""Everyday speech: titles by the name one says, plain words for kinds, what goes on from an item."""

from __future__ import annotations

import pytest

from agent.base import ShownItem
from agent.understanding.intent import Details, IntentState, OffTopic, Search, Similar
from agent.understanding.understander import Understander
from agent.understanding.vocabulary import Vocabulary
from catalog.items import Catalog
from catalog.nouns import Item
from tools.toy_items import toy_items

WARS = [Item(f"s{n}", title=f"Star Wars: Episode {n} (198{n})", categories=("Sci-Fi",)) for n in range(1, 5)]
FILMS = Catalog([
    *WARS,
    Item("f1", title="Amelie (Fabuleux destin, Le) (2001)", categories=("Comedy", "Romance")),
    Item("f2", title="Pulp Fiction (1994)", categories=("Crime",), attributes={"director": ("Quentin Tarantino",)}),
    Item("f3", title="Gettysburg (1993)", categories=("War",)),
    Item("f4", title="Shining, The (1980)", categories=("Horror",)),
    Item("f5", title="Toy Story (1995)", categories=("Animation", "Children", "Comedy")),
])  # fmt: skip


SHOP = Understander(Vocabulary(Catalog(toy_items())))


@pytest.fixture(scope="module")
def films() -> Understander:
    return Understander(Vocabulary(FILMS))


def test_a_phrase_of_titles_wins_over_a_facet_that_covers_one_word_of_it(films: Understander) -> None:
    wish = films.understand("show me all the Star Wars films", IntentState()).state.wish
    assert wish.titled == ("star wars",) and not wish.wanted.categories
    assert films.understand("a war film", IntentState()).state.wish.wanted.categories == ("War",)


def test_a_title_is_known_by_the_name_one_says(films: Understander) -> None:
    (act,) = films.understand("more films like Amelie", IntentState()).acts
    assert isinstance(act, Similar) and act.title == "Amelie (Fabuleux destin, Le) (2001)"


@pytest.mark.parametrize(
    ("said", "kinds"),
    [("something really scary", ("Horror",)), ("science fiction", ("Sci-Fi",)), ("a cartoon", ("Animation",)),
     ("something for the kids", ("Children",)), ("a movie for a five-year-old", ("Children",))],
)  # fmt: skip
def test_plain_words_become_the_kind_the_catalogue_has(films: Understander, said: str, kinds: tuple[str, ...]) -> None:
    assert films.understand(said, IntentState()).state.wish.wanted.categories == kinds


def test_a_fact_of_a_titled_item_is_looked_up(films: Understander) -> None:
    (act,) = films.understand("who directed Pulp Fiction?", IntentState()).acts
    assert isinstance(act, Details) and (act.title, act.about) == ("Pulp Fiction (1994)", "director")


def _talked_of() -> IntentState:
    item = ShownItem(
        "#1", "f2", "Pulp Fiction (1994)", None, None, None, ("Crime",), {"director": ("Quentin Tarantino",)}
    )
    return IntentState(shown=(item,), last_list=("#1",), focus="#1")


def test_what_else_its_director_made_leaves_the_item_out(films: Understander) -> None:
    (act,) = films.understand("what else did its director make?", _talked_of()).acts
    assert isinstance(act, Search) and act.wish.not_items == ("#1",)
    assert act.wish.filters() == {"attributes": {"director": ["Quentin Tarantino"]}}


def test_having_seen_all_asks_for_others(films: Understander) -> None:
    (act,) = films.understand("I've seen all of these, show me others", _talked_of()).acts[:1]
    assert act.kind in ("search", "recommend") and act.more  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "message",
    [
        "something warm for winter",
        "winter clothes",
        "I am so cold",
        "keep me warm",
        "anything nice and warm for the cold days",
    ],
)
def test_something_warm_is_what_one_wears(message: str) -> None:
    wish = SHOP.understand(message, IntentState()).state.wish
    assert (wish.wanted.categories, wish.query(), wish.unknown) == (("scarves",), "", ())


@pytest.mark.parametrize(
    ("message", "kinds"),
    [("a lamp with warm light", ("lamps",)), ("something in warm colours", ()), ("a warm mug", ("mugs",))],
)
def test_warm_light_is_no_clothing(message: str, kinds: tuple[str, ...]) -> None:
    assert SHOP.understand(message, IntentState()).state.wish.wanted.categories == kinds


def test_a_shop_without_clothes_keeps_the_word(films: Understander) -> None:
    assert films.understand("something warm", IntentState()).state.wish.wanted.categories == ()


def test_a_quality_is_spelt_as_it_is() -> None:
    shop = Understander(Vocabulary(Catalog([Item("1", title="Weatherproof coat"), Item("2", title="Sugared sweets")])))
    assert shop.understand("a waterproof one", IntentState()).notes == ("'waterproof' is no word of this shop",)
    assert "read as 'weatherproof'" in str(shop.understand("a weatherprof coat", IntentState()).notes)


def test_whether_the_shop_delivers_is_a_question_of_service() -> None:
    for message in ("do you deliver on sundays?", "can you ship to Norway?", "would you also gift-wrap it?"):
        (act,) = SHOP.understand(message, IntentState()).acts
        assert act == OffTopic(service=True)
