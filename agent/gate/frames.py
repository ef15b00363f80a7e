"""Turns of phrase that state a fact whatever the words in them: "made of X", "by X", "made in X", "its colour is X"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agent.gate.grounds import Grounds, Record
from agent.gate.numbers import Fault
from agent.gate.references import CLOSE, MARK, OPEN
from agent.gate.segments import Segment, part_at
from agent.gate.vocabulary import tokens, word_set
from agent.gate.words import NOT

_WORD = r"[^\W\d_](?:[\w'’-]*\w)?"
_STOP = (
    "with|for|that|which|who|whose|to|but|so|is|are|was|at|in|on|by|from|of|if|as|because|while|than|when|where|it|"
    "its|they|their|has|have|and|or|plus|yet|though|although|under|over"
)
_NOUN = rf"(?!(?:{_STOP})\b){_WORD}(?:[\s-]+(?!(?:{_STOP})\b){_WORD}){{0,4}}"
_END = r"(?=\s*(?:[,.;:!?)|\n*]|$|and\b|or\b))"
_LIST = rf"(?P<what>{_NOUN}(?:\s*(?:,|&|,?\s*\b(?:and|or)\b)\s*{_NOUN}{_END})*)"
_DONE = "made|crafted|handcrafted|carved|woven|built|cast|knitted|knit|sewn|fashioned|manufactured|produced|cut"
_MAKER = "designed|created|directed|written|composed|published|authored|painted|signed|developed|invented|sold|brewed"
_FRAMES = re.compile(
    rf"\b(?:(?:{_DONE})\s+(?:\w+ly\s+)?(?:of|from|out of|in)|(?:{_DONE}|{_MAKER})\s+by|(?:comes|imported|hails|sourced|"
    rf"originates|shipped|grown)\s+(?:\w+ly\s+)?from|starring|"
    rf"{CLOSE}[*_\"”)]*\s+(?:stars|features)|(?:also )?known as|called|named|titled|"
    rf"(?:the|a) (?:house|brand|label|makers?) of)\s+(?:(?:a|an|the|some|our|his|her|pure)\s+)?{_LIST}"
    rf"|(?:part of|from|in|of) (?:the|our|its|their) (?P<line>{_NOUN}) (?:collection|series|edition|line)\b"
    rf"|{CLOSE}[*_\"”)]*\s+(?:is|are|was|were) (?:also )?(?:spoken |filmed |shot )?in (?P<tongue>(?-i:[A-Z])[a-z]+)"
    rf"|{CLOSE}[*_\"”’)]*,?\s+(?:(?:is|was|are)\s+(?:(?:a|an|the)\s+(?:\w+\s+){{1,3}})?)?"
    rf"by\s+(?:the\s+)?(?P<by>{_NOUN})",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"(?<!\w)(?P<label>{_WORD}(?: {_WORD})?)(?:\s+of\s+{OPEN}\d+{CLOSE})?(?P<is>\s*[:=|]\s*|\s+(?:is|are|was)\s+)"
    rf"(?:(?:a|an|the)\s+)?{_LIST}",
    re.IGNORECASE,
)
_KIND = re.compile(
    rf"{CLOSE}[*_\"”’)]*\s+(?:(?:is|are|was|makes)\s+(?:a|an|our|another|one of our)|"
    rf"(?:includes?|contains?|comes? with|is sold with)\s+(?:a|an|one|two|some|free))\s+(?P<what>{_NOUN})",
    re.IGNORECASE,
)
_FILLERS = word_set(
    "fine soft quality high good nice lovely beautiful gorgeous great perfect wonderful striking subtle warm cool "
    "bright dark light deep rich classic timeless elegant modern smooth sturdy durable beautifully entirely really "
    "very quite so just also only mostly mainly partly and or the a an of in by one two our your all same both "
    "different various several not no unknown listed stated given available here there this that it color material "
    "shade tone touch detail finish style look carefully well skilled expert far way mean now default love care order "
    "measure scratch after its you me us them something anything more less like"
)  # fmt: skip
_LABELS = word_set(
    "material color colour brand maker manufacturer designer director author artist actor cast genre pattern finish "
    "shape fabric origin country language category flavor flavour scent sole lining upper"
)  # fmt: skip


def frame_faults(text: str, parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    """Yield what is said in such a turn and stands in no record it is said of."""
    for match in _FRAMES.finditer(text):
        name = next(group for group in ("by", "line", "tongue", "what") if match[group])
        subjects = part_at(parts, match.start(name)).subjects
        if subjects and NOT.search(text[: match.start(name)]):
            continue  # what is denied of an item is held against its record as a colour or material is
        if strange := _strange(match[name], subjects, grounds):
            yield Fault(*match.span(name), f"{strange!r} in {match[name]!r} is in no record")
    for match in _LABELLED.finditer(text):
        yield from _labelled(match, parts, grounds)
    for match in _KIND.finditer(text):
        yield from _kind(match, parts, grounds)


def _labelled(match: re.Match[str], parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    label = tokens(match["label"])[-1:]
    if not set(label) & (_LABELS | grounds.words.labels):
        return
    subjects = part_at(parts, match.start("what")).subjects
    if strange := _strange(match["what"], subjects, grounds):
        yield Fault(*match.span("what"), f"{label[0]} {strange!r} is not the record's")


def _kind(match: re.Match[str], parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    """A thing is called by another kind's name: "#1 is a lamp"."""
    subjects = part_at(parts, match.start("what")).subjects
    for word in tokens(match["what"])[-1:]:
        if f" {word} " in grounds.words.kinds and not _held(word, subjects):
            yield Fault(*match.span("what"), f"kind {word!r} is not the record's")


def _strange(said: str, subjects: Iterable[Record], grounds: Grounds) -> str | None:
    """Return the first word that no record of the subjects holds; without subjects, that nothing known does."""
    subjects = tuple(subjects)
    for word in tokens(MARK.sub(" ", said)):
        if word in _FILLERS:
            continue
        if not (_held(word, subjects) if subjects else grounds.knows_word(word)):
            return word
    return None


def _held(word: str, subjects: Iterable[Record]) -> bool:
    return any(word in record.words for record in subjects)
