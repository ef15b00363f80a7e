import pytest

from indexes.words import fold, stem, terms, words


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("vase", "vases"), ("lamp", "lamps"), ("bag", "bags"), ("dress", "dresses"), ("box", "boxes"),
        ("watch", "watches"), ("dish", "dishes"), ("shoe", "shoes"), ("movie", "movies"), ("baby", "babies"),
        ("scarf", "scarves"), ("glass", "glasses"), ("glove", "gloves"), ("size", "sizes"), ("woman", "women"),
        ("colour", "color"), ("grey", "gray"), ("key", "keys"), ("tie", "ties"),
        ("striped", "stripes"), ("dotted", "dots"), ("checked", "checks"), ("pleated", "pleats"),
    ],
)  # fmt: skip
def test_forms_of_a_word_meet(one: str, many: str) -> None:
    assert terms(one) == terms(many) != []


@pytest.mark.parametrize("word", ["bus", "iris", "glass", "moss", "cactus", "as", "red", "bed", "lighting"])
def test_words_that_only_look_inflected_stay(word: str) -> None:
    assert stem(word) == word


def test_accents_case_and_width_fold() -> None:
    assert fold("Ｃafé ÉCLAIR Straße") == "cafe eclair strasse"
    assert terms("CAFÉ") == terms("cafe")


def test_possessives_and_stopwords_go() -> None:
    assert terms("The women's bag, and Zoë’s") == ["woman", "bag", "zoe"]


def test_words_keep_what_was_written() -> None:
    assert words("Red Vases") == [("red", "Red"), ("vase", "Vases")]


def test_digits_and_other_scripts_stay() -> None:
    assert terms("iPhone 15 вазы 花瓶") == ["iphone", "15", "вазы", "花瓶"]
