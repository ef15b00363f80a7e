"""Likely readings in the middle of a wish add to it: a title, an everyday word, a nation, where records have them."""

from __future__ import annotations

import pytest

from agent.understanding.intent import IntentState, Search
from agent.understanding.understander import Understander
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Wish
from catalog.items import Catalog
from catalog.nouns import Item

RARE = ",".join(f"of {a}{b}" for a in "bcdfghklm" for b in "aeiouzqx")
"""So many keywords that no shopper could choose from them: no filter is made of such a facet."""

ROWS = """
f1|Alien (1979)|Horror|English|UK|spaceship
f2|Contact (1997)|Drama|English|USA|alien,love
f3|Arrival (2016)|Drama|English|USA|alien,lawyer
f4|Heat (1995)|Crime|English,Spanish|USA|heist
f5|Cinema Paradiso (1988)|Drama|Italian|Italy|love
f6|Goodfellas (1990)|Crime|English,Italian|USA|gangster
f7|Casino (1995)|Crime|English|USA|{rare}
f8|Malena (2000)|Drama|Italian|Italy|anti crime,time to love,the malenas
"""


def films() -> Catalog:
    def film(row: str) -> Item:
        item_id, title, genres, language, country, keywords = row.split("|")
        attributes = {
            "language": tuple(language.split(",")),
            "country": (country,),
            "keywords": tuple(keywords.split(",")),
        }
        return Item(item_id, title=title, categories=tuple(genres.split(",")), attributes=attributes)

    return Catalog(film(row) for row in ROWS.format(rare=RARE).strip().splitlines())


@pytest.fixture(scope="module")
def understander() -> Understander:
    return Understander(Vocabulary(films()))


def wish(understander: Understander, *said: str) -> Wish:
    state, act = IntentState(), None
    for message in said:
        understanding = understander.understand(message, state)
        state, (act,) = understanding.state, understanding.acts
    assert isinstance(act, Search)
    return act.wish


def test_a_title_alone_is_a_quality_of_what_was_asked_for_where_records_have_it(understander: Understander) -> None:
    after = wish(understander, "a drama", "it should be alien please")
    assert (after.filters(), after.query(), after.titled) == ({"category": ["Drama"]}, "alien", ())


@pytest.mark.parametrize("said", ["alien", "do you have Alien?"])
def test_a_title_is_a_title_at_the_start_and_where_it_is_asked_for(said: str, understander: Understander) -> None:
    assert wish(understander, said).titled == ("alien",)
    assert wish(understander, "a drama", "do you have Alien?").titled == ("alien",)


def test_a_title_that_nothing_asked_for_has_as_a_quality_stays_a_title(understander: Understander) -> None:
    after = wish(understander, "a drama", "heat")
    assert (after.filters(), after.titled) == ({}, ("heat",))


def test_an_everyday_word_alone_counts_where_records_have_it(understander: Understander) -> None:
    assert wish(understander, "a drama", "and love").query() == "love"
    assert wish(understander, "a crime film", "and love").query() == ""


def test_a_nation_alone_is_the_language_and_before_a_kind_the_country(understander: Understander) -> None:
    assert wish(understander, "a crime film", "italian please").filters()["attributes"] == {"language": ["Italian"]}
    assert wish(understander, "an italian drama").filters()["attributes"] == {"country": ["Italy"]}


def test_a_subject_beyond_the_shop_is_a_quality_where_records_have_it(understander: Understander) -> None:
    assert wish(understander, "a drama", "lawyer").query() == "lawyer"
    for said in (["lawyer"], ["a crime film", "lawyer"], ["a drama", "i need a lawyer"]):
        state = IntentState()
        for message in said:
            understanding = understander.understand(message, state)
            state = understanding.state
        assert [act.kind for act in understanding.acts] == ["offtopic"]


@pytest.mark.parametrize("said", ["anti crime", "time to love", "the malenas"])
def test_a_value_of_several_words_is_one_thing_whatever_its_parts_would_be(
    said: str, understander: Understander
) -> None:
    after = wish(understander, "a drama", f"and {said} please")
    assert (after.filters(), after.query()) == ({"category": ["Drama"]}, said)
