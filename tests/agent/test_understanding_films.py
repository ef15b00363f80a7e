"""The same understanding on a very different catalogue: films, with genres, people and years, without prices."""

from __future__ import annotations

from typing import Any

import pytest

from agent.base import ShownItem
from agent.understanding.intent import Details, Facts, IntentState, Search, Similar
from agent.understanding.understander import Understander
from agent.understanding.vocabulary import Vocabulary
from catalog.items import Catalog
from catalog.nouns import Item

ROWS = """
f1|Alien (1979)|Horror,Sci-Fi|Ridley Scott|Sigourney Weaver, Tom Skerritt|English|A crew in space meets a creature.
f2|Aliens (1986)|Action,Sci-Fi|James Cameron|Sigourney Weaver, Michael Biehn|English|Marines return to the planet.
f3|Sleepless in Seattle (1993)|Comedy,Romance|Nora Ephron|Tom Hanks, Meg Ryan|English|A son calls a radio show.
f4|You've Got Mail (1998)|Comedy,Romance|Nora Ephron|Tom Hanks, Meg Ryan|English|Two rivals fall in love by letters.
f5|Cast Away (2000)|Drama|Robert Zemeckis|Tom Hanks, Helen Hunt|English|A man is stranded on an island.
f6|Amelie (2001)|Comedy,Romance|Jean-Pierre Jeunet|Audrey Tautou|French|A waitress in Paris helps others.
f7|Delicatessen (1991)|Comedy,Horror|Jean-Pierre Jeunet|Dominique Pinon|French|A butcher has a secret.
f8|Toy Story (1995)|Animation,Children,Comedy|John Lasseter|Tom Hanks, Tim Allen|English|A doll is jealous.
f9|The Silence of the Lambs (1991)|Crime,Horror|Jonathan Demme|Jodie Foster|English|An agent asks a killer for help.
f10|Spirited Away (2001)|Animation,Children|Hayao Miyazaki|Rumi Hiiragi|Japanese|A girl enters a world of spirits.
"""
HANKS = ["Tom Hanks, Meg Ryan", "Tom Hanks, Helen Hunt", "Tom Hanks, Tim Allen"]


def films() -> Catalog:
    def film(row: str) -> Item:
        item_id, title, genres, director, actors, language, plot = row.split("|")
        attributes = {"director": (director,), "actors": (actors,), "language": (language,)}
        return Item(item_id, title=title, description=plot, categories=tuple(genres.split(",")), attributes=attributes)

    return Catalog(film(row) for row in ROWS.strip().splitlines())


FILMS = films()


@pytest.fixture(scope="module")
def understander() -> Understander:
    return Understander(Vocabulary(FILMS))


SEARCHES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("a comedy", {"category": ["Comedy"]}),
    ("some comedies please", {"category": ["Comedy"]}),
    ("a sci-fi movie", {"category": ["Sci-Fi"]}),
    ("a comedy with Tom Hanks", {"category": ["Comedy"], "attributes": {"actors": HANKS}}),
    ("films directed by Nora Ephron", {"attributes": {"director": ["Nora Ephron"]}}),
    ("do you have anything with Meg Ryan?", {"attributes": {"actors": ["Tom Hanks, Meg Ryan"]}}),
    ("something with Sigourny Weaver", {"attributes": {"actors": ["Sigourney Weaver, Tom Skerritt",
                                                                  "Sigourney Weaver, Michael Biehn"]}}),
    ("a film in French, no horror", {"attributes": {"language": ["French"]}, "not": {"category": ["Horror"]}}),
    ("a comedy or a drama", {"category": ["Comedy", "Drama"]}),
    ("animation in Japanese", {"category": ["Animation"], "attributes": {"language": ["Japanese"]}}),
)  # fmt: skip


@pytest.mark.parametrize(("said", "expected"), SEARCHES, ids=[said for said, _ in SEARCHES])
def test_film_wishes(said: str, expected: dict[str, Any], understander: Understander) -> None:
    (act,) = understander.understand(said, IntentState()).acts
    assert isinstance(act, Search)
    found = act.wish.filters()
    assert {name: _sets(value) for name, value in found.items()} == {n: _sets(v) for n, v in expected.items()}


def _sets(value: Any) -> Any:
    """Order within one facet does not matter."""
    return {k: sorted(v) for k, v in value.items()} if isinstance(value, dict) else sorted(value)


def test_two_genres_at_once_both_hold(understander: Understander) -> None:
    (act,) = understander.understand("a horror comedy", IntentState()).acts
    assert isinstance(act, Search)
    assert (act.wish.wanted.categories, act.wish.also.categories) == (("Horror",), ("Comedy",))


@pytest.mark.parametrize(
    ("said", "years"),
    [("films from the 90s", (1990, 1999)), ("80s action", (1980, 1989)), ("a comedy from 1998", (1998, 1998)),
     ("horror before 1985", (1800, 1984)), ("drama after 1999", (2000, 2100)), ("movies of the eighties", (1980, 1989)),
     ("a comedy between 1990 and 1995", (1990, 1995)), ("a comedy", None)],
)  # fmt: skip
def test_years(said: str, years: tuple[int, int] | None, understander: Understander) -> None:
    (act,) = understander.understand(said, IntentState()).acts
    assert isinstance(act, Search)
    assert act.wish.years == years


