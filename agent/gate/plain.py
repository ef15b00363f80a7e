"""A mind's words as a reader sees them, so that what is checked is what is read."""

from __future__ import annotations

import re
import unicodedata

from agent.gate.vocabulary import CLOSED

_DRESSED = ("<wide>", "<narrow>", "<font>", "<circle>", "<square>", "<super>", "<sub>")
_JOINERS = "\u200c\u200d"
_WORD = re.compile(r"[^\W\d_]{2,}")
_SPACED = re.compile(r"(?<!\w)(?:[^\W\d_] ){3,}[^\W\d_](?!\w)")
_PICKED = re.compile(r"(?<!\w)[^\W\d_](?P<between>[-_.*~·•|/ ]{1,2})(?:[^\W\d_](?P=between))+[^\W\d_](?!\w)")
_INSIDE = re.compile(
    r"(?P<a>[*~`]{1,3})(?P<b>[^\W\d_]+)(?P=a)(?=[^\W\d_])|(?<=[^\W\d_])(?P<c>[*~`]{1,3})(?P<d>[^\W\d_]+)(?P=c)"
    r"|(?<=[^\W\d_])[*~`](?=[^\W\d_])"
)
_SMALL_CAPITAL = "LATIN LETTER SMALL CAPITAL "
_TWINS = dict(zip("авеікмнорстухѕјһԁɡαεικνορτυχ", "abeikmhopctyxsjhdgaeiknoptux", strict=True))
"""Letters of other alphabets that a reader takes for ours."""

_SPELLED = CLOSED.keys() | {"free", "gratis", "sale", "off"}


def plain(text: str) -> str:
    r"""Return text without invisible characters, letters and digits in dress put plain, spaced-out words closed up.

    Joiners stay between letters of scripts that spell with them.

    Example:
        >>> plain("pla\u200bti\u00adnum, ｐｌａｔｉｎｕｍ, 𝐩latinum"), plain("p l a t i n u m")
        ('platinum, platinum, platinum', 'platinum')
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        text = "".join(_plain(text, at) for at in range(len(text)))
    before = None
    while text != before:
        before, text = text, _INSIDE.sub(lambda match: match["b"] or match["d"] or "", text)
    text = _SPACED.sub(lambda match: match.group().replace(" ", ""), text)
    return _PICKED.sub(_closed_up, text)


def _closed_up(match: re.Match[str]) -> str:
    """Close up letters with something between each; initials and sizes ("S/M/L") stay."""
    word = match.group().replace(match["between"], "")
    return word if len(word) > 4 or word.casefold() in _SPELLED else match.group()


def _plain(text: str, at: int) -> str:
    letter = text[at]
    if letter in _JOINERS:
        around = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
        return "" if any(each.isascii() for each in around) or len(around) < 2 else letter
    if unicodedata.category(letter) in ("Cf", "Cn", "Cs") or (
        unicodedata.category(letter) == "Cc" and letter not in "\n\t"
    ):
        return ""
    if unicodedata.combining(letter) and at and "LATIN" in unicodedata.name(text[at - 1], ""):
        return ""  # what composes has composed; what is left only strikes a letter through
    if unicodedata.name(letter, "").startswith(_SMALL_CAPITAL):
        return unicodedata.name(letter)[len(_SMALL_CAPITAL) :].casefold()[:1]
    return unicodedata.normalize("NFKC", letter) if unicodedata.decomposition(letter).startswith(_DRESSED) else letter


def mixed_words(text: str) -> list[re.Match[str]]:
    """Return the words that only look Latin: letters of two alphabets, or of another one that pass for ours."""
    if text.isascii():
        return []
    words = list(_WORD.finditer(text))
    foreign = [match for match in words if "LATIN" not in (alphabets := _alphabets(match)) and alphabets]
    passing = [match for match in foreign if all(letter in _TWINS for letter in match.group().casefold())]
    disguised = passing if len(passing) == len(foreign) and len(foreign) < len(words) else []
    return [match for match in words if match in disguised or len(_alphabets(match)) > 1]


def _alphabets(match: re.Match[str]) -> set[str]:
    return {_alphabet(letter) for letter in match.group()} - {""}


def _alphabet(letter: str) -> str:
    name = unicodedata.name(letter, "").split(" ", 1)[0]
    return name if name in ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU") else ""
