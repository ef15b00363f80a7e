"""`Gate`: sentences in, true sentences out, every change recorded.

A claim that a record contradicts or nothing backs is corrected where one truth exists, else its sentence goes; if
that sentence named items, a plain line from their records takes its place. The gate never asks the mind, and the
mind cannot reach it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from agent.gate.comparisons import comparison_faults
from agent.gate.counts import count_faults
from agent.gate.denials import denial_faults
from agent.gate.figures import in_digits, item_numbers
from agent.gate.frames import frame_faults
from agent.gate.grounds import Grounds, Record
from agent.gate.names import name_faults
from agent.gate.numbers import Fault, number_faults
from agent.gate.offers import offer_faults
from agent.gate.plain import mixed_words
from agent.gate.plain import plain as seen_plain
from agent.gate.prompt_quotes import quotes_prompt
from agent.gate.references import MARK, Marked, items_in, mark
from agent.gate.segments import segments
from agent.gate.sentences import SentenceBuffer
from agent.gate.vocabulary import word_set
from agent.gate.words import word_faults
from agent.messages import clean
from agent.money import price_text
from tools.titles import spoken_title, without_links

_HTML = re.compile(r"</?[a-zA-Z!][^<>]{0,200}>|&(?:#\d+|#x[0-9a-f]+|[a-z]+);", re.IGNORECASE)
_TAGS = word_set(
    "a abbr b big blockquote body br button code div em font form h1 h2 h3 h4 h5 h6 head hr html i iframe img input li "
    "link mark meta object ol p pre q s script small span strong style sub sup svg table td th title tr u ul video"
)
_EMPHASIS = re.compile(r"[*`~\"“”«»]|(?<!\w)_+(?=\w)|(?<=\w)_+(?!\w)")
"""What a claim may be dressed in without becoming another; only names and what is put right need it."""
_PARTED = re.compile(r"[,;:.]")
_MARKS = frozenset("\"“”‘'*_`«")
_CARRIES = re.compile(
    r"^\W*(?:(?:it|its|this|that|these|those|they|their|both|each|all|the (?:first|second|"
    r"third|last|other|former|latter))\b"
    r"|(?:colou?rs?|materials?|brand|maker|price|ratings?|sizes?|stock|availability|directors?|actors?|cast|year|"
    r"genres?|language)\W*(?::|\||\bis\b|\bare\b|–)"
    r"|(?:made|crafted|comes?|costs?|rated|priced|available|designed|directed|starring|features|by)\b)",
    re.IGNORECASE,
)
"""How a sentence begins that goes on about the items of the one before."""


@dataclass(frozen=True)
class Change:
    """One thing the gate did: what stood there, what stands there now, and why."""

    action: Literal["corrected", "replaced", "removed", "stripped"]
    reason: str
    before: str
    after: str


@dataclass(frozen=True)
class Passed:
    """A sentence after the gate: `text` as the shopper reads it, `handled` as a mind remembers it (with handles)."""

    text: str
    handled: str


class Gate:
    """Checks one answer as it streams.

    Args:
        grounds: What may be leaned on; tools may still add to it while the answer streams.
        enforce: False lets every claim pass and only puts titles in the place of handles; for the test that shows
            what the gate is worth.

    Attributes:
        named: Item ids in the order the mind first named them.
        changes: What was done, in order.
    """

    def __init__(self, grounds: Grounds, *, enforce: bool = True) -> None:
        self.named: list[str] = []
        self.changes: list[Change] = []
        self._grounds = grounds
        self._enforce = enforce
        self._buffer = SentenceBuffer()
        self._carried: tuple[Record, ...] = ()
        self._at_line_start = True

    def feed(self, delta: str) -> list[Passed]:
        """Take a piece of the mind's text; return the sentences that may be shown now."""
        return [passed for sentence in self._buffer.push(delta) if (passed := self._pass(sentence)).text]

    def finish(self) -> list[Passed]:
        """Return what was still held back."""
        rest = self._buffer.rest()
        passed = self._pass(rest) if rest else Passed("", "")
        return [passed] if passed.text else []

    def drop(self) -> None:
        """Forget what was held back."""
        self._buffer.rest()

    def _pass(self, sentence: str) -> Passed:
        if not sentence.strip():
            return Passed(sentence, sentence)
        if not self._enforce:
            return self._unchecked(sentence)
        plain = item_numbers(self._strip(seen_plain(sentence)))
        if quotes_prompt(plain):
            return self._written(self._changed("removed", ["it quotes the rules of the house"], plain, ""))
        marked = mark(plain, self._grounds)
        # Titles are marked by now, so that no "Five minutes" of theirs is taken for a figure.
        marked = replace(marked, text=in_digits(marked.text))
        items = items_in(marked.text, self._grounds)
        carried = self._carried if _CARRIES.match(plain) else ()
        text = self._check(plain, marked, items, carried)
        self.named.extend(i for i in items if i not in self.named)
        if items:
            self._carried = tuple(self._grounds.record(i) for i in items)
        return self._written(text)

    def _check(self, plain: str, marked: Marked, items: list[str], carried: tuple[Record, ...]) -> str:
        """Return the sentence with its marks as it may stand."""
        faults = self._faults(marked.text, items, carried)
        if not faults and not marked.unknown:
            return marked.text
        reasons = [f.reason for f in faults] + [f"{u!r} was issued by no tool" for u in marked.unknown]
        if not marked.unknown and all(fault.truth is not None for fault in faults):
            text = marked.text
            for fault in sorted(faults, key=lambda f: f.start, reverse=True):
                text = text[: fault.start] + (fault.truth or "") + text[fault.end :]
            if not self._faults(text, items, carried):
                return self._changed("corrected", reasons, plain, text)
        fresh = [i for i in items if i not in self.named]
        tail = plain[len(plain.rstrip()) :]
        if fresh:
            return self._changed("replaced", reasons, plain, self._plainly(fresh, plain) + (tail or " "))
        return self._changed("removed", reasons, plain, "" if self._at_line_start else tail.lstrip(" "))

    def _faults(self, text: str, items: list[str], carried: tuple[Record, ...]) -> list[Fault]:
        grounds, named = self._grounds, len(set(self.named) | set(items))
        parts = segments(text, grounds, carried)
        bare = _EMPHASIS.sub("", text)
        loose = parts if bare == text else segments(bare, grounds, carried)
        settled, miscounted = count_faults(text, grounds, named)
        figures = number_faults(text, parts, grounds, named, settled)
        if bare != text and not figures:
            found = number_faults(bare, loose, grounds, named, count_faults(bare, grounds, named)[0])
            figures = [replace(fault, truth=None) for fault in found]
        return [
            *miscounted,
            *figures,
            *word_faults(bare, loose, grounds),
            *name_faults(text, parts, grounds),
            *comparison_faults(bare, loose, grounds, carried, tuple(self.named)),
            *frame_faults(bare, loose, grounds),
            *denial_faults(bare, grounds),
            *offer_faults(bare, grounds),
            *(Fault(*m.span(), f"{m.group()!r} mixes alphabets") for m in mixed_words(text)),
        ]

    def _changed(
        self, action: Literal["corrected", "replaced", "removed"], reasons: list[str], before: str, after: str
    ) -> str:
        shown = self._written(after).text.strip()
        self.changes.append(Change(action, "; ".join(dict.fromkeys(reasons)), clean(before, 300), shown))
        return after

    def _plainly(self, items: list[str], sentence: str) -> str:
        """Return what the records say of items, in the shape of the sentence they were named in."""
        bullet = re.match(r"\s*(?:[-*•+]\s+|\d{1,2}[.)]\s+)?", sentence)
        lines = []
        for item_id in items:
            item = self._grounds.catalog[item_id]
            price = price_text(item.price, item.currency)
            handle = (self._grounds.book.handle(item_id) or "").lstrip("#")
            lines.append(f"\ue000{handle}\ue001" + (f", {price}" if price else ""))
        return (bullet.group() if bullet else "") + "; ".join(lines) + "."

    def _strip(self, sentence: str) -> str:
        """Take out links, addresses and markup: a shopper clicks on cards, not on what a model wrote."""
        plain = without_links(_HTML.sub(_markup, sentence))
        if plain != sentence:
            self.changes.append(Change("stripped", "links and markup", clean(sentence, 300), clean(plain, 300)))
        return plain

    def _unchecked(self, sentence: str) -> Passed:
        """Put titles in the place of handles, and let everything else through."""
        issued = self._grounds.book.item
        marked = re.sub(r"#(\d+)", lambda m: f"\ue000{m[1]}\ue001" if issued(m.group()) else m.group(), sentence)
        self.named.extend(i for i in items_in(marked, self._grounds) if i not in self.named)
        return self._written(marked)

    def _written(self, text: str) -> Passed:
        if text.strip():
            self._at_line_start = text.endswith("\n")
        return Passed(MARK.sub(self._title, text), MARK.sub(r"#\1", text))

    def _title(self, match: re.Match[str]) -> str:
        item_id = self._grounds.book.item(f"#{match.group(1)}")
        item = self._grounds.catalog.get(item_id) if item_id else None
        if item is None:
            return ""
        title = spoken_title(item.title or item.item_id)
        before = match.string[: match.start()][-1:]
        # A title with commas of its own would run into the next one.
        return f"“{title}”" if _PARTED.search(title) and before not in _MARKS else title


def _markup(match: re.Match[str]) -> str:
    """Keep one word between brackets, which may be an item's id; tags go."""
    inner = match.group()[1:-1].strip()
    return "" if not re.fullmatch(r"[\w.:-]+", inner) or inner.casefold() in _TAGS else match.group()
