"""The last line of a command that builds: what comes next, as it can be typed here."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from vitrine.cli.output import say

CARRIED = ("captions.", "embedding.")
"""Settings whose commands to come must name them too: they say whose captions and vectors are read."""


def say_next(store: Path | None, pairs: Sequence[str] | None, *commands: str, then: str = "") -> None:
    """Say which commands come next, with the store and the settings that this one was given.

    Args:
        store: `--store`, where it was given.
        pairs: Every `--set`.
        commands: In their order, without `vitrine`; one that names a setting itself is not given it again.
        then: Follows the commands, after a semicolon.
    """
    carried = [pair for pair in pairs or () if pair.startswith(CARRIED)]
    where = [] if store is None else ["--store", str(store)]
    typed = []
    for command in commands:
        sets = [word for pair in carried if pair.partition("=")[0] not in command for word in ("--set", pair)]
        typed.append(" ".join(["vitrine", command, shlex.join([*sets, *where])]).strip())
    say(f"next: {', then '.join(typed)}{f'; {then}' if then else ''}")
    if lines := [line for pair in carried if (line := _toml_line(pair)) is not None]:
        told = " and ".join(f"`{line}`" for line in lines)
        say(f"      {told} at the top of vitrine.toml saves repeating --set")


def _toml_line(pair: str) -> str | None:
    """Return a setting as a line of TOML; None where its value is no plain one."""
    path, _, raw = pair.partition("=")
    try:
        value = json.loads(raw)
    except json.JSONDecodeError:
        value = raw
    return f"{path} = {json.dumps(value, ensure_ascii=False)}" if isinstance(value, str | int | float) else None
