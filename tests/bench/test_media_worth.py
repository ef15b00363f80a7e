"""What each medium is worth: what the bench has to read for it."""

from __future__ import annotations

import numpy as np
import pytest

from bench.media_worth import ADDED, pooled_rows, reads_words


@pytest.mark.parametrize(
    ("parts", "added", "needed"),
    [
        (("added",), ("captions", "video"), False),
        (("added",), ("video", "reviews"), True),
        (("added",), tuple(ADDED), True),
        (("added", "left out"), ("video",), True),
    ],
)
def test_words_are_read_only_where_a_row_needs_them(
    parts: tuple[str, ...], added: tuple[str, ...], needed: bool
) -> None:
    assert reads_words(parts, added) is needed


def test_shops_are_pooled_by_shopper() -> None:
    first = {"video + text": (np.array([1.0, 1.0, 1.0]), np.zeros(3)), "reviews + text": (np.ones(3), np.zeros(3))}
    second = {"video + text": (np.array([0.0]), np.array([1.0]))}
    [line] = pooled_rows([first, second])
    assert line.startswith("video + text | | +0.5000 [")  # (3 * 1 - 1) / 4
    assert pooled_rows([first]) == []
