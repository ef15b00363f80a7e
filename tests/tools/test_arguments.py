"""Arguments as models write them."""

from typing import Any

import pytest

from catalog.errors import ToolRetry
from tools.arguments import canonical


@pytest.mark.parametrize("arguments", [None, {}, {"query": None, "filters": None, "top_n": None}])
def test_none_is_no_arguments(ids: Any, arguments: Any) -> None:
    assert len(ids("search_items", arguments)) == 10


@pytest.mark.parametrize(
    "filters",
    [
        {"brand": "Terrano", "category": ["mugs"], "price": {"max": 8}},
        '{"brand": ["Terrano"], "category": "mugs", "price": {"max": "8"}}',
        {"brand": ["terrano"], "category": '["MUGS"]', "price": {"min": None, "max": 8.0}, "not": None},
    ],
)
def test_common_slips_are_read_as_meant(ids: Any, filters: Any) -> None:
    assert ids("search_items", {"filters": filters}) == ["M02"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            {"filters": {"prize": 3}},
            "unknown field 'filters.prize'; known in filters: price, brand, category, attributes, available, not",
        ),
        ({"qurey": "x"}, "unknown field 'qurey'; known at the top: query, filters"),
        ({"filters": {"colour": ["red"]}}, "unknown field 'filters.colour'"),
        ({"sort": "cheapest"}, "'sort' is 'cheapest': input should be 'relevance', 'price_asc', 'price_desc'"),
        ({"top_n": 0}, "'top_n' is 0: input should be greater than or equal to 1"),
        ({"top_n": 1_000_000}, "'top_n' is 1000000: input should be less than or equal to 100"),
        ({"filters": {"price": {"min": -1}}}, "'filters.price.min' is -1: input should be greater than or equal to 0"),
        ({"filters": {"price": {"max": float("nan")}}}, "'filters.price.max' is nan: input should be a finite number"),
        ({"filters": {"price": {"min": 10, "max": 5}}}, "price min 10.0 is above max 5.0"),
        ({"filters": {"price": {"max": "cheap"}}}, "'filters.price.max' is 'cheap': input should be a valid number"),
        ({"query": "x" * 1001}, "'query' is 'xxx"),
        ({"like": ["V01"] * 101}, "'like' is"),
        ([1, 2], "arguments are list; an object would be valid"),
        ("query", "arguments are str; an object would be valid"),
    ],
)
def test_what_cannot_be_meant_names_the_field_and_what_would_be_valid(ask: Any, arguments: Any, says: str) -> None:
    with pytest.raises(ToolRetry) as caught:
        ask("search_items", arguments)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "arguments", [{"query": "a\ud800"}, {"filters": {"brand": ["\udfff"]}}, {"like": ["\ud83d"]}, {"\ud800": 1}]
)
def test_half_a_surrogate_pair_is_no_text(ask: Any, arguments: Any) -> None:
    with pytest.raises(ToolRetry, match="holds half a surrogate pair") as caught:
        ask("search_items", arguments)
    str(caught.value).encode()
    assert ask("search_items", {"query": "a blue 🧣"}).candidates


def test_a_missing_argument_is_named(ask: Any) -> None:
    with pytest.raises(ToolRetry, match="record_feedback: 'item_id' is required; 'kind' is required"):
        ask("record_feedback", {})


def test_a_price_limit_of_zero_is_valid_and_blocks(ask: Any) -> None:
    result = ask("search_items", {"filters": {"price": {"max": 0}}})
    assert result.facts["blocking"]["field"] == "price"


def test_canonical_is_the_same_for_equal_calls() -> None:
    assert canonical({"b": 5.0, "a": None, "c": ["é"]}) == canonical({"c": ("é",), "b": 5}) == '{"b":5,"c":["é"]}'
    assert canonical(None) == "{}"


@pytest.mark.parametrize("levels", [60, 5000])
@pytest.mark.parametrize("opened", ["[", '{"not":'])
def test_json_in_a_text_that_is_nested_beyond_reading_is_a_text(ask: Any, opened: str, levels: int) -> None:
    closed = "]" if opened == "[" else "}"
    for written in (opened * levels, opened * levels + "{}" + closed * levels):
        with pytest.raises(ToolRetry, match=r"'filters' is .{0,80}: input should be a valid dictionary"):
            ask("search_items", {"filters": written})
