"""What shoppers tell of themselves: likes, dislikes, sizes, a budget; each with their own words and the moment."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

ToldKind = Literal["like", "dislike", "size", "budget"]
KINDS: tuple[str, ...] = get_args(ToldKind)


@dataclass(frozen=True, slots=True)
class Told:
    """One thing a shopper told of themselves.

    Attributes:
        kind: What it is.
        facet: Of which facet `value` is one: `category`, `brand`, `size`, `price`, `attribute.<name>`, or `word` for a
            word of the shop that is of no facet.
        value: As the catalogue spells it; an amount of money with a budget.
        words: The sentence it was read from, as the shopper wrote or said it.
        told_at: When, aware UTC; told again, it is the last time.
        session_id: The conversation.
        request_id: The turn of it.
        about: The kind of thing a size is of ("shoes"); None for any.
    """

    kind: ToldKind
    facet: str
    value: str
    words: str
    told_at: datetime
    session_id: str | None = None
    request_id: str | None = None
    about: str | None = None

    @property
    def entry_id(self) -> str:
        """What names it among the shopper's entries, and gives nothing away.

        What is told anew takes the place of what was told before: another size of the same things, another budget,
        a taste that has turned.
        """
        same = {"size": (self.about or "",), "budget": ()}.get(self.kind, (self.facet, self.value.casefold()))
        what = "taste" if self.kind in ("like", "dislike") else self.kind
        return f"told-{hashlib.sha256(chr(0).join((what, *same)).encode()).hexdigest()[:12]}"

    @property
    def amount(self) -> float:
        """The most to be spent, with a budget."""
        return float(self.value)

    def sentence(self) -> str:
        """Return it as said to the shopper, after "you": "wear size M", "do not like red", "spend up to 50"."""
        match self.kind:
            case "size":
                return f"wear size {self.value}" + (f" in {self.about}" if self.about else "")
            case "budget":
                return f"spend up to {self.value}"
            case "like":
                return f"like {self.value}"
            case _:
                return f"do not like {self.value}"

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON-ready values, with its id and sentence."""
        return {
            "entry_id": self.entry_id,
            "kind": self.kind,
            "facet": self.facet,
            "value": self.value,
            "about": self.about,
            "text": f"You {self.sentence()}.",
            "words": self.words,
            "told_at": self.told_at.isoformat(),
            "session_id": self.session_id,
            "request_id": self.request_id,
        }
