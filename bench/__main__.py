"""Run the commands behind the README's table of measured figures, one after another, in some hours.

    python -m bench [--list]

A command that asks for something of yours (`FOLDER`) is named and left out; one that fails is told at the end, and the
others run.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
_COMMAND = re.compile(r"`python -m (bench\.[^`]+)`")
_YOURS = re.compile(r"\b[A-Z]{3,}\b")


def commands(readme: str) -> list[list[str]]:
    """Return the arguments after `python -m` of every bench a text names, each once, in order."""
    return [shlex.split(found) for found in dict.fromkeys(_COMMAND.findall(readme))]


def asks(command: list[str]) -> str | None:
    """Return what a command wants of its reader (`FOLDER`), None where it runs as it stands."""
    found = _YOURS.search(" ".join(command))
    return found.group() if found else None


def main() -> int:
    """Run them; the status is 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="name the commands and run none")
    given = parser.parse_args()
    failed = []
    for command in commands(README.read_text(encoding="utf-8")):
        said, yours = " ".join(["python", "-m", *command]), asks(command)
        print(f"== {said}" + (f"   (left out: {yours} is yours to name)" if yours else ""), flush=True)
        if not yours and not given.list and subprocess.run([sys.executable, "-m", *command], check=False).returncode:
            failed.append(said)
    for said in failed:
        print(f"failed: {said}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
