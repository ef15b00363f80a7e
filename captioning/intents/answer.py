"""An LLM's intents, read with distrust: a quote that is not in the text is no evidence, and is counted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

from captioning.intents.base import Extracted, Utterance
from catalog.intents import INTENT_KINDS, OPINIONS, IntentKind, IntentSpan, shown_value
from catalog.plain_text import one_line
from catalog.server_answers import kind_of

MOST = 40
"""Intents of one text; a longer answer is babble, and the rest of it is refused."""
NOT_VERBATIM = "not verbatim"
_BOUNDS = ("max", "min", "about")
_LONGEST_ASPECT = 40


def read_intents(answer: Mapping[str, Any], said: Utterance) -> Extracted:
    """Return the intents of an answer whose words stand in the text, and count the rest by reason."""
    entries = answer.get("intents")
    if not isinstance(entries, list):
        return Extracted(failure=f"form: intents is {kind_of(entries)}; a list would be valid")
    refused: Counter[str] = Counter({"too many": max(0, len(entries) - MOST)})
    spans: list[IntentSpan] = []
    for entry in entries[:MOST]:
        found = _span(entry, said.text, spans)
        if isinstance(found, str):
            refused[found] += 1
        else:
            spans.append(found)
    spans.sort(key=lambda span: (span.start, span.end, span.kind, span.aspect or ""))
    return Extracted(tuple(spans), {reason: count for reason, count in sorted(refused.items()) if count})


def _span(entry: object, text: str, before: list[IntentSpan]) -> IntentSpan | str:
    """Return the intent of an entry, or why it is none."""
    if not isinstance(entry, dict):
        return "no object"
    kind, quote = entry.get("kind"), entry.get("quote")
    if kind not in INTENT_KINDS:
        return "unknown kind"
    place = _place(quote, text, [span for span in before if span.kind == kind])
    if place is None:
        return NOT_VERBATIM
    start, end = place
    aspect, amount, polarity = entry.get("aspect"), entry.get("amount"), entry.get("polarity")
    if kind == "budget":
        number = isinstance(amount, int | float) and not isinstance(amount, bool) and math.isfinite(amount)
        if not number or cast(float, amount) < 0:
            return "budget without an amount"
        bound = aspect if aspect in _BOUNDS else "about"
        return IntentSpan("budget", shown_value(text[start:end]), start, end, bound, amount=float(cast(float, amount)))
    if kind in OPINIONS or kind == "sought":
        against = polarity == -1 if kind == "sought" else kind != "praised"
        polarity = -1 if against else 1
    else:
        polarity = None
    named = one_line(aspect).strip().casefold()[:_LONGEST_ASPECT] if isinstance(aspect, str) else ""
    return IntentSpan(cast(IntentKind, kind), shown_value(text[start:end]), start, end, named or None, polarity)


def _place(quote: object, text: str, taken: list[IntentSpan]) -> tuple[int, int] | None:
    """Return where a quote stands: the first place that no intent of its kind has yet, else None."""
    if not isinstance(quote, str) or not (words := quote.strip()):
        return None
    start = text.find(words)
    while start >= 0:
        if all((start, start + len(words)) != (span.start, span.end) for span in taken):
            return start, start + len(words)
        start = text.find(words, start + 1)
    return None
