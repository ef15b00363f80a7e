import pytest

from agent.handles import HandleBook
from catalog.items import Catalog
from catalog.nouns import Item

SHOP = Catalog([Item("007", title="Blue bowl"), Item("A-1", title="Red bowl"), Item("12", title="Green bowl")])


def test_an_item_keeps_its_handle() -> None:
    book = HandleBook(SHOP)
    assert [book.issue(i) for i in ("007", "A-1", "007", "12")] == ["#1", "#2", "#1", "#3"]
    assert book.issued() == {"#1": "007", "#2": "A-1", "#3": "12"}


@pytest.mark.parametrize(
    "written",
    ["#2", "2", "item #2", "Item 2", "<#2>", "`#2`", '"#2"', "“#2”", "(#2)", "**#2**", "#2.", "A-1", "<A-1>", "'A-1'",
     "Red bowl", '"red  BOWL"', "product 2", "no. 2"],
)  # fmt: skip
def test_any_costume_resolves(written: str) -> None:
    book = HandleBook(SHOP)
    book.issue("007")
    book.issue("A-1")
    assert book.resolve(written) == "A-1"


@pytest.mark.parametrize("written", ["#3", "99", "12", "Green bowl", "", "#", "the red one"])
def test_what_was_not_issued_resolves_to_nothing(written: str) -> None:
    book = HandleBook(SHOP)
    book.issue("007")
    book.issue("A-1")
    assert book.resolve(written) is None


def test_a_raw_id_wins_over_a_bare_number() -> None:
    book = HandleBook(SHOP)
    for item_id in ("007", "A-1", "12"):
        book.issue(item_id)
    assert book.resolve("12") == "12"
    assert book.resolve("3") == "12"


def test_the_book_is_bounded_and_reuses_no_number() -> None:
    book = HandleBook(SHOP, limit=2)
    for item_id in ("007", "A-1", "12"):
        book.issue(item_id)
    assert book.resolve("#1") is None and book.resolve("Blue bowl") is None
    assert book.issue("007") == "#4"


def test_no_handle_is_called_as_an_item_is() -> None:
    catalog = Catalog([Item("V01", title="Vase"), Item("#1", title="Bowl"), Item("#3", title="Mug"), Item("V02")])
    book = HandleBook(catalog)
    assert [book.issue(item_id) for item_id in ("V01", "#1", "#3", "V02")] == ["#2", "#4", "#5", "#6"]
    assert book.resolve_all(["#1", "#2", "#3", "#4"]) == ["#1", "V01", "#3"]
    assert book.given == 6 and book.copy().issue("V01") == "#2"
