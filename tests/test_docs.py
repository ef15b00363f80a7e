"""Generated parts are current, every setting has a meaning, every relative link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vitrine.documents import between_marks, generated
from vitrine.reference import settings_of
from vitrine.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])
_LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)\s#]+)")


@pytest.mark.parametrize("name", ["configuration.md", "commands.md"])
def test_the_generated_part_is_current(name: str) -> None:
    written = between_marks((ROOT / "docs" / name).read_text(encoding="utf-8"))
    assert written == generated()[name].strip(), "run: python -m vitrine.documents docs"


def test_every_setting_says_what_it_means() -> None:
    assert [setting.path for setting in settings_of(Settings) if not setting.meaning] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = _LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []
