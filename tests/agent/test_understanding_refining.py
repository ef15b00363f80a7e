"""What a shopper says of a list: newer ones, the second cheapest, a place that is none, likeness that holds on."""

from __future__ import annotations

from typing import Any

import pytest

from agent.base import ShownItem
from agent.understanding.intent import Ask, Details, IntentState, Recommend, Search, Similar
from agent.understanding.quantities import Years, spans
from agent.understanding.understander import Understander
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import plural, singular
from catalog.items import Catalog
from catalog.nouns import Item
from tools.toy_items import toy_items


def film(number: int, title: str, kinds: str, director: str = "Ann Lee", actors: str = "Bo Ray") -> Item:
    people = {"director": (director,), "actors": tuple(actors.split(", "))}
    return Item(str(number), title=title, categories=tuple(kinds.split()), attributes=people)


FILMS = [
    film(1, "Dust (1964)", "Western Drama", "Sergio Leone", "Clint Eastwood"),
    film(2, "Rider (1985)", "Western", "Clint Eastwood", "Clint Eastwood, Bo Ray"),
    film(3, "Laughs (1991)", "Comedy", "Sergio Leone"),
    film(4, "Giggles (1992)", "Comedy Drama"),
    film(5, "Songs (1993)", "Musical Comedy"),
    film(6, "Fright (1999)", "Horror Musical"),
    film(7, "Scream (2004)", "Horror"),
    film(20, "Both (1970)", "Romance Comedy"),
    film(21, "Chase (1971)", "Action Comedy"),
    film(22, "Ghost (1972)", "Horror Comedy"),
    film(23, "Duel (1973)", "Action Drama"),
    *(film(n, f"Night {n} ({2000 + n})", "Comedy", f"Di Rector{n}", f"Ac Tor{n}, Su Per{n}") for n in range(8, 19)),
]
TOY = Catalog(toy_items())


@pytest.fixture(scope="module")
def films() -> Understander:
    return Understander(Vocabulary(Catalog(FILMS)))


@pytest.fixture(scope="module")
def shop() -> Understander:
    return Understander(Vocabulary(TOY))


def shown(items: list[Item], before: IntentState | None = None) -> IntentState:
    listed = tuple(
        ShownItem(
            handle=f"#{n}", item_id=item.item_id, title=item.title or "", price=item.price,
            currency=item.currency, brand=item.brand, categories=item.categories, attributes=dict(item.attributes),
        )
        for n, item in enumerate(items, 1)
    )  # fmt: skip
    state = (before or IntentState()).seen(listed)
    return state.model_copy(update={"last_list": tuple(item.handle for item in listed)})


@pytest.mark.parametrize(
    ("said", "years"),
    [
        ("from 1991 or 1993", Years(1991, 1993, ((1992, 1992),))),
        ("the 70s or the 90s", Years(1970, 1999, ((1980, 1989),))),
        ("the 70s and 80s", Years(1970, 1989)),
        ("after 1990 and before 2000", Years(1991, 1999)),
    ],
)
def test_years_side_by_side_are_alternatives(said: str, years: Years) -> None:
    assert spans(said)[0] == years


def test_a_year_between_two_alternatives_does_not_fit(films: Understander) -> None:
    (act,) = films.understand("comedies from 1991 or 1993", IntentState()).acts
    assert isinstance(act, Search)
    assert [act.wish.dated(year) for year in (1990, 1991, 1992, 1993, 1994)] == [False, True, False, True, False]


def wish_after(understander: Understander, *said: str, items: list[Item]) -> Any:
    state = IntentState()
    for each in said[:-1]:
        state = shown(items, understander.understand(each, state).state)
    (act,) = understander.understand(said[-1], state).acts
    return act


def test_newer_is_newer_than_what_was_shown(films: Understander) -> None:
    act = wish_after(films, "comedies", "something newer", items=FILMS[2:5])
    assert isinstance(act, Search) and act.more and act.wish.years == (1994, 2100)
    three = [film(90, "Past (1970)", "Comedy"), film(91, "Then (1995)", "Comedy"), film(92, "Late (2010)", "Comedy")]
    act = wish_after(films, "comedies", "older ones please", items=three)
    assert act.wish.years == (1800, 1994), "none is older than all of them, so the middle of them is the bound"


def test_the_newest_are_the_last_years_that_make_a_list(films: Understander) -> None:
    (act,) = films.understand("the newest comedies", IntentState()).acts
    assert isinstance(act, Search) and (act.wish.years, act.wish.sort, act.undated) == (
        (2014, 2100),
        "relevance",
        False,
    )


