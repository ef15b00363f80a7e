"""Texts that were embedded before are not embedded again, and give the same vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from catalog.vectors import Floats
from embedding.base import TextEmbedder
from embedding.remembered import RememberedTexts


class Counting(TextEmbedder):
    name, model, dim = "counting", "double/counting", 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Floats:
        self.asked += texts
        return np.array([[len(text), 1] for text in texts], np.float32)


def test_each_text_is_asked_once_and_order_and_repeats_are_kept() -> None:
    counting = Counting()
    remembered = RememberedTexts(counting)
    assert remembered.embed(["ab", "c", "ab"]).tolist() == [[2, 1], [1, 1], [2, 1]]
    assert remembered.embed(["ddd", "c"]).tolist() == [[3, 1], [1, 1]]
    assert counting.asked == ["ab", "c", "ddd"] and remembered.embed([]).shape == (0, 2)


def test_what_was_embedded_first_is_forgotten_first() -> None:
    counting = Counting()
    remembered = RememberedTexts(counting, limit=2)
    for text in ("a", "b", "c", "b", "a"):
        remembered.embed([text])
    assert counting.asked == ["a", "b", "c", "a"]
