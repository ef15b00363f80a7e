"""Where one wish ends and the next begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_SENTENCE = re.compile(r"(?<!\bno)(?<!\bnr)[.!?;]+(?=\s|$)")
_JOINT = re.compile(
    r"\s*(?:,?\s*\band also\b|,?\s*\bplus\b|,?\s*\bas well as\b|,?\s*\balso\b|,\s*(?:and\s+)?|\band\b|&)\s+"
    r"(?=(?:i (?:also )?(?:need|want)|i'?d like|a|an|some|another|one|two|three|show me|find me|also|"
    r"maybe a|maybe some|matching)\b)"
)
MAX_CLAUSES = 6


def clauses(text: str, kinds: Callable[[str], Sequence[tuple[int, frozenset[str]]]]) -> list[str]:
    """Return the clauses of a folded text.

    Sentences part at their marks. Within one, "a lamp under 50 and a blue mug" are two wishes: it parts where an
    article begins a new one and both sides name kinds of things, different ones.

    Args:
        text: The folded text.
        kinds: Where a stretch of text names which kinds of things.
    """
    found: list[str] = []
    for sentence in _SENTENCE.split(text):
        rest, parts = sentence.strip(" ,"), list[str]()
        joints = list(_JOINT.finditer(rest))[-MAX_CLAUSES:]
        named = kinds(rest) if joints else ()
        for joint in reversed(joints):
            left, right = rest[: joint.start()], rest[joint.end() :]
            before = frozenset[str]().union(*(values for at, values in named if at < joint.start()))
            after = frozenset[str]().union(*(values for at, values in named if joint.end() <= at < len(rest)))
            if before and after and not before & after:
                rest, parts = left, [right, *parts]
        found += [part for part in (rest, *parts) if part]
    return found[:MAX_CLAUSES]
