"""The parts of the understanding, each by itself: words, spelling, colours, numbers, negation, vocabulary, meanings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from agent.understanding import colours
from agent.understanding.intent import IntentState, Search
from agent.understanding.meanings import MeaningsConfig, VectorMeanings
from agent.understanding.mentions import mentions
from agent.understanding.negation import scopes
from agent.understanding.quantities import counts, number, price_bounds
from agent.understanding.spelling import Speller, damerau, mashed
from agent.understanding.terms import Term
from agent.understanding.understander import Understander
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import MAX_CHARS, fold, singular, split, stem
from catalog.items import Catalog
from catalog.nouns import Item
from catalog.vectors import Floats
from embedding.base import TextEmbedder
from tools.toy_items import toy_items


def test_folding_leaves_plain_short_lower_case_text() -> None:
    assert fold("  Café\x00 “Bowl”\n—\u202e l’été ") == 'cafe "bowl" - l\'ete'
    assert len(fold("x" * 100_000)) == MAX_CHARS


def test_words_keep_their_places() -> None:
    text = "mother's mug, 9.50€ for #12"
    assert [word.text for word in split(text)] == ["mother", "mug", ",", "9.50", "€", "for", "#12"]
    assert all(text[word.start : word.end].startswith(word.text) for word in split(text))


@pytest.mark.parametrize(
    ("plural", "one"),
    [("vases", "vase"), ("dresses", "dress"), ("brushes", "brush"), ("boxes", "box"), ("comedies", "comedy"),
     ("scarves", "scarf"), ("glass", "glass"), ("shoes", "shoe"), ("movies", "movie"), ("bus", "bus"),
     ("tennis", "tennis")],
)  # fmt: skip
def test_singulars(plural: str, one: str) -> None:
    assert singular(plural) == one


def test_adjectives_share_the_root_of_their_noun() -> None:
    for noun, adjective in (("stripes", "striped"), ("wood", "wooden"), ("gold", "golden"), ("wool", "woolly")):
        assert stem(noun) == stem(adjective)


@pytest.mark.parametrize(
    ("a", "b", "steps"), [("lmap", "lamp", 1), ("kitten", "sitting", 3), ("", "ab", 2), ("a", "a", 0)]
)
def test_damerau_counts_a_swap_once(a: str, b: str, steps: int) -> None:
    assert damerau(a, b) == damerau(b, a) == steps


def test_spelling_mends_slips_and_leaves_other_words_alone() -> None:
    speller = Speller({"lamp": 5, "ceramic": 3, "leather": 3, "books": 9, "backpack": 2, "scarf": 4, "shirt": 1})
    for wrong, right in (("lmap", "lamp"), ("cermaic", "ceramic"), ("leathr", "leather"), ("bakpacck", "backpack")):
        assert speller.correct(wrong) == right
    for word in ("boots", "weather", "lamp", "lime", "skirt", "xx", "b2b", "violin"):
        assert speller.correct(word) is None, word


def test_colour_families() -> None:
    assert [colours.family(c) for c in ("Navy", "dark navy", "Gray", "burgundy", "wood")] == [
        "blue",
        "blue",
        "grey",
        "red",
        None,
    ]


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        ("under 40", None, 39.99),
        ("up to 40", None, 40.0),
        ("at most €40", None, 40.0),
        ("no more than 40 euros", None, 40.0),
        ("over 40", 40.01, None),
        ("40 or more", 40.0, None),
        ("between twenty and thirty-five", 20.0, 35.0),
        ("from 30 to 20 eur", 20.0, 30.0),
        ("around 50", 40.0, 60.0),
        ("less than $1,200", None, 1199.99),
        ("for 12,50 euros", None, 12.5),
        ("a hundred dollars max", None, 100.0),
    ],
)
def test_price_bounds(said: str, low: float | None, high: float | None) -> None:
    (bound,) = price_bounds(said)
    assert (bound.low, bound.high) == (low, high)


@pytest.mark.parametrize(
    "said", ["under 30 cm", "size 38-40", "a lamp from 1995", "three mugs", "for a 5 year old", "4 stars"]
)
def test_not_every_number_is_a_price(said: str) -> None:
    assert price_bounds(said) == []


def test_numbers_and_counts() -> None:
    assert [number(t) for t in ("1,200", "9,50", "2k", "twenty-five", "a hundred")] == [1200, 9.5, 2000, 25, 100]
    said = ("just one", "top five", "3 options", "this one", "show me two")
    assert [[c.number for c in counts(t)] for t in said] == [
        [1], [5], [3], [], [2],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "denied"),
    [
        ("a bag, not leather or suede but brown", ["leather or suede"]),
        ("without stripes and under 40", ["stripes and"]),
        ("no, show me the blue one", []),
        ("not only red", []),
        ("no problem", []),
        ("a fragrance-free cream", ["fragrance"]),
        ("i'd rather have blue instead of red", ["red"]),
    ],
)
def test_how_far_a_not_reaches(said: str, denied: list[str]) -> None:
    assert [said[a:b].strip() for a, b in scopes(said)] == denied


@pytest.fixture(scope="module")
def toy() -> Vocabulary:
    return Vocabulary(Catalog(toy_items()))


def test_blue_means_every_blue_the_catalogue_has() -> None:
    items = [Item(str(n), attributes={"colour": (c,)}) for n, c in enumerate(("navy", "Blue", "Dark Blue", "red"))]
    term = Vocabulary(Catalog(items)).term(("blue",))
    assert term is not None and set(term.values) == {"Blue", "navy", "Dark Blue"} and term.values[0] == "Blue"
    assert Vocabulary(Catalog(items)).term(("navy",)) == Term("attribute", "colour", ("navy",))


def test_a_word_names_the_values_that_end_in_it() -> None:
    items = [Item("1", categories=("Home", "Desk Lamps")), Item("2", categories=("Home", "Floor Lamps"))]
    term = Vocabulary(Catalog(items)).term(("lamp",))
    assert term == Term("category", "", ("Desk Lamps", "Floor Lamps"))


def test_what_a_thing_is_for_is_no_wish_of_its_own() -> None:
    vocabulary = Vocabulary(Catalog([Item("1", categories=("Shampoos",)), Item("2", categories=("Hair & Scalp",))]))
    (mention,) = mentions("shampoo for dry hair", split("shampoo for dry hair"), vocabulary)
    assert mention.term.values == ("Shampoos",)


def test_a_list_of_people_is_taken_apart_and_two_of_them_meet() -> None:
    casts = ("Tom Hanks, Meg Ryan", "Meg Ryan, Kevin Kline", "Tom Hanks")
    vocabulary = Vocabulary(Catalog(Item(str(n), attributes={"cast": (cast,)}) for n, cast in enumerate(casts)))
    term = vocabulary.term(("tom", "hank"))  # words are compared in the singular, names too
    assert term is not None and term.values == ("Tom Hanks, Meg Ryan", "Tom Hanks")
    (act,) = Understander(vocabulary).understand("with Tom Hanks and Meg Ryan", IntentState()).acts
    assert isinstance(act, Search)
    assert act.wish.filters() == {"attributes": {"cast": ["Tom Hanks, Meg Ryan"]}}


def test_inverted_titles_are_found() -> None:
    vocabulary = Vocabulary(Catalog([Item("1", title="Matrix, The (1999)")]))
    assert vocabulary.title("the matrix") == vocabulary.title("Matrix") == "Matrix, The (1999)"


def test_prose_is_no_facet() -> None:
    plot = "a long sentence that tells how the story of this one item goes on and on"
    vocabulary = Vocabulary(Catalog([Item("1", title="A", attributes={"plot": (plot,), "genre": ("noir",)})]))
    assert set(vocabulary.facets) == {("attribute", "genre")}
    assert vocabulary.knows("noir") and not vocabulary.knows("sentence")


def test_choices_are_kinds_of_things_not_departments(toy: Vocabulary) -> None:
    assert set(toy.choices(5)) == {"vases", "lamps", "scarves", "bags", "mugs"}


def test_an_empty_catalogue_has_an_empty_vocabulary() -> None:
    vocabulary = Vocabulary(Catalog([]))
    assert vocabulary.term(("mug",)) is None and vocabulary.choices() == () and not vocabulary.priced


class Table(TextEmbedder):
    """Vectors by word, so that cosines are known."""

    name, model, dim = "table", "double/table", 2

    def __init__(self, degrees: dict[str, float]) -> None:
        self._degrees = degrees

    def embed(self, texts: Sequence[str]) -> Floats:
        angles = np.deg2rad([self._degrees.get(text, 180.0) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def test_a_synonym_must_be_near_and_clearly_nearer_than_the_next() -> None:
    catalog = Catalog([Item("1", categories=("sofas",)), Item("2", categories=("chairs",))])
    table = Table({"sofa": 0, "chair": 80, "couch": 20, "seat": 40, "violin": 170})
    meanings = VectorMeanings(Vocabulary(catalog), table, MeaningsConfig(threshold=0.66, margin=0.08))
    found = meanings.nearest(["couch", "seat", "violin"])  # cos 20 = .94; cos 40 = .77 on both sides; negative
    assert found == [Term("category", "", ("sofas",)), None, None]


@pytest.mark.parametrize("word", ["asdfgh", "qwerty", "asdf", "zxcv", "hjkl", "asdfasdf", "poiuyt", "xkcd"])
def test_what_runs_over_the_keyboard_is_no_word(word: str) -> None:
    assert mashed(word)


@pytest.mark.parametrize(
    "word",
    ["were", "property", "strewn", "power", "tree", "rhythm", "pretty", "puppy", "liberty", "a5", "ash", "übrig"],
)
def test_words_are_words(word: str) -> None:
    assert not mashed(word)