def test_where_nothing_says_how_new_things_are_that_is_said(shop: Understander) -> None:
    act = wish_after(shop, "mugs", "something newer", items=[TOY["M01"]])
    assert isinstance(act, Search) and act.undated and act.more


def test_the_second_cheapest_is_counted_by_price(shop: Understander) -> None:
    lamps = [Item(str(n), title=f"Lamp {n}", price=price) for n, price in enumerate((59.0, 20.0, 40.0))]
    act = wish_after(shop, "lamps", "the second cheapest one", items=lamps)
    assert isinstance(act, Details) and act.handles == ("#3",)
    act = wish_after(shop, "lamps", "the second most expensive", items=lamps)
    assert act.handles == ("#3",)


@pytest.mark.parametrize("said", ["the tenth", "like the tenth but blue", "cheaper than the tenth"])
def test_a_place_that_is_none_is_asked_about(shop: Understander, said: str) -> None:
    act = wish_after(shop, "mugs", said, items=[TOY["M01"], TOY["M02"]])
    assert isinstance(act, Ask) and act.about == "which"


def test_likeness_to_a_title_holds_on_when_more_is_said(films: Understander) -> None:
    act = wish_after(films, "I liked Laughs and Giggles", "but no musicals", items=FILMS[2:5])
    assert isinstance(act, Similar) and (act.title, act.others) == ("Laughs (1991)", ("Giggles (1992)",))
    assert act.wish.unwanted.categories == ("Musical",)
    act = wish_after(films, "I liked Laughs and Giggles", "a western", items=FILMS[2:5])
    assert act.wish.wanted.categories == ("Western",)


def test_a_kind_that_no_liked_title_is_of_holds_on_and_is_told(films: Understander) -> None:
    act = wish_after(films, "horror films", "I liked Laughs", items=FILMS[5:7])
    assert isinstance(act, Similar) and act.held == ("Horror",) and act.wish.wanted.categories == ("Horror",)
    act = wish_after(films, "comedies", "I liked Laughs", items=FILMS[2:4])
    assert act.held == ()


def test_who_is_in_it_and_who_made_it_are_two_things(films: Understander) -> None:
    (act,) = films.understand("a western with Clint Eastwood, but not directed by him", IntentState()).acts
    assert act.kind == "search" and act.wish.wanted.attributes == {"actors": ("Clint Eastwood",)}
    assert act.wish.unwanted.attributes == {"director": ("Clint Eastwood",)}
    (act,) = films.understand("films directed by Clint Eastwood or Sergio Leone", IntentState()).acts
    assert act.kind == "search" and set(act.wish.wanted.attributes) == {"director"}


def test_two_wishes_that_some_things_are_both_of_stay_two(films: Understander) -> None:
    acts = films.understand("a comedy with Bo Ray and a horror with Su Per9", IntentState()).acts
    assert [act.wish.wanted.categories for act in acts if isinstance(act, Search)] == [("Comedy",), ("Horror",)]


def test_kinds_in_one_phrase_must_hold_together(films: Understander) -> None:
    (act,) = films.understand("a musical horror western", IntentState()).acts
    assert isinstance(act, Search)
    assert {*act.wish.wanted.categories, *act.wish.also.categories} == {"Musical", "Horror", "Western"}
    assert len(act.wish.wanted.categories) == 1


def test_a_mood_keeps_away_what_would_spoil_it(films: Understander) -> None:
    (act,) = films.understand("a sad drama that will make me cry", IntentState()).acts
    assert isinstance(act, Search | Recommend) and act.wish.wanted.categories == ("Drama",)
    assert {"Comedy", "Horror"} <= set(act.wish.unwanted.categories) and act.wish.also.empty
    (act,) = films.understand("a sad comedy", IntentState()).acts
    assert "Comedy" not in act.wish.unwanted.categories  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("said", "noun"),
    [("a western with Bo Ray", "western"), ("horror movies", "horror movies"), ("got any comedies?", "comedies"),
     ("films with Bo Ray", "films"), ("something funny", None), ("a comedy and a horror", None)],
)  # fmt: skip
def test_things_are_called_what_the_shopper_calls_them(films: Understander, said: str, noun: str | None) -> None:
    act = films.understand(said, IntentState()).acts[0]
    assert isinstance(act, Search | Recommend)
    assert act.wish.noun == noun or (noun is None and act.wish.noun in ("comedy", "horror"))


