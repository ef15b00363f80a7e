"""`Gist`: everything one clause says, before it is decided what it asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from agent.understanding import everyday, lexicon, nouns, plots, recipients
from agent.understanding.discourse import plain
from agent.understanding.mentions import Meanings, Mention, mentions
from agent.understanding.moods import refusal, spoiling
from agent.understanding.negation import refusals, scopes
from agent.understanding.quantities import PriceBound, Years, combined, counts, orders, price_bounds, spans
from agent.understanding.references import Reference, references
from agent.understanding.roles import in_roles
from agent.understanding.title_phrases import title_phrases
from agent.understanding.titles import Titled, blanked, titles
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.wish import Sort
from agent.understanding.words import Word, keys, singular, split

_PEOPLE = re.compile(
    rf"\b(?:for|my|our|his|her|gift|present)\s+(?:(?:my|our|his|her|a|an|the|some|your)\s+)?"
    rf"(?:(?:old|young|little|new|dear|teenage|elder|older|younger|eldest|youngest|best|baby|\d+[ -]year[ -]old)\s+)?"
    rf"(?P<who>{lexicon.PEOPLE})\b(?:'s)?|"
    rf"\bfor (?P<pronoun>him|her|them)\b"
)
_OWN = re.compile(
    r"\bfor myself\b|(?<!pick )(?<!choose )(?<!\bone )(?<!\bit )(?<!these )(?<!them )(?<!something )\bfor me\b(?! to\b)"
)
"""For the shopper; "pick one for me" is said of presents too."""
_OCCASION = re.compile(rf"\b(?P<what>{lexicon.OCCASIONS})\b")
_TOLD = tuple((re.compile(rf"\b(?:{phrase})"), name) for phrase, name in lexicon.OCCASION_PHRASES)
_GIFT = re.compile(r"\b(?:gifts?|presents?)\b")
_FOR = re.compile(r"\b(?:for|my|our|his|her|their)\s+(?:[a-z']+\s+){0,2}$")
_DROP = re.compile(
    r"\b(?:never ?mind|forget(?: about)?|ignore|regardless of|no matter|whatever|any|drop|don'?t care(?: about)?|"
    r"don'?t mind|not important)\s+(?:the |what |which |about )*(?P<after>[a-z]+)\b"
    r"|\b(?P<before>[a-z]+) (?:doesn'?t|does not|don'?t|isn'?t) (?:really )?(?:matter|important)\b"
)
_CHEAPER = re.compile(
    r"\b(?:cheaper|less expensive|less pricey|lower[ -]priced?|too (?:expensive|pricey|dear|much money))\b"
)
_DEARER = re.compile(r"\b(?:more expensive|pricier|higher[ -]end|more luxurious|too cheap)\b")
_STOCK = re.compile(r"\b(?:in stock|available(?: now| right now| today)?|ready to ship)\b")
_MAKER = re.compile(r"\b(?:by|from|made by|brand|directed by)\s+(?P<maker>[a-z][a-z'-]+)")
_CONTRACTED = re.compile(r"'(?:ve|re|ll|d|m|s|t)$")
_NEWER = re.compile(r"\b(?:newer|more recent|later|more modern) (?:ones?|films?|movies?|books?|things?|releases?)\b|"
                    r"\b(?:something|anything|films?|movies?|ones?|books?|things?) (?:newer|more recent|more modern)\b|"
                    r"^(?:(?:rather|and|but|maybe|no),? )*(?:newer|more recent)(?: please)?$")  # fmt: skip
_OLDER = re.compile(r"\b(?:older|earlier) (?:ones?|films?|movies?|books?)\b|"
                    r"\b(?:something|anything|films?|movies?|ones?|books?|things?) (?:older|earlier|more classic)\b|"
                    r"^(?:(?:rather|and|but|maybe|no),? )*(?:older|earlier)(?: please)?$")  # fmt: skip
_PRICE_WORDS = frozenset({"price", "budget", "cost", "money"})


Relative = Literal["cheaper", "dearer", "newer", "older"]


@dataclass(frozen=True, slots=True)
class Gist:
    """One clause taken apart; every part may be absent.

    Attributes:
        text: The folded clause.
        mentions: What it names of the catalogue, negated or not.
        words: Free words left over that no facet knows, in order.
        denied_words: Free words the shopper does not want.
        unknown: Free words nothing in the shop carries.
        strangers: Those of them that were named as a maker.
        references: What it points at.
        price: The price bound, the last one said.
        count: How many.
        sort: In which order.
        relative: Cheaper, dearer, newer or older than something.
        recipient: For whom.
        own: Whether it is for the shopper themselves, and for nobody else any more.
        occasion: For what.
        drops: Facet names no longer to matter ("colour", "price"), or values ("leather").
        years: A span of years or several ("the 90s", "from 1995").
        noun: What it calls the things it wants: "crime films".
        in_stock: Whether only what is in stock will do.
        titles: What it names by title, to speak of it.
        titled: Names of titles it asks for; they stand in `words` too.
    """

    text: str
    mentions: tuple[Mention, ...] = ()
    words: tuple[str, ...] = ()
    denied_words: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    price: PriceBound | None = None
    count: int | None = None
    sort: Sort | None = None
    relative: Relative | None = None
    noun: str | None = None
    recipient: str | None = None
    own: bool = False
    occasion: str | None = None
    drops: tuple[str, ...] = ()
    years: Years | None = None
    in_stock: bool = False
    titles: tuple[Titled, ...] = ()
    titled: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[Mention, ...]:
        """What it names and wants."""
        return tuple(m for m in self.mentions if not m.negated)

    @property
    def denied(self) -> tuple[Mention, ...]:
        """What it names and does not want."""
        return tuple(m for m in self.mentions if m.negated)

    @property
    def categories(self) -> tuple[Mention, ...]:
        """Kinds of things it wants."""
        return tuple(m for m in self.wanted if m.term.kind == "category")

    @property
    def pointed(self) -> tuple[Reference, ...]:
        """References other than bare pronouns."""
        return tuple(r for r in self.references if r.shape != "pronoun")

    @property
    def bare(self) -> bool:
        """Whether it says nothing a search could use."""
        return not (self.mentions or self.words or self.denied_words or self.price or self.sort or self.relative)


def gist(text: str, listed: int, vocabulary: Vocabulary, meanings: Meanings | None = None) -> Gist:
    """Take a folded clause apart.

    Args:
        text: The clause, spelling mended.
        listed: How many items the last list had; without a list nothing can be pointed at by place.
        vocabulary: The catalogue's words.
        meanings: Synonyms, None for none.
    """
    named = titles(text, vocabulary)
    said, text = text, plain(blanked(text, named))
    plot, text = plots.taken(text)
    bounds = price_bounds(text) if vocabulary.priced else []
    counted, sorts, refs = counts(text), orders(text), references(text, listed)
    claimed = [(b.start, b.end) for b in bounds]
    claimed += [(c.start, c.end) for c in counted] + [(s.start, s.end) for s in sorts]
    claimed += [(r.start, r.end) for r in refs if r.shape != "described"]
    claimed += [m.span() for pattern in (_STOCK, _CHEAPER, _DEARER) for m in pattern.finditer(text)]
    years, dated = spans(text) if vocabulary.years(1900, 2030) else (None, [])
    claimed += dated
    than = _relative(text, dated=years is not None)
    claimed += [m.span() for pattern in (_NEWER, _OLDER) for m in pattern.finditer(text) if than in ("newer", "older")]
    drops, dropped = _drops(text, vocabulary)
    claimed += dropped
    recipient, occasion, personal = _people(text, vocabulary)
    claimed += personal
    told, occasions = _told(text, vocabulary, claimed)
    made, aged = recipients.made_for(text, vocabulary, _PEOPLE)
    if occasion and (kind := everyday.occasion(occasion, vocabulary)) is not None:
        at = text.index(occasion)
        made.append(Mention(at, at + len(occasion), kind, "meaning", kind.values[0]))
    claimed += aged
    free = [word for word in split(text) if not _inside(word, claimed)]
    denied_scopes = scopes(text, claimed)
    phrases = title_phrases(text, free, vocabulary)
    phrased = [(each.start, each.end) for each in phrases]
    free = [word for word in free if not _inside(word, phrased)]
    found = in_roles(text, mentions(text, free, vocabulary, meanings, denied_scopes), vocabulary)
    named_at = [*((mention.start, mention.end) for mention in found), *refusals(text)]
    left = [word for word in free if _is_content(word, vocabulary) or _is_grade(word, free, vocabulary)]
    left = [word for word in left if not _inside(word, named_at)]
    words = tuple(lexicon.COMPARATIVES.get(w.text, w.text) for w in left if not _inside(w, denied_scopes))
    denied_words = tuple(w.text for w in left if _inside(w, denied_scopes))
    unwanted = [each for each in phrases if any(start <= each.start < end for start, end in denied_scopes)]
    titled = tuple(each.text for each in phrases if each not in unwanted)
    refused = [w for w in left if _inside(w, denied_scopes) and everyday.refused(w.text, vocabulary)]
    found += [m for w in refused if (m := refusal(w, found, vocabulary)) is not None]
    denied_words = tuple(word for word in denied_words if word not in {w.text for w in refused})
    found += spoiling(text, found, denied_scopes, vocabulary)
    unknown = tuple(w for w in words if w not in lexicon.OPPOSITES and not vocabulary.knows(singular(w)))
    makers = {match["maker"] for match in _MAKER.finditer(text)}
    people = [mention for mention in found if everyday.whom(keys(mention.text))]
    served = recipients.serving(people, found, words, vocabulary)
    lost = [mention for mention in people if mention not in served]
    found = [mention for mention in found if mention not in lost]
    words += tuple(mention.text for mention in lost if not mention.negated)
    made = recipients.serving(recipients.besides(text, made, found, denied_scopes), found, words, vocabulary)
    warm = everyday.warming(text, vocabulary)
    if warm is not None and not any(mention.term.kind == "category" for mention in (*found, *made)):
        told_by, term = warm
        made = [*made, Mention(*told_by.span(), term, "meaning", told_by.group())]
        words, unknown = (tuple(w for w in each if w not in told_by.group().split()) for each in (words, unknown))
    return Gist(
        text=said,
        mentions=tuple(sorted((*found, *occasions, *made), key=lambda mention: mention.start)),
        words=(*titled, *plot, *words),
        denied_words=(*(each.text for each in unwanted), *denied_words),
        titled=titled,
        unknown=unknown,
        strangers=tuple(word for word in unknown if word in makers),
        references=tuple(refs),
        price=combined(bounds),
        count=counted[-1].number if counted else None,
        sort=sorts[-1].sort if sorts else None,
        relative=than,
        noun=nouns.called(text, found, vocabulary),
        recipient=recipient,
        own=recipient is None and _OWN.search(text) is not None,
        occasion=occasion or told,
        drops=drops,
        years=years,
        in_stock=bool(_STOCK.search(text)),
        titles=tuple(named),
    )


def _relative(text: str, *, dated: bool) -> Relative | None:
    forms: tuple[tuple[Relative, re.Pattern[str]], ...] = (
        ("cheaper", _CHEAPER), ("dearer", _DEARER), ("newer", _NEWER), ("older", _OLDER),
    )  # fmt: skip
    return next((name for name, pattern in forms[: 2 if dated else 4] if pattern.search(text)), None)


def _is_content(word: Word, vocabulary: Vocabulary) -> bool:
    if vocabulary.facet_named(singular(word.text)) is not None:
        return False
    if not word.is_word or {word.text, singular(word.text)} & (lexicon.FILLERS | lexicon.GENERIC_NOUNS):
        return False
    if _CONTRACTED.search(word.text):
        return False
    return len(word.text) > 1 and (not word.text.isdigit() or len(word.text) == 4)


def _is_grade(word: Word, free: list[Word], vocabulary: Vocabulary) -> bool:
    """Whether a number belongs to the word before it: "SPF 50", "Chanel No 5"."""
    before = next((each for each in free if each.end == word.start - 1), None)
    if not word.text.isdigit() or before is None or not before.text.isalpha():
        return False
    return _is_content(before, vocabulary) and vocabulary.knows(singular(before.text))


def _drops(text: str, vocabulary: Vocabulary) -> tuple[tuple[str, ...], list[tuple[int, int]]]:
    names, spans = [], []
    for match in _DROP.finditer(text):
        word = singular(match["after"] or match["before"])
        value = vocabulary.term((word,)) if not match.group().startswith("any ") else None
        if word in _PRICE_WORDS or vocabulary.facet_named(word) or value:
            names.append(word)
            spans.append(match.span())
    return tuple(names), spans


def _people(text: str, vocabulary: Vocabulary) -> tuple[str | None, str | None, list[tuple[int, int]]]:
    """Return recipient, occasion and their places; a word the catalogue has a facet for is left to the facet."""
    spans: list[tuple[int, int]] = []
    recipient = occasion = None
    for match in _OCCASION.finditer(text):
        before = text[: match.start()]
        given = _GIFT.search(text) or _FOR.search(before)
        if given and vocabulary.term(keys(match["what"])) is None and not _within(match.span(), spans):
            occasion = occasion or match["what"]
            spans.append(match.span())
    for match in _PEOPLE.finditer(text):
        who = match["who"]
        if any(match.start() < end and start < match.end() for start, end in spans):
            continue  # "for mother's day" names a day
        if who is None:
            spans.append(match.span())
        elif vocabulary.term(keys(who)) is None:
            recipient = recipient or who
            spans.append(match.span())
    return recipient, occasion, spans


def _told(text: str, vocabulary: Vocabulary, claimed: list[tuple[int, int]]) -> tuple[str | None, list[Mention]]:
    """Return the occasion told without its name ("getting married"), as what the catalogue calls it where it does."""
    for pattern, name in _TOLD:
        match = pattern.search(text)
        if match and not _within(match.span(), claimed):
            claimed.append(match.span())
            term = vocabulary.term(keys(name))
            return (None, [Mention(*match.span(), term, "meaning", name)]) if term else (name, [])
    return None, []


def _inside(word: Word, spans: list[tuple[int, int]]) -> bool:
    return any(start <= word.start < end for start, end in spans)


def _within(span: tuple[int, int], spans: list[tuple[int, int]]) -> bool:
    return any(start <= span[0] < end for start, end in spans)
