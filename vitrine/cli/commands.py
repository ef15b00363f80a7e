"""Every command and its help, for `docs/commands.md` and the tests."""

from __future__ import annotations

from collections.abc import Iterator

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from vitrine.cli import WIDTH, app


def commands() -> list[tuple[str, ...]]:
    """Return the path of every command and group, e.g. `("import", "table")`, in the order of `--help`."""
    return [path for path, _ in _walk()]


def commands_markdown() -> str:
    """Return one section a command: its `--help`, 100 columns wide whatever the terminal."""
    sections = []
    for path, command in _walk():
        name = " ".join(["vitrine", *path])
        context = command.context_class(command, info_name=name, terminal_width=WIDTH)
        lines = (line.rstrip() for line in command.get_help(context).splitlines())
        sections.append("\n".join([f"## `{name}`", "", "```text", *lines, "```"]))
    return "\n\n".join(sections) + "\n"


def _walk(
    group: TyperGroup | None = None, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], TyperCommand | TyperGroup]]:
    """Yield what stands below `group`, which `path` leads to, each group before its commands; None: all of it."""
    whole = get_command(app) if group is None else group
    assert isinstance(whole, TyperGroup)
    for name, command in whole.commands.items():
        assert isinstance(command, TyperCommand | TyperGroup)
        yield (*path, name), command
        if isinstance(command, TyperGroup):
            yield from _walk(command, (*path, name))
