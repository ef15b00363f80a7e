"""A form that no model fills in by chance: only one that was held to its JSON schema gets it right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

LETTERS = "ACEFHJKLMNPRTUVWXY"
SPAN = 8

INSTRUCTION = "Fill in the form you are given. Any entries it allows are right. Answer with the JSON alone."
"""Says neither the fields nor their values: they stand in the schema only."""


@dataclass(frozen=True, slots=True)
class OddForm:
    """Two fields: `badge`, one of three codes, and `shelf`, an integer from `low` to `high`."""

    badges: tuple[str, ...]
    low: int
    high: int

    @property
    def schema(self) -> Mapping[str, Any]:
        """The form as JSON schema."""
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "badge": {"type": "string", "enum": list(self.badges)},
                "shelf": {"type": "integer", "minimum": self.low, "maximum": self.high},
            },
            "required": ["badge", "shelf"],
        }

    @property
    def told(self) -> str:
        """What would be right, for a person."""
        return f"badge one of {', '.join(self.badges)}; shelf from {self.low} to {self.high}"

    def fault(self, content: str) -> str | None:
        """Return what is wrong with a filled-in form, or None; what stands around the JSON is passed over.

        Example:
            >>> OddForm(("AC-1", "HK-2"), 200, 208).fault('Here: {"badge": "AC-1", "shelf": 203}')
            >>> OddForm(("AC-1", "HK-2"), 200, 208).fault('{"badge": "AC-1", "shelf": 3}')
            'shelf is 3'
        """
        try:
            filled, _ = json.JSONDecoder().raw_decode(content, max(content.find("{"), 0))
        except (ValueError, RecursionError):
            return "it is no JSON"
        if not isinstance(filled, dict):
            return "it is no JSON object"
        if filled.keys() != {"badge", "shelf"}:
            return f"its fields are {', '.join(map(str, filled)) or 'none'}"
        if filled["badge"] not in self.badges:
            return f"badge is {filled['badge']!r}"
        shelf = filled["shelf"]
        if type(shelf) is not int or not self.low <= shelf <= self.high:
            return f"shelf is {shelf!r}"
        return None


def draw_form(rng: Random) -> OddForm:
    """Return a form of random codes and a random range."""
    badges = tuple(f"{''.join(rng.sample(LETTERS, 4))}-{rng.randint(2, 9)}" for _ in range(3))
    low = rng.randrange(1_000, 9_000)
    return OddForm(badges, low, low + SPAN)
