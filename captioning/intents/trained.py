"""`trained`: intents without an LLM, by what was learned of the shop and by grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from captioning.intents.base import Extracted, Utterance
from captioning.intents.budgets import budgets
from captioning.intents.encoder import IntentEncoder
from captioning.intents.features import clause_features, word_features
from captioning.intents.language import Clause, Token, clauses, tokens
from captioning.intents.recipients import recipients
from catalog.intents import IntentKind, IntentSpan, shown_value

VERSION = 1
"""Raised when the same encoder would read other intents; stands in every content key."""

LEANING: dict[str, float] = {"praise": 1.0, "complaint": -1.0, "return": -1.0}
"""Log-odds a kind of text brings along."""
A_STAR = 0.6
"""Log-odds of each star above or below three."""
SURE = 0.35
"""Log-odds from which a clause takes a side."""
NEIGHBOUR = 0.4
"""How much the rest of a sentence says about a clause."""

_HOW = re.compile(r"\bhow (?:\w+ ){1,2}(?:it|they) \w+(?: to \w+)?(?: (?:the|my|in) \w+)?", re.IGNORECASE)
_SOUGHT = re.compile(
    r"\b(?:looking|look|searching|search|shopping|hunting) for|in search of|do you (?:have|sell|stock)|show me|"
    r"\b(?:i|we)(?:'m| am|'re| are)? (?:also |really |just )?(?:need|needed|want|wanted|would like|would love|wish for|"
    r"am after|are after|after|interested in|hoping for|hoping to find)\b(?! to (?:like|love|say|thank|return))|"
    r"i'd (?:like|love)(?! to (?:say|thank|return))|could you recommend|can you recommend|any recommendations for",
    re.IGNORECASE,
)
_SENT_BACK = re.compile(
    r"\b(?:return(?:ed|ing)|sen(?:t|ding) (?:it|them|this|these|both) back|refund|took (?:it|them) back|going back|"
    r"went (?:straight )?back)\b",
    re.IGNORECASE,
)
_WITHOUT = frozenset({"without", "no", "not", "non", "except"})


class TrainedIntents:
    """An `IntentExtractor` of a trained encoder."""

    name = "trained"

    def __init__(self, encoder: IntentEncoder, key: str) -> None:
        self.encoder = encoder
        self.model = "clause and word classifiers, trained on the shop"
        self.settings_sha = f"{VERSION}-{key}"

    def extract(self, texts: Sequence[Utterance]) -> list[Extracted]:
        """Return the intents of each text."""
        return [Extracted(self.read(each)) for each in texts]

    def read(self, said: Utterance) -> tuple[IntentSpan, ...]:
        """Return the intents of one text, by place; where two say the same place the first of the grammar wins."""
        fixed = [*budgets(said.text, said.source), *recipients(said.text)]
        found = [span for span in self._opinions(said) if all(not _meet(span, other) for other in fixed)]
        return tuple(sorted([*fixed, *found], key=lambda span: (span.start, span.end, span.kind, span.aspect or "")))

    def _opinions(self, said: Utterance) -> Iterator[IntentSpan]:
        words = tokens(said.text)
        every = [part for clause in clauses(words) for part in self._parts(clause)]
        odds = [self._odds(clause) for clause in every]
        leaning = _leaning(said)
        for at, clause in enumerate(every):
            around = [
                odds[k] if (other.turned - clause.turned) % 2 == 0 else -odds[k]
                for k, other in enumerate(every)
                if other.sentence == clause.sentence and k != at
            ]
            mean = sum(around) / len(around) if around else 0.0
            total = odds[at] + leaning + NEIGHBOUR * mean
            yield from self._clause(said, clause, total)

    def _parts(self, clause: Clause) -> Iterator[Clause]:
        """Yield a clause, in two where both sides of an `and` have an opinion of their own."""
        words, language = clause.tokens, self.encoder.language
        for at, token in enumerate(words):
            sides = (words[:at], words[at + 1 :])
            if token.word == "and" and all(
                any(language.opinion(t.word) for t in side) and len(side) > 1 for side in sides
            ):
                yield Clause(sides[0], clause.sentence, clause.turned)
                yield from self._parts(Clause(sides[1], clause.sentence, clause.turned))
                return
        yield clause

    def _odds(self, clause: Clause) -> float:
        model = self.encoder.polarity
        return model.score(clause_features(clause.tokens, self.encoder.vocabulary, self.encoder.language)) - model.bias

    def _clause(self, said: Utterance, clause: Clause, odds: float) -> Iterator[IntentSpan]:
        words = clause.tokens
        start, end = words[0].start, words[-1].end
        text = said.text[start:end]
        cue = _SOUGHT.search(text)
        if said.source == "query" or cue is not None:
            begun = start + cue.end() if cue is not None else start
            yield from self._sought(said.text, [token for token in words if token.start >= begun])
            return
        kind = self._kind(said, clause, odds)
        if kind is None:
            return
        polarity = 1 if kind == "praised" else -1
        found = [replace(span, kind=kind, polarity=polarity) for span in self._things(said.text, words)]
        found = found or [replace(span, kind=kind, polarity=polarity) for span in self._implied(said.text, words)]
        if not found and said.source == "return" and kind == "returned":
            found = [IntentSpan(kind, shown_value(text), start, end, None, polarity)]
        yield from found

    def _kind(self, said: Utterance, clause: Clause, odds: float) -> IntentKind | None:
        """Return what a clause does, None where it takes no side."""
        if abs(odds) < SURE and said.source != "return":
            return None
        if said.source == "return":
            return "praised" if odds > 2 * SURE else "returned"
        if odds > 0:
            return "praised"
        return "returned" if _SENT_BACK.search(_sentence(said.text, clause)) else "complained_of"

    def _sought(self, text: str, words: Sequence[Token]) -> Iterator[IntentSpan]:
        negated = {token.start for token in words if token.word in _WITHOUT}
        for span in self._things(text, words):
            before = [token for token in words if token.end <= span.start]
            against = bool(before) and any(token.start in negated for token in before[-2:])
            yield replace(span, kind="sought", polarity=-1 if against else 1)

    def _things(self, text: str, words: Sequence[Token]) -> Iterator[IntentSpan]:
        """Yield what is spoken of in a clause; kind and polarity are for the caller to say."""
        if not words:
            return
        start, end = words[0].start, words[-1].end
        ways = [(m.start(), m.end()) for m in _HOW.finditer(text, start, end)]
        yield from (IntentSpan("praised", shown_value(text[a:b]), a, b) for a, b in ways)
        inside = {at for a, b, _ in self.encoder.vocabulary.matches(words) for at in range(a, b)}
        language = self.encoder.language
        held: list[Token] = []
        for at, token in enumerate(words):
            way = any(a <= token.start < b for a, b in ways)
            thing = not way and token.word[0].isalnum() and token.word not in language.function
            if thing and at not in inside:
                told = language.opinion(token.word) or token.word in language.implied
                thing = not told and self._is_aspect(words, at)
            if thing:
                held.append(token)
                continue
            if held:
                yield self._thing(text, held)
                held = []
        if held:
            yield self._thing(text, held)

    def _is_aspect(self, words: Sequence[Token], at: int) -> bool:
        return self.encoder.aspects.score(word_features(words, at, self.encoder.language, named=True)) > 0

    def _thing(self, text: str, words: Sequence[Token]) -> IntentSpan:
        start, end = words[0].start, words[-1].end
        facet = self.encoder.vocabulary.facet([token.word for token in words])
        facet = facet or next((f for t in reversed(words) if (f := self.encoder.language.facets.get(t.word))), None)
        return IntentSpan("praised", shown_value(text[start:end]), start, end, facet)

    def _implied(self, text: str, words: Sequence[Token]) -> Iterator[IntentSpan]:
        """Yield opinions that name what they are about: "expensive" is about the price."""
        for token in words:
            if facet := self.encoder.language.implied.get(token.word):
                yield IntentSpan("praised", shown_value(text[token.start : token.end]), token.start, token.end, facet)


def _sentence(text: str, clause: Clause) -> str:
    start, end = clause.tokens[0].start, clause.tokens[-1].end
    before = max(text.rfind(mark, 0, start) for mark in ".!?\n")
    after = min((at for mark in ".!?\n" if (at := text.find(mark, end)) >= 0), default=len(text))
    return text[before + 1 : after]


def _leaning(said: Utterance) -> float:
    stars = A_STAR * (said.stars - 3) if said.stars is not None and said.source == "review" else 0.0
    return LEANING.get(said.source, 0.0) + stars


def _meet(one: IntentSpan, other: IntentSpan) -> bool:
    return one.start < other.end and other.start < one.end
