from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.readers.rejects import Rejects
from catalog.readers.values import DEAREST, BadValue, as_bool, as_micros, as_number, as_several, as_text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0012", "0012"), (" a ", " a "), ("", None), ("  ", None), (None, None), (12, "12"), (12.0, "12"),
        (12.5, "12.5"), (True, "true"), (["a"], '["a"]'), (1e300, "1e+300"),
    ],
)  # fmt: skip
def test_text_is_verbatim_and_blank_is_missing(raw: Any, text: str | None) -> None:
    assert as_text(raw) == text


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        (["a", " b ", "a", None, ""], ("a", "b")),
        ([["Beauty", "Makeup"], ["Beauty", "Face"]], ("Beauty", "Makeup", "Face")),
        ("'Beauty', 'Creams, Gels & Lotions'", ("Beauty", "Creams, Gels & Lotions")),
        ("'Fragrance', \"Women's\"", ("Fragrance", "Women's")),
        ('["a", "b"]', ("a", "b")),
        ("('a', 'b')", ("a", "b")),
        ("'one'", ("one",)),
        ("'a' 'b'", ("'a' 'b'",)),
        ("[1, 2]", ("[1, 2]",)),
        ("[broken", ("[broken",)),
        ("a|b|a", ("a", "b")),
        ("Creams, Gels", ("Creams, Gels",)),
        (12, ("12",)),
        (None, ()),
        ("", ()),
    ],
)
def test_a_cell_of_several_values_is_split_only_where_it_says_so(raw: Any, values: tuple[str, ...]) -> None:
    assert as_several(raw) == values


def test_commas_split_where_the_column_is_a_list() -> None:
    assert as_several("Tom Hanks, Tim Allen", commas=True) == ("Tom Hanks", "Tim Allen")
    assert as_several("Sammy Davis, Jr., Dean Martin", commas=True) == ("Sammy Davis, Jr.", "Dean Martin")


def micros(*moment: int) -> int:
    return int(datetime(*moment, tzinfo=UTC).timestamp() * 1_000_000)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("964980499", 964_980_499_000_000),
        ("964980499.5", 964_980_499_500_000),
        ("1700000000000", 1_700_000_000_000_000),
        ("1700000000000000", 1_700_000_000_000_000),
        ("1700000000000000000", 1_700_000_000_000_000),
        ("9.649805e8", 964_980_500_000_000),
        ("0", 0),
        ("-1", -1_000_000),
        ("2024-02-29", micros(2024, 2, 29)),
        ("2024-02-29T12:30:00Z", micros(2024, 2, 29, 12, 30)),
        ("2024-02-29 12:30", micros(2024, 2, 29, 12, 30)),
        ("2024-02-29T12:30:00+09:00", micros(2024, 2, 29, 3, 30)),
        ("2024-02-29T12:30:00.000001", micros(2024, 2, 29, 12, 30) + 1),
    ],
)
def test_moments(text: str, expected: int) -> None:
    assert as_micros(text) == expected


@pytest.mark.parametrize("text", ["soon", "nan", "inf", "2024-02-30", "1e40", "29.02.2024", "0x10", "1_000"])
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(BadValue, match="ISO 8601 or seconds since the epoch") as caught:
        as_micros(text)
    assert caught.value.reason == "bad timestamp"


@pytest.mark.parametrize("raw", ["nan", float("nan"), "inf", "-0.01", -1, "$5", "1,5", [1], "abc"])
def test_what_is_no_price(raw: Any) -> None:
    with pytest.raises(BadValue, match="a number of at least 0 would be valid") as caught:
        as_number(raw, "price", least=0)
    assert caught.value.reason == "bad price"


@pytest.mark.parametrize("raw", ["1e308", 1.0000001e12])
def test_a_price_beyond_any_currency_is_refused(raw: Any) -> None:
    assert as_number("1000000000000", "price", least=0, most=DEAREST) == 1e12
    with pytest.raises(BadValue, match=r"price .*: a number of at most 1,000,000,000,000 would be valid"):
        as_number(raw, "price", least=0, most=DEAREST)


def test_numbers() -> None:
    assert [as_number(raw, "price", least=0) for raw in ("12.50", 0, "", None, "1e3")] == [12.5, 0.0, None, None, 1000]
    assert as_number("-3", "value") == -3


@pytest.mark.parametrize(
    ("raw", "truth"), [("In Stock", True), ("out_of_stock", False), (True, True), (0, False), ("Y", True), ("", None)]
)
def test_truth(raw: Any, truth: bool | None) -> None:
    assert as_bool(raw, "availability") is truth


def test_what_is_neither_true_nor_false() -> None:
    with pytest.raises(BadValue, match="availability 'perhaps': true or false would be valid"):
        as_bool("perhaps", "availability")


def test_rejects_are_counted_kept_in_order_and_capped() -> None:
    rejects = Rejects()
    assert rejects.summary() == "no row rejected"
    rejects.add("a.csv", 3, "bad price", "price 'x'", {"sku": "ö", "note": "y" * 5000})
    rejects.add("a.csv", 9, "unknown item", "item 'z'", "raw text")
    rejects.add("b.csv", 4, "bad price", "price 'y'", {})
    assert len(rejects) == 3 and rejects.counts == {"bad price": 2, "unknown item": 1}
    assert rejects.summary() == (
        "3 rows rejected: 2 bad price (first: a.csv line 3: price 'x'); 1 unknown item (first: a.csv line 9: item 'z')"
    )
    assert [(each.file, each.line) for each in rejects] == [("a.csv", 3), ("a.csv", 9), ("b.csv", 4)]
    first = next(iter(rejects))
    assert first.row.startswith('{"sku": "ö"') and len(first.row) == 2000
    rejects.add("c.csv", 1, "bad price", "", {})
    assert [each.file for each in rejects][-1] == "c.csv"


def test_many_rejects_leave_memory_for_the_disk() -> None:
    rejects = Rejects()
    for line in range(2000):
        rejects.add("a.csv", line, "bad price", "", "x" * 1000)
    assert [each.line for each in rejects] == list(range(2000))
