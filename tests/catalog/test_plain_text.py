"""Text of others on a terminal."""

from __future__ import annotations

import json
import unicodedata

import pytest

from catalog.plain_text import one_line, plain_json, plain_lines

SPOKEN = {
    "plain": ("Red vase, 25 €", "Red vase, 25 €"),
    "colour": ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
    "window title": ("\x1b]0;pwn\a", r"\x1b]0;pwn\x07"),
    "eight-bit escape": ("\x9b31mred", r"\x9b31mred"),
    "lines": ("red\r\nvase\u2028tall", "red  vase tall"),
    "blanks": ("35\u00a0€\tor so", "35 € or so"),
    "direction": ("\u202eesav\u2066", "esav"),
    "half a character": ("\ud800", r"\ud800"),
    "Persian": ("می\u200cخواهم", "می\u200cخواهم"),
    "a family": ("👩\u200d👧", "👩\u200d👧"),
}


@pytest.mark.parametrize(("text", "said"), SPOKEN.values(), ids=SPOKEN)
def test_one_line_says_what_can_be_said(text: str, said: str) -> None:
    assert one_line(text) == said


def test_nothing_that_steers_is_left_of_any_character() -> None:
    every = one_line("".join(map(chr, range(0x3000))))
    assert not [c for c in every if unicodedata.category(c) in ("Cc", "Cs") or c in "\u2028\u2029\u202e"]


def test_lines_stay_lines() -> None:
    assert plain_lines("a\x1b\nb\r\n") == "a\\x1b\nb \n"


def test_json_reads_the_same_and_is_plain() -> None:
    said = {"title": "\x1b[31m\x7f\x9b\u202e\U000e0041 vase €"}
    plain = plain_json(json.dumps(said, ensure_ascii=False, indent=1))
    assert json.loads(plain) == said and all(line.isprintable() for line in plain.splitlines())
