"""Promises: terms of sale, which only a tool or a field can grant, and praise, which the record must bear out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.gate.grounds import Grounds
from agent.gate.numbers import Fault
from agent.gate.references import CLOSE
from agent.gate.segments import Segment, part_at
from agent.gate.vocabulary import tokens
from tools.titles import TERMS

_IT = rf"(?:{CLOSE}[*_\"”)]*|\b(?:it|this|that|they|these|those|both|all|everything|which|yours|one))"
_GIVEN = re.compile(
    rf"{_IT},?\s*(?:(?:['’]s|is|are|comes?|now|today|get)\s+)*(?:\w+ly\s+)?free\b(?!\s*(?:of|from|to|"
    rf"standing|flowing|time|"
    r"range|spirit)\b)"
    rf"|{_IT}\s+(?:is|are|was|were|has been|have been|now)\s+(?:now\s+)?(?:reduced|on us)\b"
    r"|\b(?:gratis|at no (?:extra )?(?:cost|charge)|on the house|free gift|gift from us|get it free|"
    r"reduced (?:price|from|to|by)|(?:one|two|three|1|2|3)[ ,]*(?:get|pay|for the price of)(?: for)? (?:one|two|1|2)|"
    r"\d for \d|buy (?:one|two|1|2)|(?:a |one )?(?:third|quarter|half|fifth|tenth) (?:off|less|cheaper)|in the sale|"
    r"marked down|price (?:cut|drop)|cut[- ]price|special (?:offer|price)|down from(?= ?[$€£\d])|"
    r"cash ?back|rebate|loyalty points|gift (?:card|voucher)|returnable|easy returns?|"
    r"returns? (?:it|them)? ?within|within \d+ (?:working )?days|"
    r"arrives? (?:tomorrow|today|tonight|by|within|in \d|on \w+day)|be there (?:by|tomorrow|on \w+day)|"
    r"you (?:can|may) return (?:it|them|this|\ue000)|instal?lments|pay later|money off|(?:get|"
    r"receive) .{0,20}\d.{0,12}\bback|saves? you (?=\W?\d|money))\b",
    re.IGNORECASE,
)
"""More terms of sale, as a shop assistant words them."""
_QUALITY = re.compile(
    r"\b(?:award[- ]winning|awards?|prize[- ]winning|best[- ]?sell(?:ers?|ing)|limited edition|exclusive(?:ly)?|"
    r"certified|patented|genuine|authentic|sterling|(?:gold|silver|chrome|nickel|brass)[- ]plated|gilded|\d+[- ]?"
    r"(?:carat|karat)|vintage|antique|recycled|recyclable|biodegradable|sustainable|sustainably|(?:machine|"
    r"hand)[- ]washable|(?:dishwasher|microwave|oven|freezer)[- ](?:safe|proof)|"
    r"hypoallergenic|organic|hand[- ]?(?:made|crafted|painted|woven|blown|thrown|stitched|sewn)|mouth[- ]blown|"
    r"fair[- ]trade|(?:in|into|for) the (?:dishwasher|oven|microwave|freezer|washing machine)|"
    r"(?:bought|loved|chosen|worn|used|trusted) by (?:dozens|hundreds|thousands|millions)|"
    r"water[- ]?(?:proof|resistant|repellent)|\w{3,}proof|"
    r"(?!(?:stress|hassle|worry|risk|care|fuss|obligation|toll|hands|duty)-)\w+-(?:free|safe|resistant|"
    r"friendly|tested|"
    r"approved|repellent|proof|washable|certified))\b",
    re.IGNORECASE,
)
"""What a thing is praised for: its description may say it."""
_WRITTEN = re.compile(
    r"\b(?:i|we)(?:['’]ve| have)?(?: just| already| now| also)* (?:ordered|reserved|bought|purchased|booked)\b"
    r"|\b(?:put|added|placed|moved) [^.;:!?]{0,60}\b(?:cart|basket|your (?:bag|order))\b"
    r"|\byour (?:order|purchase|payment) (?:is|was|has been) \w+"
    r"|\b(?:is|are|have been|has been) (?:now )?(?:reserved|ordered) for you",
    re.IGNORECASE,
)
"""What is said to have been done; only a tool that wrote it down makes it so."""
_ASKS = re.compile(r"\?\s*$|\b(?:shall|should|can|could|would|want|if|once|when|not|never)\b|n['’]t\b", re.IGNORECASE)
_PLAIN = re.compile(r"budget-friendly|family-friendly|user-friendly|foolproof|bullet-?proof", re.IGNORECASE)
_REFUSED = re.compile(
    r"\b(?:(?:i|we) (?:cannot|can['’]?t|do not|don['’]t|am not able to|are not able to|['’]?m unable to)|(?:does not|"
    r"doesn['’]t)) (?:offer|promise|grant|give|confirm|say|know|state|mention|list)\b[^.;:!?]*$",
    re.IGNORECASE,
)
"""What cannot be granted or told is no promise."""
_ASIDE = re.compile(r"\b(?:no|not|nothing|none|without|instead|asked|looking|wanted|whether|if)\b|n['’]t\b", re.I)


def promise_faults(text: str, parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    """Yield terms of sale and praise that nothing backs."""
    for match in _WRITTEN.finditer(text):
        if not grounds.recorded and not _ASKS.search(text):
            yield Fault(*match.span(), f"{match.group()!r} was done by no tool")
    for pattern, termed in ((TERMS, True), (_GIVEN, True), (_QUALITY, False)):
        for match in pattern.finditer(text):
            if not _PLAIN.fullmatch(match.group()) and not _backed(text, match, parts, grounds, termed):
                yield Fault(*match.span(), f"{match.group()!r} is in no record")


def _backed(text: str, match: re.Match[str], parts: list[Segment], grounds: Grounds, termed: bool) -> bool:
    """Whether a record (of terms: a field filled in on purpose) or a tool says it; aside, also the shopper."""
    words = tokens(match.group())
    subjects = part_at(parts, match.start()).subjects
    held = [frozenset(record.names.split()) if termed else record.words for record in subjects]
    said = f" {' '.join(words)} "
    if (
        _REFUSED.search(text[: match.start()])
        or (held and all(set(words) <= each for each in held))
        or said in grounds.facts
    ):
        return True
    return said in grounds.wishes and (_ASIDE.search(text) is not None or text.rstrip().endswith("?"))
