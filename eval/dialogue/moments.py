"""Every point of a dialogue at which an answer can be judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.base import PastMessage
from eval.dialogue.config import Counted
from eval.dialogue.nouns import Dialogue, Mention
from eval.dialogue.titles import TitleIndex


@dataclass(frozen=True, slots=True)
class Moment:
    """A message of a shopper, and what would fit.

    Attributes:
        number: Which of the shopper's turns it is, from 1.
        message: What the shopper says.
        before: Everything said before it, oldest first, each with the shop's items named in it.
        targets: Item ids that fit, none of them mentioned so far.
        mentioned: Item ids that are no answer any more.
    """

    number: int
    message: str
    before: tuple[PastMessage, ...]
    targets: frozenset[str]
    mentioned: frozenset[str]


@dataclass(frozen=True, slots=True)
class Judged:
    """A dialogue with its moments, oldest first."""

    dialogue_id: str
    moments: tuple[Moment, ...]


@dataclass
class Mapped:
    """What became of targets and turns on the way to the catalogue.

    Attributes:
        found: Targets that are items of the shop.
        missed: Targets that are none, by reason.
        titles: How often each title was missed.
        skipped: Turns that named a target and could not be judged, by reason.
    """

    found: int = 0
    missed: Counter[str] = field(default_factory=Counter)
    titles: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def items(self, titles: TitleIndex, mentions: Iterable[Mention], *, count: bool = True) -> tuple[str, ...]:
        """Return the items of `mentions` that the shop has, each once."""
        found: dict[str, None] = {}
        for mention in mentions:
            item_id, miss = titles.find(mention)
            if item_id is not None:
                found[item_id] = None
            elif count:
                self.missed[str(miss)] += 1
                self.titles[mention.title or mention.item_id or "(no title)"] += 1
        self.found += len(found) if count else 0
        return tuple(found)


def judged_dialogue(dialogue: Dialogue, titles: TitleIndex, counted: Counted, told: Mapped) -> Judged:
    """Return the moments of a dialogue: each recommender's turn that names a target for the first time, or its end.

    A turn that opens the dialogue answers nobody, and is skipped.

    Args:
        dialogue: As it was read.
        titles: The shop's items.
        counted: Which named items are targets.
        told: Gets what could not be mapped or judged.
    """
    named = set(told.items(titles, dialogue.mentioned, count=False))
    before: list[PastMessage] = []
    moments: list[Moment] = []

    def judge(targets: tuple[Mention, ...]) -> None:
        fits = frozenset(told.items(titles, targets))
        users = [past for past in before if past.role == "user"]
        if not fits:
            told.skipped["no target in the shop"] += 1
        elif not fits - named:
            told.skipped["every target mentioned before"] += 1
        elif not users:
            told.skipped["the recommender began"] += 1
        else:
            moments.append(Moment(len(users), before[-1].text, tuple(before[:-1]), fits - named, frozenset(named)))

    for turn in dialogue.turns:
        if turn.role == "assistant" and not dialogue.targets:
            wanted = turn.mentions if counted == "named" else turn.liked or ()
            if wanted:
                judge(wanted)
        here = told.items(titles, turn.mentions, count=False)
        named.update(here)
        before.append(PastMessage(turn.role, turn.text, here))
    if dialogue.targets:
        judge(dialogue.targets)
    return Judged(dialogue.dialogue_id, tuple(moments))
