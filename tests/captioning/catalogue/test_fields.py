import numpy as np

from captioning.catalogue.config import CatalogueConfig
from captioning.catalogue.fields import Field, fields_of, stated, targets
from catalog.nouns import Item

CONFIG = CatalogueConfig(support=2, most_values=3, coverage=0.5)


def test_what_is_stated_is_categories_by_level_and_attributes_by_name():
    item = Item("a", categories=("Women", "Dress"), attributes={"style": ("boho", "casual", "boho"), "none": ()})
    assert stated(item) == {"category 1": ("Women",), "category 2": ("Dress",), "style": ("boho", "casual")}


def test_fields_are_chosen_by_values_support_and_coverage():
    items = [
        {"category 1": ("Toys",), "colour": (colour,), "serial": (str(n),), "many": (str(n // 2),), "rare": ("x", "y")}
        if n < 4
        else {"category 1": ("Toys",), "colour": (colour,), "serial": (str(n),), "many": (str(n // 2),)}
        for n, colour in enumerate(["red", "red", "blue", "blue", "pink", "red", "blue", "red", "blue", "red"])
    ]
    # One value is no question; serials have no support; five values are more than three; "rare" is stated by 40%.
    assert fields_of(items, CONFIG) == (Field("colour", ("blue", "red"), several=False),)


def test_several_values_are_yes_or_no_each():
    items = [{"style": ("boho", "casual")}, {"style": ("boho",)}, {"style": ("casual",)}, {}]
    (field,) = fields_of(items, CONFIG)
    assert field.several and field.values == ("boho", "casual")
    found = targets(field, items)
    assert found[:3].tolist() == [[1, 1], [1, 0], [0, 1]] and np.isnan(found[3]).all()


def test_a_rare_value_teaches_nothing_where_there_is_one():
    field = Field("colour", ("blue", "red"), several=False)
    found = targets(field, [{"colour": ("red",)}, {"colour": ("mauve",)}, {}])
    assert found[0].tolist() == [0, 1] and np.isnan(found[1:]).all()


def test_categories_stand_first_from_the_broadest():
    items = [{"category 10": (a,), "category 2": (a,), "age": (a,)} for a in ("x", "y") * 2]
    assert [field.name for field in fields_of(items, CONFIG)] == ["category 2", "category 10", "age"]
