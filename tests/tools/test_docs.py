"""The documentation names every tool and every parameter, and is made of the schemas."""

from pathlib import Path

import pytest

from tools.all_tools import TOOLS
from tools.reference import BEGIN, END, reference

DOCUMENT = Path(__file__).parents[2] / "docs" / "tools.md"
REMEDY = "run python -c \"from pathlib import Path; from tools.reference import write_reference as w; w(Path('{}'))\""


def test_the_reference_is_current() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    written = text.split(BEGIN)[1].split(END)[0].strip()
    assert written == reference(), REMEDY.format(DOCUMENT.relative_to(DOCUMENT.parents[1]))


@pytest.mark.parametrize("tool", TOOLS, ids=lambda t: t.name)
def test_every_tool_and_parameter_is_documented(tool: object) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.split(f"### `{tool.name}`")[1].split("\n### ")[0]  # type: ignore[attr-defined]
    for name in tool.parameters["properties"]:  # type: ignore[attr-defined]
        assert f"| `{name}` |" in section


def test_every_fact_a_tool_gives_is_explained(ask) -> None:  # type: ignore[no-untyped-def]
    table = DOCUMENT.read_text(encoding="utf-8").split("## What the facts say")[1].split("\n## ")[0]
    calls = {
        "search_items": {"query": "blue merino zeppelin", "top_n": 2},
        "similar_items": {"item_id": "V01", "filters": {"brand": ["Nikee"]}},
        "compare_items": {"item_ids": ["V01", "V02"]},
        "item_details": {"item_id": "V01"},
        "explain_item": {"item_id": "V01"},
        "shopper_history": {},
        "record_feedback": {"item_id": "V01", "kind": "praise"},
    }
    for name, arguments in calls.items():
        for fact in ask(name, arguments, user="ana").facts:
            assert f"`{fact}`" in table, (name, fact)
