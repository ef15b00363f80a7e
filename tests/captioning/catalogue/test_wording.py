import numpy as np

from captioning.catalogue.fields import Field
from captioning.catalogue.wording import guesses, sentence

FIELDS = (
    Field("category 1", ("Menswear", "Ladieswear"), several=False),
    Field("category 2", ("Shirt", "Vest top"), several=False),
    Field("colour", ("Black", "Red"), several=False),
    Field("style", ("boho", "casual", "smart"), several=True),
)
LIKELY = [np.array(row, np.float32) for row in ([0.2, 0.8], [0.3, 0.7], [0.9, 0.1], [0.7, 0.1, 0.8])]


def said(**least):
    return sentence(guesses(FIELDS, LIKELY, {field.name: 0.6 for field in FIELDS} | least))


def test_the_narrowest_category_then_attributes_then_what_it_belongs_to():
    assert said() == "Vest top: colour Black, style smart and boho. Ladieswear."


def test_what_is_not_certain_is_not_said():
    assert said(**{"category 2": 0.75}) == "Ladieswear: colour Black, style smart and boho."
    assert said(**{"category 1": 0.9, "category 2": 0.9}) == "Colour Black, style smart and boho."
    assert said(style=0.75, colour=0.95) == "Vest top: style smart. Ladieswear."
    assert said(**{field.name: 0.95 for field in FIELDS}) == ""