def test_a_plural_comes_back_from_its_singular() -> None:
    words = ("vase", "dress", "comedy", "scarf", "child", "brush", "toy", "crime film")
    assert [plural(word) for word in words] == [
        "vases", "dresses", "comedies", "scarves", "children", "brushes", "toys", "crime films"
    ]  # fmt: skip
    assert all(singular(plural(word).split()[-1]) == word.split()[-1] for word in words)
    assert plural("trousers") == "trousers"


GARMENTS = Catalog([
    Item("1", title="Slim", categories=("Menswear", "Trousers"),
         attributes={"colour": ("Black",), "colour_family": ("Black",), "section": ("Denim Men",)}),
    Item("2", title="Loose", categories=("Menswear", "Trousers"),
         attributes={"colour": ("Dark Blue",), "colour_family": ("Blue",), "section": ("Denim Men",)}),
    Item("3", title="Oxford", categories=("Menswear", "Shirts"), attributes={"section": ("Men Formal",)}),
    Item("4", title="Silk scarf by Orla", categories=("Ladieswear", "Scarves"), attributes={"section": ("Women",)}),
    Item("5", title="Orla belt", brand="Orla", categories=("Menswear", "Belts")),
    Item("6", title="Tiny jacket", categories=("Children", "Jackets"), attributes={"section": ("Kids Girl",)}),
    Item("8", title="Wide", categories=("Ladieswear", "Trousers"), attributes={"section": ("Women",)}),
    Item("7", title="Jacket grade 40", categories=("Ladieswear", "Jackets"), attributes={"section": ("Women",)}),
])  # fmt: skip


@pytest.fixture(scope="module")
def garments() -> Understander:
    return Understander(Vocabulary(GARMENTS))


def test_another_colour_takes_the_place_of_every_name_of_the_old_one(garments: Understander) -> None:
    state = garments.understand("black trousers", IntentState()).state
    (act,) = garments.understand("in blue instead", state).acts
    assert isinstance(act, Search)
    assert not any("Black" in values for values in act.wish.wanted.attributes.values())


def test_men_are_a_part_of_the_shop_before_they_are_the_end_of_a_section(garments: Understander) -> None:
    (act,) = garments.understand("trousers for men", IntentState()).acts
    assert isinstance(act, Search) and act.wish.wanted.attributes == {}
    assert {*act.wish.wanted.categories, *act.wish.also.categories} == {"Menswear", "Trousers"}


def test_a_part_of_the_shop_without_the_thing_wanted_is_left_out(garments: Understander) -> None:
    (act,) = garments.understand("a scarf for my dad", IntentState()).acts
    assert isinstance(act, Search) and act.wish.wanted.categories == ("Scarves",)


def test_a_refused_recipient_is_kept_away(garments: Understander) -> None:
    (act,) = garments.understand("a jacket, not for kids", IntentState()).acts
    assert isinstance(act, Search) and act.wish.unwanted.categories == ("Children",)


def test_a_maker_that_only_titles_name_is_looked_for_there(garments: Understander) -> None:
    (act,) = garments.understand("a scarf by Orla", IntentState()).acts
    assert isinstance(act, Search) and act.wish.titled == ("orla",) and act.wish.wanted.brands == ()
    (act,) = garments.understand("a belt by Orla", IntentState()).acts
    assert isinstance(act, Search) and act.wish.wanted.brands == ("Orla",)
    (act,) = garments.understand("scarves, not by Orla", IntentState()).acts
    assert isinstance(act, Search) and "orla" in act.wish.unwanted.words


def test_a_grade_stays_with_its_word(garments: Understander) -> None:
    (act,) = garments.understand("a jacket grade 50", IntentState()).acts
    assert isinstance(act, Search) and "50" in act.wish.wanted.words


def test_a_variant_that_is_none_is_looked_for_among_its_like(garments: Understander) -> None:
    state = shown([GARMENTS["1"], GARMENTS["2"]], garments.understand("trousers", IntentState()).state)
    (act,) = garments.understand("does the first come in blue?", state).acts
    assert isinstance(act, Similar) and (act.handle, act.lacks) == ("#1", ("blue",))
    (act,) = garments.understand("is the second available in blue?", state).acts
    assert isinstance(act, Details) and act.handles == ("#2",)
    (act,) = garments.understand("do you have them in blue?", state).acts
    assert isinstance(act, Search) and act.wish.wanted.categories == ("Trousers",)
