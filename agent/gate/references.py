"""Which items a sentence names: handles in any costume, raw ids, exact titles."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agent.gate.grounds import Grounds
from agent.gate.vocabulary import spans

OPEN, CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{OPEN}(\\d+){CLOSE}")
"""The mark that stands for an item inside a sentence while it is checked; group 1 is the handle's number."""

_CORE = r"(?:\b(?:item|product|handle|option|id)\s*:?\s*)?#\s?(\d{1,6})(?!\w)"
_HANDLE = re.compile(
    "|".join([
        rf"<\s*{_CORE}\s*>", rf"`\s*{_CORE}\s*`", rf"\"\s*{_CORE}\s*\"", rf"“\s*{_CORE}\s*”", rf"'\s*{_CORE}\s*'",
        rf"\[\s*{_CORE}\s*\](?:\([^)\s]*\))?", _CORE, r"\b(?:item|product)\s+(\d{1,6})(?![\w.]*\d)",
    ]),
    re.IGNORECASE,
)  # fmt: skip
_COSTUMED = re.compile(r"<\s*([\w.:-]{1,64})\s*>|`\s*([\w.:-]{1,64})\s*`")
_ANY_CASE = re.compile(r"(?<![\w#-])(?=[\w-]*\d)(?=[\w-]*[a-z])[A-Za-z0-9][\w-]+(?![\w-])")
_CODE = re.compile(r"(?<![\w#])(?=[\w-]*\d)(?=[\w-]*[A-Z])[A-Z0-9][A-Z0-9_-]+(?!\w)|(?<![\w#.,])\d{6,}(?![\w.,])")
_QUOTES = r"[\"“”*_`']{0,3}"
_TWICE = re.compile(rf"{OPEN}(\d+){CLOSE}({_QUOTES})[\s:,–—-]{{0,4}}[(\[]?({_QUOTES}){OPEN}\1{CLOSE}({_QUOTES})[)\]]?")


@dataclass(frozen=True)
class Marked:
    """A sentence with its items marked, and the references that lead nowhere, as written."""

    text: str
    unknown: tuple[str, ...]


def mark(sentence: str, grounds: Grounds) -> Marked:
    """Find every reference to an item in a sentence."""
    unknown: list[str] = []
    text = sentence.replace(OPEN, "").replace(CLOSE, "")
    text = _HANDLE.sub(lambda m: _handle(m, grounds, unknown), text)
    text = _COSTUMED.sub(lambda m: _costumed(m, grounds, unknown), text)
    text = _ANY_CASE.sub(lambda m: grounds.words.codes.get(m.group().casefold(), m.group()), text)
    text = _CODE.sub(lambda m: _code(m, grounds, unknown), text)
    text = _titles(text, grounds, unknown)
    return Marked(_once(text), tuple(unknown))


def items_in(text: str, grounds: Grounds) -> list[str]:
    """Return the distinct item ids marked in `text`, in order."""
    found = (grounds.book.item(f"#{m.group(1)}") for m in MARK.finditer(text))
    return list(dict.fromkeys(item_id for item_id in found if item_id is not None))


def _mark_of(handle: str | None) -> str:
    return f"{OPEN}{(handle or '').lstrip('#')}{CLOSE}"


def _handle(match: re.Match[str], grounds: Grounds, unknown: list[str]) -> str:
    handle = f"#{int(match[match.lastindex or 0])}"
    if grounds.book.item(handle) is None:
        unknown.append(match.group().strip())
        return ""
    return _mark_of(handle)


def _costumed(match: re.Match[str], grounds: Grounds, unknown: list[str]) -> str:
    """A raw id between brackets or backticks; other brackets are markup and go."""
    name = match[1] or match[2]
    item_id = grounds.book.resolve(grounds.words.codes.get(name.casefold(), name))
    if item_id is not None:
        return _mark_of(grounds.book.handle(item_id))
    if not grounds.knows_phrase(name) and (re.search(r"\d", name) or name in grounds.catalog):
        unknown.append(match.group())
    return "" if match[1] else name


def _code(match: re.Match[str], grounds: Grounds, unknown: list[str]) -> str:
    """Raw ids in plain prose: only what looks like a code, so that a year or an acronym stays a word."""
    name = match.group()
    handle = grounds.book.handle(name)
    if handle is not None:
        return _mark_of(handle)
    if len(name) > 2 and not grounds.knows_phrase(name):
        unknown.append(name)
    return name


def _titles(text: str, grounds: Grounds, unknown: list[str]) -> str:
    """Replace exact titles, the longest first; a title of an item no tool issued is unknown."""
    words = [span for span in spans(text) if not (span[1] and text[span[1] - 1] == OPEN)]
    done: list[tuple[int, int, str]] = []
    at = 0
    while at < len(words):
        for size in range(min(grounds.words.longest, len(words) - at), 1, -1):
            ids = grounds.words.titles.get(" ".join(w for w, _, _ in words[at : at + size]))
            start, end = words[at][1], words[at + size - 1][2]
            if ids is None or OPEN in text[start:end]:
                continue
            start, end = _bracketed(text, start, end)
            issued = next((i for i in ids if i in grounds.book), None)
            if issued is not None:
                done.append((start, end, _mark_of(grounds.book.handle(issued))))
            elif not grounds.knows_phrase(text[start:end]):
                unknown.append(text[start:end])
            at += size - 1
            break
        at += 1
    for start, end, found in reversed(done):
        text = text[:start] + found + text[end:]
    return text


def _bracketed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the span of a title with the bracket that its last word stands in: "Toy Story (1995)" ends behind it."""
    inside = text[start:end]
    return start, end + (inside.count("(") > inside.count(")") and text[end : end + 1] == ")")


def _once(text: str) -> str:
    """Say an item once where a model said handle and title side by side: `#1 Red bowl`, `"Red bowl" (#1)`."""
    while True:
        shorter = _TWICE.sub(lambda m: f"{OPEN}{m[1]}{CLOSE}{m[2]}{'' if m[3] else m[4]}", text)
        if shorter == text:
            return text
        text = shorter
