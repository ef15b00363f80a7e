import pytest

from catalog.errors import ConfigError
from catalog.nouns import Caption, Item
from embedding.item_text import PARTS, item_text

MUG = Item(
    "1",
    title="Mug No. 5.",
    brand="Tide",
    categories=("Kitchen", "Mugs"),
    attributes={"main_colour": ("red", "white"), "empty": ()},
    description="Holds\n tea.",
)


def caption(text):
    return Caption("1", "a.jpg", text, "m", "p", "s")


def test_the_template():
    assert item_text(MUG) == "Mug No. 5. Tide. Kitchen, Mugs. main colour: red, white. Holds tea."


def test_captions_stand_only_where_asked_and_once():
    seen = [caption("Round, red."), caption("Round, red."), caption("Tall.")]
    assert item_text(MUG, seen, parts=("captions",)) == "Round, red. Tall."
    assert "Round" not in item_text(MUG, seen)
    assert item_text(MUG, seen, parts=("description", "captions", "title")) == "Mug No. 5. Round, red. Tall. Holds tea."


def test_what_is_missing_leaves_no_trace():
    assert item_text(Item("1")) == ""
    assert item_text(Item("1", description="Only this.")) == "Only this."
    assert item_text(Item("1", title="T", brand="  ")) == "T"


@pytest.mark.parametrize(("budget", "text"), [(7, "Mug No."), (5, "Mug"), (3, "Mug"), (2, "Mu"), (9, "Mug No. 5")])
def test_the_budget_cuts_between_words(budget, text):
    assert item_text(Item("1", title="Mug No. 5 B"), budget_chars=budget) == text


def test_an_unknown_part_says_which_there_are():
    with pytest.raises(ConfigError, match=r"'colour'.*Available: attributes, brand, captions"):
        item_text(MUG, parts=("colour",))
    assert len(PARTS) == 6
