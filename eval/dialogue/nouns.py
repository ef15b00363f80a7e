"""A recorded conversation, whichever form it was published in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from catalog.errors import DataError

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Mention:
    """An item as a file names it.

    Attributes:
        title: Its title, with the year in brackets where the file knows it.
        item_id: Its id. Beside a title it only decides between items of that title, since the ids of a published
            file are not the shop's; alone it is the shop's own.
    """

    title: str | None = None
    item_id: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said until the other spoke, and the items named in it.

    `liked` holds those of `mentions` that the seeker's answer form says were liked; None without a form.
    """

    role: Role
    text: str
    mentions: tuple[Mention, ...] = ()
    liked: tuple[Mention, ...] | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A conversation; its turns alternate.

    Attributes:
        dialogue_id: As the file gives it.
        turns: Oldest first.
        targets: What fits at the end, in a file that says so for the whole dialogue; then the last turn is the
            shopper's. Elsewhere empty: what a recommender's turn names is what fitted there.
        mentioned: Items that are no answer anywhere in it, beside those the turns name.
    """

    dialogue_id: str
    turns: tuple[Turn, ...]
    targets: tuple[Mention, ...] = ()
    mentioned: tuple[Mention, ...] = ()


class BadDialogue(DataError):
    """Why one dialogue is not used: `reason` for counting, `detail` with the value and what would be valid."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def alternating(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return turns with neighbours of one side joined and those that say nothing left out."""
    joined: list[Turn] = []
    for turn in turns:
        if not turn.text.strip():
            continue
        if joined and joined[-1].role == turn.role:
            before = joined.pop()
            liked = None if before.liked is None and turn.liked is None else (before.liked or ()) + (turn.liked or ())
            turn = Turn(turn.role, f"{before.text}\n{turn.text}", before.mentions + turn.mentions, liked)
        joined.append(turn)
    return tuple(joined)
