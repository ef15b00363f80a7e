"""Stock: what a sentence says can be had, or cannot, against the records it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.gate.grounds import Grounds
from agent.gate.numbers import Fault
from agent.gate.references import CLOSE
from agent.gate.segments import Segment, part_at

_NOT = r"(?:not|no longer|never|isn['’]t|aren['’]t|wasn['’]t|anything but|hardly)"
_HAD = r"(?:had|ordered|bought)"
_OUT = (
    r"out[- ]of[- ]stock|sold[- ]out|unavailable|unobtainable|back[- ]?ordered|discontinued|"
    rf"(?:(?<={CLOSE} is )|(?<=it is )|(?<=they are ))(?:all )?gone|can(?:no| no|['’])t be {_HAD}"
)
_IN = (
    r"(?:back )?(?:in|on)[- ]stock|available (?:now|today|right now|immediately|again)|"
    rf"ready (?:to (?:ship|go|send)|for dispatch)|(?:can|may) (?:still |now )?be {_HAD}|(?<=still )to be had|"
    rf"(?:(?<={CLOSE} is )|(?<=it is ))back(?= *(?:[.!,;]|$|again|now|in))|orderable"
)
_IS = "".join(
    rf"|(?<={word} )" for word in ("is", "are", "both", "all", "not", "n't", "n’t", "longer", "still", "currently")
)
_STATE = re.compile(
    rf"(?P<not>\b{_NOT}\s+(?:currently |yet |at all )?)?"
    rf"(?:\b(?P<out>{_OUT})\b|\b(?P<in>{_IN})\b"
    rf"|(?:{_IS[1:]})available\b(?! (?:in|at|for|as|from|with|to)\b))",
    re.IGNORECASE,
)
_FEW = r"(?:\d+|one|two|three|four|five|a few|a couple|few)"
_SCARCE = re.compile(
    rf"\b(?:(?:only|just|last|final)\s+{_FEW}(?: (?:pieces?|items?|of them))?\s+(?:left|remaining|to go|in stock)"
    rf"|{_FEW} (?:left|remaining) in stock|low (?:in|on) stock|low stock|(?:nearly|almost) (?:sold out|gone)|"
    r"sell(?:s|ing) (?:out )?fast|while (?:stocks?|supplies) lasts?|last chance|"
    r"limited (?:quantity|quantities|stock|supply))\b",
    re.IGNORECASE,
)
"""How much is left, which no record says."""
_NONE = re.compile(r"\b(?:no|none|nothing|neither|which|whether|if)\b", re.IGNORECASE)


def stock_faults(text: str, parts: list[Segment], grounds: Grounds) -> Iterator[Fault]:
    """Yield what is said of stock and is not the record's."""
    for match in _SCARCE.finditer(text):
        if not grounds.knows_phrase(match.group()):
            yield Fault(*match.span(), f"{match.group()!r} is in no record")
    for match in _STATE.finditer(text):
        stated = (match["out"] is None) is (match["not"] is None)
        subjects = part_at(parts, match.start()).subjects
        if subjects:
            holds = all(record.item.availability is stated for record in subjects)
        else:
            holds = grounds.knows_phrase(match.group()) or _NONE.search(text[: match.start()]) is not None
        if not holds:
            yield Fault(*match.span(), f"{match.group()!r} is not what the record says of its stock")
