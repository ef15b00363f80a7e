"""A mind's words as a reader sees them, so that what is checked is what is read."""

from __future__ import annotations

import re
import unicodedata

_DRESSED = ("<wide>", "<narrow>", "<font>", "<circle>", "<square>", "<super>", "<sub>")
_JOINERS = "\u200c\u200d"
_WORD = re.compile(r"[^\W\d_]{2,}")
_SPACED = re.compile(r"(?<!\w)(?:[^\W\d_] ){3,}[^\W\d_](?!\w)")


def plain(text: str) -> str:
    r"""Return text without invisible characters, letters and digits in dress put plain, spaced-out words closed up.

    Joiners stay between letters of scripts that spell with them.

    Example:
        >>> plain("pla\u200bti\u00adnum, ｐｌａｔｉｎｕｍ, 𝐩latinum"), plain("p l a t i n u m")
        ('platinum, platinum, platinum', 'platinum')
    """
    if text.isascii():
        return _SPACED.sub(lambda match: match.group().replace(" ", ""), text)
    kept = [_plain(text, at) for at in range(len(text))]
    return _SPACED.sub(lambda match: match.group().replace(" ", ""), "".join(kept))


def _plain(text: str, at: int) -> str:
    letter = text[at]
    if letter in _JOINERS:
        around = text[max(at - 1, 0) : at] + text[at + 1 : at + 2]
        return "" if any(each.isascii() for each in around) or len(around) < 2 else letter
    if unicodedata.category(letter) in ("Cf", "Cn", "Cs") or (
        unicodedata.category(letter) == "Cc" and letter not in "\n\t"
    ):
        return ""
    return unicodedata.normalize("NFKC", letter) if unicodedata.decomposition(letter).startswith(_DRESSED) else letter


def mixed_words(text: str) -> list[re.Match[str]]:
    """Return the words written in letters of two alphabets that look alike, which only a disguise has."""
    return [match for match in _WORD.finditer(text) if len({_alphabet(letter) for letter in match.group()} - {""}) > 1]


def _alphabet(letter: str) -> str:
    name = unicodedata.name(letter, "").split(" ", 1)[0]
    return name if name in ("LATIN", "CYRILLIC", "GREEK") else ""
