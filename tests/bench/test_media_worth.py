"""What each medium is worth: what the bench has to read for it."""

from __future__ import annotations

import pytest

from bench.media_worth import ADDED, reads_words


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
