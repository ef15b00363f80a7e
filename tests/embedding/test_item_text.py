import re
from pathlib import Path

import pytest

from catalog.errors import ConfigError
from catalog.nouns import Caption, Item
from embedding.item_text import PARTS, cut_text, fit, item_parts, item_text
from embedding.minilm import MiniLM

MUG = Item(
    "1",
    title="Mug No. 5.",
    brand="Tide",
    categories=("Kitchen", "Mugs"),
    attributes={"main_colour": ("red", "white"), "empty": ()},
    description="Holds\n tea.",
)


def caption(text, media="a.jpg", frame_time=None):
    return Caption("1", media, text, "m", "p", "s", frame_time)


def test_the_template():
    assert item_text(MUG) == "Mug No. 5. Tide. Kitchen, Mugs. main colour: red, white. Holds tea."


def test_captions_stand_only_where_asked_and_once():
    seen = [caption("Round, red."), caption("Round, red."), caption("Tall.")]
    assert item_text(MUG, seen, parts=("captions",)) == "Round, red. Tall."
    assert "Round" not in item_text(MUG, seen)
    assert item_text(MUG, seen, parts=("description", "captions", "title")) == "Mug No. 5. Round, red. Tall. Holds tea."


def test_captions_of_a_video_stand_in_order_of_time_and_media_in_their_own():
    film = [("It stops", 9.5), ("It turns", 0.0), ("It spins!", 2.25)]
    seen = [caption("Red."), *(caption(text, "b.mp4", at) for text, at in film), caption("Box.", "c.jpg")]
    assert item_text(MUG, seen, parts=("captions",)) == "Red. 0:00 It turns. 0:02 It spins! 0:09 It stops. Box."


def test_a_sentence_said_of_an_earlier_frame_is_not_said_again():
    film = [("A bag. It hangs.", 1.0), ("A bag. It opens.", 67.4), ("A bag.", 70.0), ('heard: "Look! Inside."', 3700.0)]
    seen = [caption(text, "b.mp4", at) for text, at in film]
    text = item_text(MUG, seen, parts=("captions",))
    assert text == '0:01 A bag. It hangs. 1:07 It opens. 1:01:40 heard: "Look! Inside."'


def test_what_shoppers_wrote_comes_last_and_once():
    text = item_text(MUG, reviews=["Keeps warm", "Chipped!", "Keeps warm"], parts=("title", "reviews"))
    assert text == "Mug No. 5. Keeps warm. Chipped!"


def test_what_is_missing_leaves_no_trace():
    assert item_text(Item("1")) == ""
    assert item_text(Item("1", description="Only this.")) == "Only this."
    assert item_text(Item("1", title="T", brand="  ")) == "T"


def test_control_characters_are_gone():
    assert item_text(Item("1", title="A\x00B\u202e\x1b[31m\tC\u200b\ud800D")) == "AB[31m CD"
    assert item_text(Item("1", title="\x07", description="Only this.")) == "Only this."


@pytest.mark.parametrize(("budget", "text"), [(7, "Mug No."), (5, "Mug"), (3, "Mug"), (2, "Mu"), (9, "Mug No. 5")])
def test_the_budget_cuts_between_words(budget, text):
    assert item_text(Item("1", title="Mug No. 5 B"), budget_chars=budget) == text


def test_a_long_description_never_pushes_out_captions():
    seen = [caption("A tall blue vase with a narrow neck.")]
    item = Item("1", title="Vase", description="Made by hand in the old kiln. " * 200)
    parts = ("title", "captions", "description")
    fitted = fit(item_parts(item, seen, parts=parts), budget_chars=200)
    assert fitted.cut and len(fitted.text) <= 200
    assert fitted.text.startswith("Vase. A tall blue vase with a narrow neck. Made by hand")
    assert fitted.text.endswith("in the old kiln.")


def test_parts_share_a_budget_by_their_weights_and_give_what_they_do_not_need():
    # 4:3 of 142 characters between them; the title needs 5 of its share, the description takes the rest.
    assert fit({"captions": "c " * 400, "description": "d " * 400}, budget_chars=142).text.count("c") == 40
    shared = fit({"title": "Title", "description": "d " * 400}, budget_chars=107).text
    assert shared == "Title. " + ("d " * 50).strip()


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("One two. Three four five.", 16, "One two."),
        ("One two. Three four five six seven.", 30, "One two. Three four five six"),
        ("Sehr schön! Und warm", 14, "Sehr schön!"),
        ("赤いマグ。とても温かい。長い", 12, "赤いマグ。とても温かい。"),
        ("Costs 3.50 in all", 12, "Costs 3.50"),
    ],
)
def test_prose_is_cut_at_a_sentence_where_that_keeps_half(text, limit, cut):
    assert cut_text(text, limit, sentence=True) == cut


class Words:
    """Counts words: a tokenizer that can be checked in the head."""

    def __init__(self, limit):
        self.limit = limit

    def count(self, text):
        return len(re.findall(r"\w+|[^\w\s]", text))

    def end(self, text, limit):
        ends = [match.end() for match in re.finditer(r"\w+|[^\w\s]", text)]
        return len(text) if len(ends) <= limit else ends[limit - 1]

    def at_most(self, text):
        return len(text)


def test_the_budget_is_tokens_where_they_can_be_counted():
    item = Item("1", title="Blue vase", description="It is old. It is tall. It is thin. It is long.")
    assert item_text(item, counter=Words(11)) == "Blue vase. It is old. It is tall."
    assert item_text(item, counter=Words(99), budget_chars=3) == item_text(item)


def test_a_text_in_budget_is_all_the_model_reads():
    item = Item("1", title="Übergröße 漢字漢字 vase", description="Handgemacht, blau-weiß; 23 × 12 cm. " * 60)
    counter = MiniLM().counter()
    text = item_text(item, counter=counter)
    assert 0.8 * counter.limit < counter.count(text) <= counter.limit == 254


def test_an_unknown_part_says_which_there_are():
    with pytest.raises(ConfigError, match=r"'colour'.*Available: attributes, brand, captions"):
        item_text(MUG, parts=("colour",))


def test_the_example_of_the_docs_is_what_the_template_gives():
    item = Item(
        "S01", title="Harbour sneaker", brand="Nordlys", categories=("Shoes", "Sneakers"),
        attributes={"upper_material": ("canvas",)}, description="A light summer shoe with a rubber sole.",
    )  # fmt: skip
    seen = [caption("A low blue shoe with white laces.")]
    text = item_text(item, seen, ["True to size, light."], parts=PARTS)
    page = (Path(__file__).parents[2] / "docs" / "embedding.md").read_text(encoding="utf-8")
    assert text in page
