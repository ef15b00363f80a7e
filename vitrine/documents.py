"""Writes the generated parts of `docs/configuration.md` and `docs/commands.md`: `python -m vitrine.documents docs`."""

from __future__ import annotations

import sys
from pathlib import Path

BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


def generated() -> dict[str, str]:
    """Return what belongs between the marks, by file name."""
    from vitrine.cli.commands import commands_markdown
    from vitrine.reference import settings_markdown
    from vitrine.settings import Settings

    return {"configuration.md": settings_markdown(Settings), "commands.md": commands_markdown()}


def between_marks(text: str) -> str:
    """Return what stands between the marks of a document."""
    return text.partition(BEGIN)[2].partition(END)[0].strip()


def write_generated(folder: Path) -> None:
    """Replace what stands between the marks of each document in `folder`."""
    for name, body in generated().items():
        text = (folder / name).read_text(encoding="utf-8")
        head, tail = text.partition(BEGIN)[0], text.partition(END)[2]
        (folder / name).write_text(f"{head}{BEGIN}\n\n{body.strip()}\n\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    write_generated(Path(sys.argv[1]))
