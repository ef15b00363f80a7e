import pytest

from catalog.errors import ToolRetry
from catalog.items import Catalog
from catalog.nouns import Item
from tools.item_ids import resolved, resolved_all

CATALOG = Catalog(
    [
        Item("V01", title="Vase"),
        Item("007", title="Bond bag"),
        Item("ab"),
        Item("AB", title="Twin"),
        Item("t2", title="twin"),
    ]
)


@pytest.mark.parametrize(
    "written", ["V01", "<V01>", "`V01`", '"V01"', " 'V01' ", "[V01]", "v01", "<`v01`>", "vase", "“V01”"]
)
def test_ids_in_any_dress_resolve(written: str) -> None:
    assert resolved(CATALOG, written, "item_id") == "V01"


def test_leading_zeros_and_case_count_where_they_tell_items_apart() -> None:
    assert resolved(CATALOG, "007", "item_id") == "007"
    assert resolved(CATALOG, "ab", "item_id") == "ab"
    assert resolved(CATALOG, "AB", "item_id") == "AB"
    with pytest.raises(ToolRetry):
        resolved(CATALOG, "7", "item_id")


@pytest.mark.parametrize("written", ["aB", "twin", "", "``", "zzz"])
def test_what_names_none_or_several_is_refused(written: str) -> None:
    with pytest.raises(ToolRetry, match=r"'item_id' names what this shop does not have"):
        resolved(CATALOG, written, "item_id")


def test_all_unknown_ids_are_named_at_once_with_the_closest() -> None:
    with pytest.raises(ToolRetry) as caught:
        resolved_all(CATALOG, ["V01", "V02", "Rolex"], "item_ids")
    assert "'V02' (closest: V01), 'Rolex'" in str(caught.value)


def test_repeats_count_once() -> None:
    assert resolved_all(CATALOG, ["V01", "<V01>", "007"], "like") == ("V01", "007")


def test_many_and_long_unknown_ids_are_named_briefly() -> None:
    with pytest.raises(ToolRetry, match=r"'V0' .*'V5' and 95 more; ids") as caught:
        resolved_all(CATALOG, [f"V{place}" for place in (0, *range(2, 101))], "item_ids")
    assert len(str(caught.value)) < 400
    with pytest.raises(ToolRetry) as caught:
        resolved(CATALOG, "x" * 100_000, "item_id")
    assert len(str(caught.value)) < 200
