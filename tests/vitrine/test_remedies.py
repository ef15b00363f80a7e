"""A model that lacks its features says what makes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from catalog.errors import DataError
from vitrine.remedies import saying_the_remedy

SAID = "vitrine caption and then vitrine embed make them"


@pytest.fixture
def bare(files: Path, run: Any) -> str:
    """A shop with a catalogue and a log, and nothing made of them."""
    run("import", "table", "--items", files / "items.csv", "--interactions", files / "interactions.csv", "--store", "b")
    return "b"


def test_a_refused_row_names_the_commands_that_help(bare: str, run: Any) -> None:
    ran = run("eval", "--models", "popularity,lirdrec", "--protocol", "last", "--store", bare)
    assert ran.code == 0, ran
    said = " ".join(ran.out.split())
    assert "no row for lirdrec: no modality was given" in said and SAID in said
    assert "\n\n- no row for lirdrec: no modality was given; " in Path("b/reports/last.md").read_text()


@pytest.mark.parametrize("command", [("train",), ("eval", "--models", "lirdrec", "--protocol", "last")])
def test_where_nothing_else_can_be_done_the_error_names_them_too(bare: str, run: Any, command: tuple[str]) -> None:
    assert run(*command, "--store", bare).line.endswith(f"{SAID} from pictures and texts")


def test_other_refusals_are_left_alone() -> None:
    with pytest.raises(DataError, match=r"^ease: too many items$"), saying_the_remedy():
        raise DataError("ease: too many items")