@pytest.mark.parametrize(
    ("said", "title", "filters"),
    [
        ("something like Alien", "Alien (1979)", {}),
        ("movies like The Silence of the Lambs but not horror", "The Silence of the Lambs (1991)",
         {"not": {"category": ["Horror"]}}),
        ("I loved Toy Story", "Toy Story (1995)", {}),
        ("anything similar to cast away", "Cast Away (2000)", {}),
    ],
)  # fmt: skip
def test_titles(said: str, title: str, filters: dict[str, Any], understander: Understander) -> None:
    (act,) = understander.understand(said, IntentState()).acts
    assert isinstance(act, Similar)
    assert (act.title, act.wish.filters()) == (title, filters)


def test_a_genre_is_swapped_or_narrowed(understander: Understander) -> None:
    state = understander.understand("comedies", IntentState()).state
    assert understander.understand("actually a drama instead", state).state.wish.filters() == {"category": ["Drama"]}
    narrowed = understander.understand("only French ones", state).state.wish.filters()
    assert narrowed == {"category": ["Comedy"], "attributes": {"language": ["French"]}}


def test_film_facts(understander: Understander) -> None:
    for said, question, group in (
        ("how many horror films do you have?", "count", None),
        ("which directors do you have?", "values", "director"),
        ("what genres do you have?", "values", "category"),
        ("in which languages are they available", "values", "language"),
    ):
        (act,) = understander.understand(said, IntentState()).acts
        assert isinstance(act, Facts), said
        assert (act.question, act.group_by) == (question, group)


def test_a_catalogue_without_prices_reads_no_number_as_a_price(understander: Understander) -> None:
    (act,) = understander.understand("a film about space under 90 minutes", IntentState()).acts
    assert isinstance(act, Search)
    assert act.wish.filters() == {}
    assert act.wish.query() == "space"


def test_who_directed_it(understander: Understander) -> None:
    film = FILMS["f1"]
    item = ShownItem("#1", "f1", film.title or "", None, None, None, film.categories, film.attributes)
    state = IntentState().seen((item,)).model_copy(update={"last_list": ("#1",)})
    (act,) = understander.understand("who directed it?", state).acts
    assert isinstance(act, Details)
    assert (act.handles, act.about) == (("#1",), "director")


def test_a_year_in_a_title_bounds_nothing_and_its_words_are_no_wish(understander: Understander) -> None:
    for said in ("I liked Alien (1979)", "I loved Sleepless in Seattle (1993), it was great"):
        (act,) = understander.understand(said, IntentState()).acts
        assert isinstance(act, Similar), said
        assert (act.wish.years, act.wish.query(), act.wish.filters()) == (None, "", {})


def test_praise_of_titles_keeps_the_genre_that_was_asked_for(understander: Understander) -> None:
    state = understander.understand("a comedy please", IntentState()).state
    (act,) = understander.understand("I liked Toy Story and Cast Away (2000)", state).acts
    assert isinstance(act, Similar)
    assert (act.title, act.others) == ("Toy Story (1995)", ("Cast Away (2000)",))
    assert act.wish.filters() == {"category": ["Comedy"]}


def test_a_genre_before_the_title_narrows(understander: Understander) -> None:
    (act,) = understander.understand("a comedy like Alien", IntentState()).acts
    assert isinstance(act, Similar)
    assert (act.title, act.wish.filters()) == ("Alien (1979)", {"category": ["Comedy"]})


@pytest.mark.parametrize("said", ["I've already seen Amelie", "I have seen Amelie (2001)", "we watched Amelie"])
def test_what_was_seen_is_left_out(said: str, understander: Understander) -> None:
    state = understander.understand("a comedy", IntentState()).state
    (act,) = understander.understand(said, state).acts
    assert isinstance(act, Search)
    assert act.wish.not_titles == ("Amelie (2001)",)
    assert (act.wish.filters(), act.wish.wanted.words) == ({"category": ["Comedy"]}, ())


@pytest.mark.parametrize(
    ("said", "years"),
    [("films older than 1980", (1800, 1979)), ("newer than 1995", (1996, 2100)), ("a comedy since 1995", (1995, 2100)),
     ("from the 60s or 70s", (1960, 1979)), ("a drama from the eighties or the nineties", (1980, 1999)),
     ("something from 1991 or 1993", (1991, 1993))],
)  # fmt: skip
def test_years_compared_and_side_by_side(said: str, years: tuple[int, int], understander: Understander) -> None:
    wish = understander.understand(said, IntentState()).state.wish
    assert (wish.years, wish.wanted.words) == (years, ())


def test_the_exact_title_comes_before_one_that_only_sounds_like_it() -> None:
    later_first = Vocabulary(Catalog([FILMS["f2"], FILMS["f1"]]))
    assert (later_first.title("alien"), later_first.title("Aliens")) == ("Alien (1979)", "Aliens (1986)")


def test_a_day_named_after_somebody_is_an_occasion(understander: Understander) -> None:
    for said, occasion in (
        ("a comedy for mother's day", "mother's day"),
        ("something for family night", "family night"),
    ):
        wish = understander.understand(said, IntentState()).state.wish
        assert (wish.recipient, wish.occasion) == (None, occasion)


@pytest.mark.parametrize("said", ["not with Tom Hanks", "but not one with Tom Hanks", "none with Tom Hanks"])
def test_whom_a_film_is_not_with_is_ruled_out(understander: Understander, said: str) -> None:
    state = understander.understand("comedies", IntentState()).state
    wish = understander.understand(said, state).state.wish
    assert tuple(wish.unwanted.attributes["actors"]) == tuple(HANKS) and not wish.wanted.attributes


def test_a_wish_of_words_gives_way_to_the_next_that_begins_with_an_article(understander: Understander) -> None:
    state = understander.understand("something about a stranded radio", IntentState()).state
    wish = understander.understand("a jealous doll", state).state.wish
    assert set(wish.wanted.words) == {"jealous", "doll"}
