"""BM25 against arithmetic done by hand."""

from math import log

import pytest
from pydantic import ValidationError

from catalog.items import Catalog
from catalog.nouns import Caption, Item
from indexes.base import Query
from indexes.keyword import KeywordConfig, KeywordIndex, TermMatch

ITEMS = [
    Item("a", title="Blue lamp"),
    Item("b", title="Lamp", description="blue blue glass"),
    Item("c", title="Vase", brand="Norrvik", categories=("home", "vases"), attributes={"colour": ("red",)}),
]
CAPTION = Caption("c", "c.png", "a striped vase", "pixels", "p", "m")
CONFIG = KeywordConfig(k1=1.5, b=0.5, weights={"title": 2.0, "description": 1.0})


def test_scores_are_bm25_over_weighted_fields() -> None:
    # Weighted lengths: a = 2 words in the title * 2 = 4; b = 1 * 2 + 3 = 5; c = 1 * 2 = 2; mean 11/3.
    # "blue" stands in a (tf 2) and b (tf 2) of 3 items: idf = ln(1 + 1.5 / 2.5).
    def weight(tf: float, length: float, df: int) -> float:
        return log(1 + (3 - df + 0.5) / (df + 0.5)) * tf * 2.5 / (tf + 1.5 * (0.5 + 0.5 * length / (11 / 3)))

    found = KeywordIndex.build(Catalog(ITEMS), config=CONFIG).search(Query(text="BLUE glass"), 9)

    assert [c.item_id for c in found] == ["b", "a"]
    assert found[0].score == pytest.approx(weight(2, 5, 2) + weight(1, 5, 1), rel=1e-6)
    assert found[1].score == pytest.approx(weight(2, 4, 2), rel=1e-6)


def test_a_repeated_word_of_the_wish_counts_once() -> None:
    index = KeywordIndex.build(Catalog(ITEMS))
    assert index.search(Query(text="lamp lamps lamp"), 9) == index.search(Query(text="lamp"), 9)


@pytest.mark.parametrize("wish", ["norrvik", "vases", "red", "colour", "striped", "home"])
def test_every_field_is_searched(wish: str) -> None:
    index = KeywordIndex.build(Catalog(ITEMS), {"c": (CAPTION,)})
    assert [c.item_id for c in index.search(Query(text=wish), 9)] == ["c"]


@pytest.mark.parametrize("wish", ["", "the of and", "zeppelin", "!!!", "striped"])
def test_a_wish_without_a_known_word_finds_nothing(wish: str) -> None:
    assert KeywordIndex.build(Catalog(ITEMS)).search(Query(text=wish), 9) == []


def test_a_title_weighs_more_than_a_caption() -> None:
    items = [Item("caption", title="Plain thing"), Item("title", title="Striped thing")]
    said = {"caption": (Caption("caption", "x", "striped", "pixels", "p", "m"),)}
    found = KeywordIndex.build(Catalog(items), said).search(Query(text="striped"), 2)
    assert [c.item_id for c in found] == ["title", "caption"]


def test_matched_terms_name_the_word_as_written_and_its_fields() -> None:
    index = KeywordIndex.build(Catalog(ITEMS), {"c": (CAPTION,)})
    matched = index.matched_terms("A red Vases, Vase or zeppelin", "c")
    assert [(m.word, m.fields) for m in matched] == [
        ("red", ("attributes",)),
        ("Vases", ("title", "categories", "captions")),
    ]
    [best] = index.search(Query(text="red vase"), 1)
    assert sum(m.weight for m in matched) == pytest.approx(best.score)
    assert index.matched_terms("lamp", "c") == ()
    assert all(isinstance(m, TermMatch) for m in matched)


def test_words_the_shop_does_not_have_are_told() -> None:
    assert KeywordIndex.build(Catalog(ITEMS)).unknown_words("a blue zeppelin") == ("zeppelin",)


def test_an_unknown_setting_is_refused() -> None:
    with pytest.raises(ValidationError, match="k2"):
        KeywordConfig(k2=1)  # type: ignore[call-arg]


def test_items_without_words_can_be_indexed() -> None:
    index = KeywordIndex.build(Catalog([Item("x"), Item("y")]))
    assert index.search(Query(text="lamp"), 3) == []
    assert index.search(Query(item_id="x"), 3) == []
