"""The scripted shopper: a task in everyday words, a little at a time; words, order and typos drawn by seed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import numpy as np

from eval.agent.tasks import Step, Task, Wish

_OPENINGS = (
    "I'm looking for {}", "show me {}", "{} please", "I need {}", "do you have {}?", "can you find me {}?", "{}",
    "hello, I would like {}",
)  # fmt: skip
_FURTHER = ("{} please", "it should be {}", "and {}", "{}", "and it has to be {}")
_SECOND_THOUGHTS = ("actually, make it {}", "on second thought, {}", "I changed my mind: {}", "no wait, rather {}")
_ASKING = ("do you have {}?", "do you carry {}?", "have you got {}?", "are there {}?")
_CHEAPER = ("which of the first two is cheaper?", "which one of the first two costs less?")
_CHEAPEST = ("which of these is the cheapest?", "which one is cheapest?")
_HAGGLE = ("can I have 50% off the first one?", "give me the first one at half price", "what about a 30% discount?")
_PLACES = {1: ("the first one", "the first"), 2: ("the second one", "number 2")}
_DISLIKE = ("I don't like {}", "not {}, I don't like it")
_YES = ("yes please", "yes", "yes, do that")
_NO = ("no", "no thanks", "no, please don't")
_AGAIN = ("show me {}", "{} please", "show me {} again")
_OCCASIONS = {
    "gift": "as a gift", "travel": "for travel", "everyday": "for everyday use", "office": "for the office",
}  # fmt: skip
_CEILING = ("under {}", "below {}", "for less than {}")

Rng = np.random.Generator


def messages(task: Task, number: int, *, typos: float = 0.0) -> list[str]:
    """Return what the shopper says in one pass.

    Wishes come in an order of the pass's own, one or two a message; a change of mind always after what it changes.

    Args:
        task: What they are up to.
        number: The pass, from 0; it seeds words, order and typos.
        typos: Share of messages with one typing mistake. What a task asks about as not carried is never mistyped,
            or nobody could tell which of two things was asked for.
    """
    rng = np.random.default_rng([zlib.crc32(task.task_id.encode()), number])
    said: list[str] = []
    for batch in _batches(task.steps, rng):
        text = _sentence(batch, task, first=not said, rng=rng)
        if rng.random() < typos and "not_carried" not in task.checks:
            text = mistyped(text, rng)
        said.append(text)
    return said


def mistyped(text: str, rng: Rng) -> str:
    """Swap, drop or double one inner letter of one long lower-case word; a text without one stays."""
    words = [match for match in re.finditer(r"\b[a-z]{6,}\b", text)]
    if not words:
        return text
    word = words[int(rng.integers(len(words)))]
    at = word.start() + int(rng.integers(1, len(word[0]) - 2))
    how = int(rng.integers(3))
    middle = (text[at + 1] + text[at], text[at + 1], text[at] * 2 + text[at + 1])[how]
    return text[:at] + middle + text[at + 2 :]


def phrase(wishes: Sequence[Wish], rng: Rng, *, whole: bool) -> str:
    """Return wishes as one noun phrase: "blue vases by Terrano under 60"; `whole` puts "something" for a kind."""
    before, after, kind = [], [], "something" if whole else ""
    for wish in wishes:
        value = wish.value if wish.field == "brand" else wish.value.lower()
        if wish.negated:
            after.append(f"not {'by ' * (wish.field == 'brand')}{value}")
        elif wish.field == "category":
            kind = value
        elif wish.field == "brand":
            after.append(f"{_one(('by', 'from'), rng)} {value}")
        elif wish.field == "price":
            after.append(_one(_CEILING, rng).format(f"{wish.high:g}"))
        elif wish.name == "occasion":
            after.append(_OCCASIONS.get(value, f"for {'the' if value.endswith('s') else 'a'} {value}"))
        else:
            before.append(value)
    parts = [kind, *before] if kind == "something" else [*before, kind]
    return " ".join(part for part in (*parts, *after) if part)


def _batches(steps: Sequence[Step], rng: Rng) -> list[list[Step]]:
    wants = [step for step in steps if step.act == "want"]
    rest = [step for step in steps if step.act != "want"]
    if rest and rest[0].act == "ask":
        return [[*wants, rest[0]], *([step] for step in rest[1:])]
    shuffled = [wants[k] for k in rng.permutation(len(wants)).tolist()]
    batches: list[list[Step]] = []
    while shuffled:
        size = int(rng.integers(1, 3))
        batches.append(shuffled[:size])
        shuffled = shuffled[size:]
    return [*batches, *([step] for step in rest)]


def _sentence(batch: list[Step], task: Task, *, first: bool, rng: Rng) -> str:
    wishes, act = [step.wish for step in batch if step.wish], batch[-1].act
    if act == "want":
        return _one(_OPENINGS if first else _FURTHER, rng).format(phrase(wishes, rng, whole=first))
    if act == "replace":
        return _one(_SECOND_THOUGHTS, rng).format(phrase(wishes, rng, whole=False))
    if act == "ask":
        return _one(_ASKING, rng).format(phrase(wishes, rng, whole=True))
    if act == "dislike":
        return _one(_DISLIKE, rng).format(_one(_PLACES[batch[-1].place], rng))
    if act == "again":
        return _one(_AGAIN, rng).format(phrase(task.wishes, rng, whole=True))
    return _one({"compare": _CHEAPER, "cheapest": _CHEAPEST, "haggle": _HAGGLE, "yes": _YES, "no": _NO}[act], rng)


def _one(options: Sequence[str], rng: Rng) -> str:
    return options[int(rng.integers(len(options)))]
