"""Whether a model's answer is a caption at all: a refusal or a babble must not become a feature."""

from __future__ import annotations

import re
from collections import Counter

MAX_CHARS = 1500

_REFUSAL = re.compile(
    r"\b(i(?:'|’)?m sorry|i am sorry|i (?:can(?:'|’)?t|cannot|can not|am unable to|(?:'|’)?m unable to|am not able to)|"
    r"as an ai|as a language model|unable to (?:view|see|assist|help|process|describe)|"
    r"no image (?:was )?(?:provided|attached)|(?:don(?:'|’)?t|do not) see (?:an|any) image)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")


def caption_fault(text: str) -> str | None:
    """Return why `text` is no caption, as `reason: detail`, or None when it is one.

    Example:
        >>> caption_fault("A red mug.")
        >>> caption_fault("I am sorry, no.")
        "refusal: 'I am sorry, no.'"
    """
    words = _WORD.findall(text.lower())
    if not words:
        return "empty: the model said nothing"
    if len(text) > MAX_CHARS:
        return f"too long: {len(text)} characters, up to {MAX_CHARS} would be valid"
    if _REFUSAL.search(text[:200]):
        return f"refusal: {text[:120]!r}"
    runs = Counter(zip(words, words[1:], words[2:], strict=False))
    run, times = max(runs.items(), key=lambda pair: pair[1], default=((), 0))
    if times >= 5 and times * 3 > len(words) // 2:
        return f"repetition: {' '.join(run)!r} {times} times"
    return None
