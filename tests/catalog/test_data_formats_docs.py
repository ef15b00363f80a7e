"""`docs/data-formats.md` names every field, column name and reason there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalog.readers.fields import NAMES

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "data-formats.md").read_text(encoding="utf-8")


def plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


@pytest.mark.parametrize("table", sorted(NAMES))
def test_every_field_is_documented(table: str) -> None:
    targets = next(names for each, names in NAMES.items() if each == table)
    assert [target for target in targets if f"`{target}`" not in DOCS] == []


@pytest.mark.parametrize("table", ["items", "interactions"])
def test_every_column_name_is_documented(table: str) -> None:
    quoted = {plain(name) for name in re.findall(r"`([^`\n]+)`", DOCS)}
    known = {plain(name) for each, names in NAMES.items() if each == table for row in names.values() for name in row}
    spelled = {"userid", "reviewerid", "unixreviewtime", "reviewtext", "sessionid", "behaviour"}
    assert sorted(known - quoted - spelled) == []


def test_every_reason_is_documented() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "catalog" / "readers").glob("*.py"))
    reasons = set(re.findall(r'"((?:missing|bad|repeated|unknown|malformed|not) [\w ]+)", ', text))
    reasons |= {f"bad {name}" for name in ("price", "rating", "rating_count", "availability", "value")}
    assert len(reasons) > 15
    assert sorted(reason for reason in reasons if f"`{reason}`" not in DOCS) == []
