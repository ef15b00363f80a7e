"""One line of an examination: what `vitrine doctor` and the probes of models have to say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, and what was found.

    Attributes:
        level: `ok`; `note`, worth reading; `bad`, something needed does not work.
        subject: What was looked at, in a word or two.
        text: What was found, in one line; where it is bad, what would help.
    """

    level: Level
    subject: str
    text: str

    @property
    def mark(self) -> str:
        """Return a word a person can scan for."""
        return {"ok": "ok", "note": "--", "bad": "BAD"}[self.level]
