"""Names of products nobody sells: quoted, bold, at the head of a list entry, or simply written like a name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.gate.grounds import Grounds, Record
from agent.gate.numbers import Fault
from agent.gate.references import CLOSE, MARK, OPEN
from agent.gate.segments import Segment, part_at
from agent.gate.vocabulary import phrase, tokens, word_set

_QUOTED = re.compile(
    r"\*\*(?P<a>[^*\n]{2,120})\*\*|(?<![*\w])\*(?P<b>[^*\n]{2,120})\*(?!\*)|\"(?P<c>[^\"\n]{2,120})\"|“(?P<d>[^”\n]{2,120})”"
    r"|«(?P<e>[^»\n]{2,120})»|`(?P<f>[^`\n]{2,120})`|(?<!\w)'(?P<g>[A-Z][^'\n]{2,80})'(?!\w)|(?<![_\w])_(?P<h>[^_\n]{2,120})_(?![_\w])"
    # Of a text that was cut, a quotation lacks its end or its beginning.
    r"|(?<![\w\"*_])(?:[\"“«`]|\*\*?|_)(?=[^\s\W])(?P<i>[^\"”»`*_\n]{2,200})$"
    r"|^(?P<j>[^\"“”»«`*_\n]{2,120}?)(?<=[^\s\d(])[\"”»](?=[\s.,;:!?)…]|$)"
)
_ENTRY = re.compile(r"^\s*(?:[-*•+]|\d{1,2}[.)])\s+(?P<head>[^:–—(\n,]{2,80}?)\s*(?:[:–—(,]|\s-\s|$)")
_RUN = re.compile(
    r"(?<![\w'’])[A-Z][\w'’]*(?:-[\w'’]+)*(?:\s+(?:(?:of|the|de|la|and|&|with|for|in)\s+)?(?:[A-Z][\w'’]*(?:-[\w'’]+)*|\d+\w*))*"
)
_JOINED = re.compile(r"\s+(?:and|&)\s+")
_CUE = re.compile(r"\b(?:by|from|brand|called|named|model|the|new|our)\s+$", re.IGNORECASE)
_LABELS = word_set(
    "price brand color material rating size availability style why reason tip note summary category pattern best "
    "option pick choice overall verdict look shape result recommendation"
)
_PLAIN = word_set(
    "i i'm i'd i'll i've english german french spanish monday tuesday wednesday thursday friday saturday sunday "
    "january february march april may june july august september october november december christmas easter eur "
    "usd gbp ok"
)
_ENGLISH = word_set("the a an is are was and with for you it this that your in of to i have here these they")


def name_faults(text: str, parts: list[Segment], grounds: Grounds) -> list[Fault]:
    """Return what is written like a product's or a maker's name and stands in no record."""
    about = {record for part in parts for record in part.subjects}
    return [*_quoted(text, about, grounds), *_entries(text, about, grounds), *_runs(text, parts, about, grounds)]


def _quoted(text: str, about: set[Record], grounds: Grounds) -> Iterator[Fault]:
    for match in _QUOTED.finditer(text):
        inner = next(g for g in match.groups() if g is not None)
        inner = inner.strip()
        if OPEN in inner or not re.search(r"[^\W\d_]", inner):
            continue
        emphasis = match.group()[0] in "*_" and (inner == inner.casefold() or set(tokens(inner)) <= _LABELS)
        if not emphasis and not grounds.knows_phrase(inner, about):
            yield Fault(*match.span(), f"name {inner!r} is in no record")


def _entries(text: str, about: set[Record], grounds: Grounds) -> Iterator[Fault]:
    """A list entry that names no item must be a label or words of a record."""
    match = _ENTRY.match(text)
    if match is None or MARK.search(text):
        return
    head = match["head"].strip(' *_"“”')
    if set(tokens(head)) & _LABELS or grounds.knows_phrase(head, about) or len(tokens(head)) > 6:
        return
    yield Fault(*match.span("head"), f"list entry {head!r} is in no record")


def _runs(text: str, parts: list[Segment], about: set[Record], grounds: Grounds) -> Iterator[Fault]:
    english = len(_ENGLISH & set(tokens(text))) > 0
    for match in _RUN.finditer(text):
        first = _starts(text, match.start())
        words = [w for w in re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", match.group()) if w[0].isupper()]
        if first and len(words) == 1:
            continue
        strange = [w for w in words if not _known(w, about, grounds)]
        if first and strange and strange[0] == words[0] and len(strange) == 1 and words[0].casefold() in _OPENERS:
            continue
        if (
            len(strange) >= 2
            or (strange and (_CUE.search(text[: match.start()]) or (english and not first)))
            or (
                len(words) >= 2
                and not first
                and not grounds.knows_phrase(match.group(), about)
                and not _separate(words, grounds)
                and not _enumerated(match.group(), about)
            )
            or (len(words) >= 2 and _anothers(match, parts, grounds))
        ):
            yield Fault(*match.span(), f"name {match.group()!r} is in no record")


def _enumerated(run: str, about: set[Record]) -> bool:
    """Whether a run is whole values of the records spoken of, one beside another: "Shelley Long and Tom Hanks"."""
    values = {phrase(value) for record in about for each in record.item.attributes.values() for value in each}
    parts = _JOINED.split(run)
    return len(parts) > 1 and all(phrase(part) in values for part in parts)


def _anothers(match: re.Match[str], parts: list[Segment], grounds: Grounds) -> bool:
    """Whether a name of two words and more stands in the record of an item that is not spoken of there."""
    part = part_at(parts, match.start())
    meant = {*part.subjects, *part.ahead}
    name = phrase(match.group())
    if not part.sure or name in grounds.wishes or name in grounds.facts or any(name in r.phrase for r in meant):
        return False
    return any(name in record.names for record in grounds.issued())


_OPENERS = word_set(
    "the a an here these this that those if for with in on at by from and but or so my our your both all it they "
    "we you there also another two three four five what which how looking based great good nice happy sorry "
    "unfortunately"
)


def _known(word: str, about: set[Record], grounds: Grounds) -> bool:
    if word.casefold() in _PLAIN or (word.casefold() in _OPENERS):
        return True
    return all(grounds.knows_word(token, about) for token in tokens(word))


def _separate(words: list[str], grounds: Grounds) -> bool:
    """Whether the words are openers and single known names rather than one new combination."""
    return sum(word.casefold() not in _OPENERS | _PLAIN for word in words) < 2


def _starts(text: str, at: int) -> bool:
    """Whether a word stands where any word is capitalised: at the start, after a colon, a quote or a list mark."""
    before = text[:at].rstrip()
    return not before or before[-1] in f'.!?:;…"“*_(\n>-–—•|{CLOSE}' or re.search(r"\d[.)]$", before) is not None
