"""Nothing not carried is offered: "we have X" stands where the catalogue holds X, "I recommend X" where X is known."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.gate.grounds import Grounds
from agent.gate.numbers import Fault
from agent.gate.references import MARK
from agent.gate.vocabulary import phrase, tokens, word_set

_STOP = (
    "with|for|that|which|who|whose|to|but|so|is|are|was|at|in|on|by|from|of|if|as|because|while|than|when|"
    "where|and|or|"
    "under|over|below|above|between|around|up|starting|costing|made|you|we|i|it|instead|here|too|matching|like|such"
)
_NOUN = rf"(?:(?!(?:{_STOP})\b)[^\W\d_](?:[\w'’-]*\w)?)"
_WHAT = rf"(?P<what>{_NOUN}(?:[\s-]+{_NOUN}){{0,5}})"
_SELLS = re.compile(
    rf"\b(?:we|i|(?:the|this|our) (?:shop|store|catalogue|catalog|range))\s+(?:do |also |currently |even |"
    rf"really |only )*"
    rf"(?:have|has|carry|carries|sell|sells|stock|stocks|offer|offers)\s+(?:also |even )?(?:\d+\s+)?{_WHAT}",
    re.IGNORECASE,
)
_URGES = re.compile(
    rf"\b(?:recommend|suggest|buy|order|consider|check out|look at|go for|try)\s+{_WHAT}", re.IGNORECASE
)
_NO_OFFER = re.compile(
    r"(?:no|not|nothing|none|never|n['’]t|to|been|found|had|got|it|them|this|these|those|your|his|her|looked|"
    r"picked|put|given|taken|made|done|seen|read|set|"
    r"shown|left|sent|told|heard|thought|brought|come|gone|known|said|written|ordered|reserved|bought|placed|moved|"
    r"narrowed|noted|added|removed|saved|kept|chosen|selected|sorted|listed|checked|searched|prepared|recorded|tried|"
    r"asked|understood|learned|changed|replaced|skipped)\b",
    re.IGNORECASE,
)
_ASKED = re.compile(r"\b(?:if|whether|do|does|should|could|would|can|shall|n['’]t|not|never|what|which)\b", re.I)
_GENERIC = word_set(
    "a an the some any many few several lot lots plenty more most other others another one two three four five six "
    "seven eight nine ten dozen dozens hundred number range selection choice choices option options item "
    "items product "
    "products thing things piece pieces something everything anything kind kinds sort sorts type types style styles "
    "idea ideas suggestion suggestions pick picks match matches result results favorite favourite alternative "
    "alternatives candidate candidates find finds collection variety assortment array good great nice lovely "
    "beautiful "
    "gorgeous wonderful perfect right exactly just what you need look for wide big large small huge vast rich fine "
    "similar different various suitable fitting matching possible available such also only both all each every no "
    "these those this that it them first second third last next same cheaper dearer cheap affordable "
    "expensive modern "
    "classic elegant simple popular own way word question problem trouble doubt access record information "
    "detail idea "
    "chance bit little couple pair set answer couple our your my quite really very truly pretty fairly beautifully "
    "color colour material brand size price budget filter search wish list page preference constraint limit maker "
    "category style different kind broader narrower higher lower bigger smaller again"
)  # fmt: skip


def offer_faults(text: str, grounds: Grounds) -> Iterator[Fault]:
    """Yield what is offered and not carried.

    Of "we have X" one item, in fields a shop fills in on purpose, or a record given in this conversation must hold
    every word; of "I recommend X" no word may be one that nothing known has. Sentences that name an item are checked
    against its record instead.
    """
    if MARK.search(text):
        return
    for match in _SELLS.finditer(text):
        said = _content(match["what"])
        if said and not _NO_OFFER.match(match["what"]) and not _asked(text, match) and not _carried(said, grounds):
            yield Fault(*match.span("what"), f"{match['what']!r} is not carried")
    for match in _URGES.finditer(text):
        said = _content(match["what"])
        strange = [word for word in said if not _known(word, grounds)]
        if strange and not said[0].endswith("ing"):
            yield Fault(*match.span("what"), f"{strange[0]!r} in {match['what']!r} is in no record")


def _content(what: str) -> list[str]:
    return [word for word in tokens(what) if word not in _GENERIC and not word.isdigit() and not word.endswith("ly")]


def _asked(text: str, match: re.Match[str]) -> bool:
    """Whether it is a question, or leans on one, rather than an offer."""
    return text.rstrip().endswith("?") or _ASKED.search(text[: match.start()]) is not None


def _carried(said: list[str], grounds: Grounds) -> bool:
    wanted = [phrase(word) for word in said]
    return any(all(word in names for word in wanted) for names in grounds.words.names) or any(
        all(word in record.words for word in said) for record in grounds.issued()
    )


def _known(word: str, grounds: Grounds) -> bool:
    return grounds.knows_word(word) or phrase(word) in grounds.words.everything
