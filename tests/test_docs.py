"""Documents are current: generated parts, links, and the examples, which are loaded and parsed."""

from __future__ import annotations

import functools
import re
import shlex
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from models.registry import build
from vitrine.cli import app
from vitrine.cli.commands import commands
from vitrine.cli.options import overrides
from vitrine.documents import between_marks, generated
from vitrine.reference import settings_of
from vitrine.settings import Settings, changed_settings, load_settings

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
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


def test_every_command_has_a_section_and_every_section_a_command() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert re.findall(r"^## `vitrine (.*)`$", text, re.M) == [" ".join(path) for path in commands()]


def _blocks(language: str) -> list[tuple[str, str]]:
    """Return page and text of every fenced block of a language."""
    return [
        (str(page.relative_to(ROOT)), body)
        for page in PAGES
        for kind, body in _BLOCK.findall(page.read_text(encoding="utf-8"))
        if kind == language
    ]


def _command_lines() -> list[tuple[str, str]]:
    """Return page and line of every `vitrine ...` in a shell block; a line may hold several, joined by &&."""
    lines = []
    for page, body in _blocks("sh"):
        for line in body.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            lines += [(page, part.strip()) for part in shlex.join(words).split("'&&'") if "vitrine " in part]
    return [(page, line) for page, line in lines if "python -m" not in line]


@pytest.mark.parametrize(("page", "text"), _blocks("toml"))
def test_every_settings_example_loads(page: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vitrine.toml").write_text(text)
    assert changed_settings(load_settings(), {})


@functools.cache
def _app() -> TyperCommand | TyperGroup:
    return get_command(app)


@functools.cache
def _names() -> set[str]:
    return {path[0] for path in commands()}


@pytest.mark.parametrize(("page", "line"), _command_lines())
def test_every_command_line_parses(page: str, line: str) -> None:
    words = shlex.split(line)
    words = words[words.index("vitrine") + 1 :]
    command = _app()
    while isinstance(command, TyperGroup) and words and words[0] in command.commands:
        name, *words = words
        command = command.commands[name]
    given = command.make_context("vitrine", words).params
    settings = load_settings(overrides(None, given.get("set_")))
    for name, parameters in settings.models.overrides.items():
        build(name, parameters)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=lambda page: page.name)
def test_every_command_named_in_a_sentence_is_there(page: Path) -> None:
    prose = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    assert [name for name in re.findall(r"`vitrine ([a-z][a-z-]*)", prose) if name not in _names()] == []
    benches = re.findall(r"`python -m bench\.(\w+)", prose)
    assert [name for name in benches if not (ROOT / "bench" / f"{name}.py").exists()] == []


def test_there_are_examples_to_check() -> None:
    assert len(_blocks("toml")) > 4 and len(_command_lines()) > 20
