import pytest

from catalog.errors import ToolRetry
from catalog.filters import Filters
from tools.shop import Shop
from tools.vocabulary import UnknownValue, spoken


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (Filters(category=("scarf",)), Filters(category=("scarves",))),
        (Filters(category=("Mug", "BAG")), Filters(category=("mugs", "bags"))),
        (Filters(attributes={"Color": ("Gray",)}), Filters(attributes={"colour": ("grey",)})),
        (Filters(attributes={"color": ("red",), "colour": ("blue",)}), Filters(attributes={"colour": ("red", "blue")})),
        (Filters(brand=(" norrvik",)), Filters(brand=("Norrvik",))),
        (Filters(**{"not": {"brand": ["norrvik"]}}), Filters(**{"not": {"brand": ["Norrvik"]}})),
    ],
)
def test_plain_spellings_become_the_catalogues(shop: Shop, said: Filters, meant: Filters) -> None:
    assert spoken(said, shop.facets) == (meant, ())


def test_unknown_values_stay_and_are_named_with_the_closest(shop: Shop) -> None:
    filters, unknown = spoken(Filters(brand=("Lumin", "Hako"), attributes={"colour": ("purple",)}), shop.facets)
    assert filters.brand == ("Lumin", "Hako")
    assert unknown[0] == UnknownValue("brand", "Lumin", ("Lumen",))
    assert (unknown[1].field, unknown[1].value) == ("attributes.colour", "purple")


def test_what_is_not_wanted_need_not_exist(shop: Shop) -> None:
    assert spoken(Filters(**{"not": {"brand": ["Nike"]}}), shop.facets)[1] == ()


def test_an_unknown_attribute_is_refused_with_the_shops_own(shop: Shop) -> None:
    with pytest.raises(ToolRetry, match=r"unknown attribute 'fabric'\. Available: colour, material"):
        spoken(Filters(attributes={"fabric": ("wool",)}), shop.facets)
