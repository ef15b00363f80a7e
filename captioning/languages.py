"""Whether a sentence is of the language that was asked for, told by its script and its function words.

What it can tell: another script (Chinese for English), and, from eight words on, a sentence of another language that
it knows (German for English). From twelve words on it also says when an English, German, French, Spanish, Italian,
Portuguese, Dutch or Swedish sentence has not one function word: text strung together at random. It cannot tell
shorter texts, languages without a profile that share a script (Norwegian for Swedish), or good style from bad.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

Language = Literal[
    "ar", "de", "el", "en", "es", "fr", "he", "hi", "it", "ja",
    "ko", "nl", "pl", "pt", "ru", "sv", "th", "tr", "uk", "zh",
]  # fmt: skip

LATIN: Final = ("LATIN",)
MIN_LETTERS = 8
"""Fewer letters say nothing of the script."""
MIN_SHARE = 0.6
"""Of the letters that are of the right script; names and brands may be of another."""
MIN_WORDS, RANDOM_WORDS = 8, 12
"""From here on another language shows, and the lack of any function word."""
MIN_RIVAL = 3
"""Function words of another language that a fault takes."""

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


@dataclass(frozen=True, slots=True)
class Profile:
    """How a language is told.

    Attributes:
        name: What a prompt calls it.
        scripts: First words of the Unicode names of its letters.
        words: Common function words; of rivals that share a script, those they do not share count.
        needs: A script without which a text is of another language of the same characters (kana for Japanese).
        never: Letters it has not, and a neighbour of the same script has.
        dense: Whether nearly every sentence of twelve words has one of `words`.
    """

    name: str
    scripts: tuple[str, ...]
    words: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    never: str = ""
    dense: bool = False


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PROFILES: Final[dict[Language, Profile]] = {
    "ar": Profile("Arabic", ("ARABIC",)),
    "de": Profile("German", LATIN, _words(
        "der die das und ist ein eine einer einem einen mit auf für von den dem des nicht im sich zu aus bei auch wie "
        "oder sind hat wird an am zum zur über unter dieses diese dieser vor"), dense=True),
    "el": Profile("Greek", ("GREEK",)),
    "en": Profile("English", LATIN, _words(
        "the a an and of with is in on to are for it its that this has by at from as be or against over under which "
        "there while into"), dense=True),
    "es": Profile("Spanish", LATIN, _words(
        "el la los las un una unos unas y de del con en es por para que se su al lo más como sobre está tiene"),
        dense=True),
    "fr": Profile("French", LATIN, _words(
        "le la les un une des et du de avec est dans sur pour que qui il elle au aux en par ce cette sont d l son sa"),
        dense=True),
    "he": Profile("Hebrew", ("HEBREW",)),
    "hi": Profile("Hindi", ("DEVANAGARI",)),
    "it": Profile("Italian", LATIN, _words(
        "il lo la gli le un una di del della con è e in su per che si da al alla nel nella sono dei delle questo"),
        dense=True),
    "ja": Profile("Japanese", ("HIRAGANA", "KATAKANA", "CJK"), needs=("HIRAGANA", "KATAKANA")),
    "ko": Profile("Korean", ("HANGUL",)),
    "nl": Profile("Dutch", LATIN, _words(
        "de het een en van met is op in voor aan dat die zijn te er om bij ook niet door naar uit wordt deze"),
        dense=True),
    "pl": Profile("Polish", LATIN, _words(
        "i w na z do się jest to nie że o jak po od dla przez oraz ma są lub ten który która")),
    "pt": Profile("Portuguese", LATIN, _words(
        "o a os as um uma e de do da dos das com em no na é por para que se ao à mais como seu sua está"), dense=True),
    "ru": Profile("Russian", ("CYRILLIC",), _words(
        "и в на с не из по это как для от к что он она со под"), never="іїєґ"),
    "sv": Profile("Swedish", LATIN, _words(
        "och en ett i på med av är det som den för till att har från om inte de vid"), dense=True),
    "th": Profile("Thai", ("THAI",)),
    "tr": Profile("Turkish", LATIN, _words("ve bir bu ile için da de olan gibi üzerinde var çok daha ise kadar")),
    "uk": Profile("Ukrainian", ("CYRILLIC",), _words(
        "і в на з не із по це як для від до що він вона та під у й"), never="ыэёъ"),
    "zh": Profile("Chinese", ("CJK",)),
}  # fmt: skip
"""What is known; sources: the usual stop-word lists, cut to words of grammar."""


def language_fault(text: str, wanted: Language) -> str | None:
    """Return what speaks against `text` being of the language `wanted`, or None.

    Example:
        >>> language_fault("A red mug with a round handle on a white table.", "en")
        >>> language_fault("Eine rote Tasse mit einem runden Henkel auf dem Tisch.", "en")
        "it reads as German, not English: 'eine', 'mit', 'einem'"
    """
    profile = PROFILES[wanted]
    scripts = Counter(_script(letter) for letter in text if letter.isalpha())
    letters = sum(scripts.values())
    if letters < MIN_LETTERS:
        return None
    share = sum(scripts[script] for script in profile.scripts) / letters
    if share < MIN_SHARE:
        other = next(script for script, _ in scripts.most_common() if script not in profile.scripts)
        return f"{1 - share:.0%} of its letters are {other.title()}, not {profile.name}"
    if profile.needs and not any(scripts[script] for script in profile.needs):
        return f"it has no {' or '.join(profile.needs).title()}, so it is not {profile.name}"
    if len(strange := [letter for letter in text.lower() if letter in profile.never]) > 1:
        return f"it has {strange[0]!r} and {strange[1]!r}, so it is not {profile.name}"
    if wanted == "zh" and scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.05 * letters:
        return "it has Kana, so it is not Chinese"
    return _word_fault([word.lower().replace("’", "'") for word in _WORD.findall(text)], profile)


def _word_fault(words: list[str], profile: Profile) -> str | None:
    if len(words) < MIN_WORDS or not profile.words:
        return None
    parts = [part for word in words for part in word.split("'")]
    ours = [part for part in parts if part in profile.words]
    for rival in PROFILES.values():
        if rival is profile or rival.scripts != profile.scripts:
            continue
        # A lone letter may be a size or a piece of a code.
        theirs = [p for p in parts if (len(p) > 1 or not p.isascii()) and p in rival.words - profile.words]
        if len(theirs) >= MIN_RIVAL and len(theirs) > 2 * len([p for p in ours if p not in rival.words]):
            shown = ", ".join(repr(word) for word in dict.fromkeys(theirs[:MIN_RIVAL]))
            return f"it reads as {_likeliest(parts, profile)}, not {profile.name}: {shown}"
    if profile.dense and len(words) >= RANDOM_WORDS and not ours:
        return f"not one function word of {profile.name} among {len(words)} words"
    return None


def _likeliest(parts: list[str], wanted: Profile) -> str:
    rivals = [profile for profile in PROFILES.values() if profile.scripts == wanted.scripts and profile is not wanted]
    return max(rivals, key=lambda profile: sum(part in profile.words for part in parts)).name


def _script(letter: str) -> str:
    return unicodedata.name(letter, "UNKNOWN").split(" ", 1)[0].split("-", 1)[0]
