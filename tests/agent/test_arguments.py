import pytest

from agent.arguments import BROKEN, read_arguments

WANTED = {"query": "blue vase", "top_n": 3}


@pytest.mark.parametrize(
    "written",
    [
        '{"query": "blue vase", "top_n": 3}',
        '{"query": "blue vase", "top_n": 3',
        '{"top_n": 3, "query": "blue vase',
        '{"query": "blue vase", "top_n": 3,}',
        "{'query': 'blue vase', 'top_n': 3}",
        '```json\n{"query": "blue vase", "top_n": 3}\n```',
        '{"query": "blue vase", "top_n": 3}{"query": "blue vase", "top_n": 3}',
        '"{\\"query\\": \\"blue vase\\", \\"top_n\\": 3}"',
        dict(WANTED),
    ],
)
def test_trivially_broken_arguments_are_mended(written: object) -> None:
    assert read_arguments(written) == WANTED


@pytest.mark.parametrize("written", [None, "", "null", "None", "{}", "  "])
def test_no_arguments_are_an_empty_object(written: object) -> None:
    assert read_arguments(written) == {}


@pytest.mark.parametrize(
    "written", ["search for vases", '{"query":', "[1, 2]", "42", '{"a": 1}{"a": 2}', "{{{{", '{"query" "x"}']
)
def test_unreadable_arguments_are_kept_never_emptied(written: str) -> None:
    assert read_arguments(written) == {BROKEN: written}


@pytest.mark.parametrize("control", ["\n", "\t", "\x06"])
def test_a_raw_control_character_and_the_brace_vllm_sends_after_it_are_read(control: str) -> None:
    """vLLM 0.32 (hermes) never finds such arguments complete, so that the call's own brace comes with them."""
    assert read_arguments(f'{{"query": "blue{control}vase"}}}}') == {"query": f"blue{control}vase"}


def test_nested_brackets_are_closed_in_order() -> None:
    assert read_arguments('{"filters": {"brand": ["a", "b"') == {"filters": {"brand": ["a", "b"]}}


@pytest.mark.parametrize("opened", ["[", '{"not": '])
@pytest.mark.parametrize("levels", [60, 900, 5000])
def test_what_is_nested_too_deep_to_be_meant_is_broken(opened: str, levels: int) -> None:
    closed = {"[": "]", '{"not": ': "}"}[opened]
    for written in (opened * levels, opened * levels + "1" + closed * levels):
        assert set(read_arguments(f'{{"filters": {written}}}')) == {BROKEN}


@pytest.mark.parametrize("run", [",", " ", ", ", "\n"])
def test_a_run_of_what_may_end_an_object_is_read_at_once(run: str) -> None:
    # Each of these took minutes where a pattern tried every one of the run anew.
    assert set(read_arguments('{"query": "vase",' + run * 50_000 + "x")) == {BROKEN}


def test_half_a_character_in_an_escape_is_no_text() -> None:
    assert read_arguments('{"query": "a \\ud83c\\udffa, a \\udffa"}') == {"query": "a 🏺, a \ufffd"}
