"""Words that are a title rather than a wish: "the Star Wars films" wants no war films, "do you have Heat?" one film."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from agent.understanding import everyday
from agent.understanding.lexicon import FILLERS, GENERIC_NOUNS
from agent.understanding.mentions import runs
from agent.understanding.terms import Phrase, Term
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import Word, keys, singular

SERIES = 3
"""Titles in which words must stand together to be a name, where they are no whole title."""

_KIND = r"(?:(?:the |any |all |of |that |your )*(?:movies?|films?|books?|series|albums?|songs?|games?) )?"
_POLITE = r"(?:(?:hi|hello|hey|so|and|ok|okay|well|um|please|yes|no)[, ]+)*"
_ASKED = re.compile(
    rf"{_POLITE}(?:(?:(?:do|would|did) you (?:also |by any chance |happen to )?(?:have|carry|sell|stock|know)|"
    r"have you (?:got|seen)?|you (?:have|got)|got|is there|are there|is|where (?:is|can i (?:find|get|see|watch))|"
    r"show me|find(?: me)?|i(?:'m| am) (?:looking|searching) for|looking for|searching for|"
    r"i(?:'d like| want| would like| wanna)(?: to (?:see|watch|read|buy|get|find))?|can i (?:get|have|see|buy|watch)|"
    rf"give me|what about|how about|i need|search for) )?(?:all (?:of )?|any (?:of )?)?{_KIND}"
    r"[\"']?(?:the )?(?P<title>.+?)[\"']?(?P<series> (?:movies|films|books|series))?"
    r"(?:,? (?:in stock|available|here|please|today|on dvd|on blu-?ray|then|too|as well|at all))*[ ?.!]*"
)
_FACT = re.compile(
    rf"{_POLITE}(?:(?:who|which (?:director|actors?|author|artist|brand)) (?:\w+ )?(?:directed|made|wrote|makes|is in|"
    r"are in|was in|were in|stars in|starred in|star in|acted in|acts in|plays in|played in|sings|did)|"
    r"(?:when|where) (?:was|is|did|were)|(?:what|which) (?:\w+ )?(?:year|language|country|genre|colou?r|brand|size|"
    r"kind of \w+) (?:is|was|did|does|has)|how (?:much|long|old|big|good|expensive) (?:is|does|was)|"
    r"(?:can you )?tell me (?:more |something )?about|"
    r"(?:what is|what's|what was|what are) (?:the )?(?:(?:plot|story|price|director|cast|colour|color|material|genre|"
    r"language|year|brand|rating|actors|name of the director) (?:of|in|for)|about)?|"
    r"(?:more )?(?:details?|information|info) (?:of|on|about|for)|describe|is) "
    rf"{_KIND}[\"']?(?P<title>.+?)[\"']?"
    r"(?: (?:about|made|released|come out|filmed|shot|set|cost|in|made of|from|rated|available|in stock|any good|"
    r"directed by|by|out))*[ ?.!]*"
)


@dataclass(frozen=True, slots=True)
class TitlePhrase:
    """A stretch [start, end) of a text whose words stand in titles together."""

    start: int
    end: int
    text: str


def title_phrases(text: str, free: Sequence[Word], vocabulary: Vocabulary) -> list[TitlePhrase]:
    """Return the names of titles in a folded text, the longest first, that words of a facet would otherwise claim.

    Words of which one is a facet's are a name where they begin several titles, or are one, and most of those items are
    not of that facet: "star wars". A clause that asks for a title and nothing else is a name too.
    """
    asked = _ASKED.fullmatch(text)
    if asked is not None and is_title(asked["title"], vocabulary):
        return [TitlePhrase(asked.start("title"), asked.end("title"), asked["title"])]
    found: list[TitlePhrase] = []
    for run in runs(text, free):
        for length in range(min(len(run), 5), 1, -1):
            for at in range(len(run) - length + 1):
                part = run[at : at + length]
                start, end = part[0].start, part[-1].end
                if any(each.start < end and start < each.end for each in found):
                    continue
                if not {part[0].text, part[-1].text} & (FILLERS | GENERIC_NOUNS) and _names(part, text, vocabulary):
                    found.append(TitlePhrase(start, end, text[start:end]))
    return found


def is_title(said: str, vocabulary: Vocabulary) -> bool:
    """Whether words are a title and do not just describe things of its kind, as "strap top" does."""
    if vocabulary.title(said) is None:
        return False
    phrase = keys(said)
    if all(word in FILLERS or word in GENERIC_NOUNS for word in phrase) or vocabulary.exact(phrase) is not None:
        return False
    if vocabulary.term(phrase) or everyday.meant(phrase, vocabulary):
        return False
    return not _covered(phrase, vocabulary.title_rows(phrase), _facets(phrase, vocabulary), vocabulary)


def fact_title(text: str, vocabulary: Vocabulary) -> str | None:
    """Return the title a folded text asks a fact about ("who directed Heat?"), as the catalogue writes it."""
    asked = _FACT.fullmatch(text)
    if asked is None or not is_title(asked["title"], vocabulary):
        return None
    return vocabulary.title(asked["title"])


_ABOUT = (
    ("director", re.compile(r"\bdirect(?:ed|or)\b")),
    ("actors", re.compile(r"\b(?:actors?|cast|stars?|starred|acted|acts|plays|played|(?:is|are|was|were) in)\b")),
    ("country", re.compile(r"\bwhere\b|\bcountry\b")),
    ("brand", re.compile(r"\bwho (?:makes|made)\b|\bbrand\b")),
    ("price", re.compile(r"\bhow (?:much|expensive)\b|\bprice\b|\bcost\b")),
    ("rating", re.compile(r"\brat(?:ed|ing)\b|\bhow good\b|\bany good\b")),
    ("available", re.compile(r"\b(?:in stock|available)\b")),
    ("description", re.compile(r"\bplot\b|\bstory\b|\babout\b|\bdescribe\b")),
)


def fact_asked(text: str, vocabulary: Vocabulary) -> str | None:
    """Return which field or attribute a question asks for by name or by its verb, None when for none in particular."""
    for match in re.finditer(r"\b(?:what|which|whose|the) (?P<name>[a-z]+)\b", text):
        named = vocabulary.facet_named(singular(match["name"]))
        if named is not None:
            return named[1] or named[0]
    return next((name for name, pattern in _ABOUT if pattern.search(text)), None)


def _names(part: Sequence[Word], text: str, vocabulary: Vocabulary) -> bool:
    phrase = tuple(singular(word.text) for word in part)
    facets = _facets(phrase, vocabulary)
    if not facets or vocabulary.exact(phrase) is not None:
        return False
    rows = vocabulary.title_rows(phrase)
    whole = rows and vocabulary.title(text[part[0].start : part[-1].end]) is not None
    first = frozenset(row for row in rows if vocabulary.title_begins(row, phrase))
    series = len(rows) >= SERIES and 2 * len(first) >= len(rows)
    return (series or bool(whole)) and not _covered(phrase, rows, facets, vocabulary)


def _facets(phrase: Phrase, vocabulary: Vocabulary) -> list[Term]:
    found = (vocabulary.term((word,)) or everyday.meant((word,), vocabulary) for word in phrase)
    return [term for term in found if term is not None]


def _covered(phrase: Phrase, rows: frozenset[int], facets: Sequence[Term], vocabulary: Vocabulary) -> bool:
    return any(2 * len(rows & vocabulary.rows([term])) > len(rows) for term in facets)
