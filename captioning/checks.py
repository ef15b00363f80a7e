"""Whether a model's answer is a caption at all: a refusal, a babble or an echo must not become a feature."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable

from captioning.languages import Language, language_fault

MAX_CHARS = 1500
"""Of a whole caption with its fields."""
MIN_WORDS, MIN_LETTERS = 2, 4
"""A caption has this many words, or of a script without blanks this many letters."""
ECHO_WORDS = 9
"""Words in a row taken from the prompt that make an echo."""
PLAIN_SHARE = 0.75
"""Least share of letters, digits, blanks and usual punctuation."""
PACKED = 3.2
"""A text that packs this many times smaller repeats itself; English prose of this length packs under 2.3 times."""

_WORD = re.compile(r"[^\W_]+")
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|„[^“”]*[“”]|«[^»]*»|「[^」]*」|『[^』]*』")
_USUAL = frozenset(" .,;:!?'\"’‘“”„«»()-–—/%&+#°。、，；：！？「」『』・…")

_REFUSAL = re.compile(
    "|".join(
        (
            # English
            r"\bi(?:'m| am) (?:very |really )?sorry\b",
            r"\bsorry,? (?:but )?i\b",
            r"\bi(?:'m| am) (?:unable|not able) to\b",
            r"\bi (?:can(?:'t|not)|can not|won't|will not) (?:help|assist|view|see|describe|identify|process|provide|"
            r"comply|fulfil|answer|do that|look at|analy[sz]e|determine|engage|generate|create|continue|discuss)\b",
            r"\bi (?:can(?:'t|not)|can not)\W*$",
            r"\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b",
            r"\b(?:unable|not possible) to (?:view|see|assist|help|process|describe|analy[sz]e|identify)\b",
            r"\bno (?:image|picture|video|photo|frame)s? (?:was |were |has been |is |are )?"
            r"(?:provided|attached|visible|uploaded|included|supplied)\b",
            r"\b(?:don't|do not|cannot|can't) see (?:an|any|the) (?:image|picture|video|photo)\b",
            r"\bplease (?:provide|upload|attach|share) (?:an?|the|your) (?:image|picture|video|photo)\b",
            # German, French, Spanish, Italian, Portuguese, Dutch
            r"\b(?:es )?tut mir leid\b",
            r"\bich kann (?:dieses?|das|die|ihnen|dir|leider|kein)\b.*\bnicht\b",
            r"\bals (?:ki|sprachmodell)\b",
            r"\bje suis désolée?\b",
            r"\bje ne (?:peux|suis) pas\b",
            r"\bdésolée?,? (?:mais )?je\b",
            r"\ben tant qu'(?:ia|intelligence)\b",
            r"\blo siento\b",
            r"\bno puedo (?:ayudar|ver|describir|procesar|proporcionar|identificar)\w*",
            r"\bcomo (?:una? )?(?:ia|inteligencia artificial|modelo de lenguaje|modelo de linguagem)\b",
            r"\bmi dispiace\b",
            r"\bnon posso (?:aiutar|vedere|descrivere|fornire|identificare)\w*",
            r"\b(?:desculpe|lamento|sinto muito)\b",
            r"\bnão (?:posso|consigo) (?:ajudar|ver|descrever|fornecer|identificar)\w*",
            r"\bhet spijt me\b",
            r"\bik kan (?:deze?|dit|u|je|geen)\b.*\bniet\b",
            # Russian, Chinese, Japanese, Korean
            r"(?:извините|к сожалению,? я|я не могу)",
            r"(?:抱歉|对不起|對不起|我无法|我無法|我不能|作为(?:一个)?(?:人工智能|AI|语言模型))",
            r"(?:申し訳(?:ありません|ございません)|すみませんが|お手伝いできません|できかねます)",
            r"(?:죄송합니다|죄송하지만|도와드릴 수 없)",
        )
    ),
    re.IGNORECASE,
)


def caption_fault(text: str, language: Language | None = None, told: Iterable[str] = ()) -> str | None:
    """Return why `text` is no caption, as `reason: detail`, or None when it is one.

    Args:
        text: What the model said.
        language: The language it was asked for; None: any.
        told: Texts of the prompt, which an answer must not parrot.

    Example:
        >>> caption_fault("A red mug.")
        >>> caption_fault("I am sorry, no.")
        "refusal: 'I am sorry, no.'"
    """
    words = _WORD.findall(text.lower())
    if not words:
        return "empty: the model said nothing"
    if len(text) > MAX_CHARS:
        return f"too long: {len(text)} characters, up to {MAX_CHARS} would be valid"
    if refused(text):
        return f"refusal: {text[:120]!r}"
    if (said := _repeated(text, words)) is not None:
        return f"repetition: {said}"
    if (odd := _odd_share(text)) > 1 - PLAIN_SHARE:
        return f"garbled: {odd:.0%} of its characters are no letters, digits or usual punctuation: {text[:60]!r}"
    if max(map(len, words)) > 40 and not any(_wide(letter) for letter in text):
        return f"garbled: a word of {max(map(len, words))} letters: {max(words, key=len)[:40]!r}"
    if (parroted := _echo(words, told)) is not None:
        return f"echo: of the prompt: {parroted!r}"
    if len(words) < MIN_WORDS and (len(text) < MIN_LETTERS or not any(_wide(letter) for letter in text)):
        return f"too short: {text[:60]!r} is no sentence"
    if language is not None and (other := language_fault(text, language)) is not None:
        return f"language: {other}"
    return None


def refused(text: str) -> bool:
    """Whether `text` opens with a refusal; what it quotes is what the picture says, and does not count."""
    return _REFUSAL.search(_QUOTED.sub(" ", text)[:240].replace("’", "'")) is not None


def _repeated(text: str, words: list[str]) -> str | None:
    """Return what comes again and again, or None."""
    if (run := re.search(r"(\S)\1{11,}", text)) is not None:
        return f"{run[1]!r} {len(run[0])} times"
    if (run := re.search(r"\b(\w+)(?:\W+\1\b){4,}", text.lower())) is not None:
        return f"{run[1]!r} again and again"
    runs = Counter(zip(words, words[1:], words[2:], strict=False))
    three, times = max(runs.items(), key=lambda pair: pair[1], default=((), 0))
    if times >= 5 and times * 3 > len(words) // 2:
        return f"{' '.join(three)!r} {times} times"
    fours = list(zip(words, words[1:], words[2:], words[3:], strict=False))
    if len(fours) >= 24 and len(set(fours)) < 0.5 * len(fours):
        return f"{len(set(fours))} different runs of four words among {len(fours)}"
    raw = text.encode()
    if len(raw) >= 120 and len(raw) / len(zlib.compress(raw)) > PACKED:
        return f"it packs {len(raw) / len(zlib.compress(raw)):.1f} times smaller"
    return None


def _odd_share(text: str) -> float:
    plain = sum(letter.isalnum() or letter.isspace() or letter in _USUAL or _combining(letter) for letter in text)
    return 1 - plain / len(text)


def _combining(letter: str) -> bool:
    return unicodedata.category(letter) in ("Mn", "Mc")


def _wide(letter: str) -> bool:
    """Whether a script writes without blanks: Thai, Chinese, Japanese."""
    return "\u0e00" <= letter <= "\u0eff" or "\u3040" <= letter <= "\u9fff"


def _echo(words: list[str], told: Iterable[str]) -> str | None:
    """Return words in a row that were taken from the prompt, or the whole answer where it is one of its texts."""
    spaced = f" {' '.join(words)} "
    for text in told:
        ours = _WORD.findall(text.lower())
        if words == ours:
            return " ".join(words)
        for at in range(len(ours) - ECHO_WORDS + 1):
            run = " ".join(ours[at : at + ECHO_WORDS])
            if f" {run} " in spaced:
                return run
    return None
