"""Turns of phrase that steer a conversation and name nothing in it: "on second thought", "it has to be"."""

from __future__ import annotations

import re

TURNS = re.compile(
    r"\bon (?:second|further) thoughts?\b|\bon reflection\b|\b(?:i(?:'ve| have)? |i just )?changed? my mind\b|"
    r"\bchange of plans?\b|\bcome to think of it\b|\bnow that i think (?:about|of) it\b|\bthinking about it\b|"
    r"\b(?:no,? )?(?:wait|hold on|hang on)(?: a (?:second|sec|minute|moment))?\b|\b(?:scratch|strike) that\b|"
    r"\bi meant(?: to say)?\b|\bmy mistake\b|\boops\b|\bor rather\b|\bwhat i (?:really |actually )?(?:mean|meant) is\b"
)
"""What announces that something said before no longer holds."""

_ASIDES = re.compile(
    r"\bto be (?:honest|fair|precise|exact)\b|\bby the way\b|\bfirst(?:ly)? of all\b|\bfor starters\b|"
    r"\bin the first place\b|\bat first(?: sight| glance)?\b|\bfor the (?:first|second|third) time\b|"
    r"\b(?:just )?in case\b|"
    r"\bthe (?:first|last|other) time\b|\bat (?:the moment|all|last)\b|\bin mind\b|\bof course\b|\bafter all\b|"
    r"\bas (?:soon|far) as\b|\byou know(?: what)?\b|\blet (?:me|us) (?:think|see)\b|\bif (?:possible|you (?:have|can)|"
    r"there (?:is|are)(?: any)?)\b|\bas well\b"
)
_REQUIRED = re.compile(
    r"\b(?:it|that|this|they|these|those)(?=(?:'ll| will| would| really| also| still| just| only)* (?:should|must|"
    r"has to|have to|ought to|had better|needs? to|can'?t|cannot|could|may|might|shouldn'?t|mustn'?t)\b"
    r"(?: not)?(?: also| really| still| just| only| preferably| ideally)? (?:be|have|come|cost|fit|work|suit|go)\b)"
)


def plain(text: str) -> str:
    """Return a folded text with blanks, place for place, where a turn of phrase names nothing.

    Example:
        >>> plain("on second thought, mugs")
        '                 , mugs'
        >>> plain("it has to be blue")
        '   has to be blue'
    """
    for pattern in (TURNS, _ASIDES, _REQUIRED):
        text = pattern.sub(lambda match: " " * len(match.group()), text)
    return text
