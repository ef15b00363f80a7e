"""Columns of text that line up, in as many blocks as the width asks for."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

GAP = "  "


def aligned(rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Return rows of cells, the first its header, as lines; the first `left` columns to the left, others right."""
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        GAP.join(
            cell.ljust(width) if at < left else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def blocks(rows: Sequence[Sequence[str]], width: int) -> Iterator[list[str]]:
    """Yield `rows` in blocks of columns no wider than `width` where that can be, the first column in each."""
    widths = [max(len(row[at]) for row in rows) + len(GAP) for at in range(len(rows[0]))]
    taken: list[int] = []
    for at in range(1, len(widths)):
        if taken and widths[0] + sum(widths[each] for each in [*taken, at]) - len(GAP) > width:
            yield aligned([[row[0], *(row[each] for each in taken)] for row in rows])
            taken = []
        taken.append(at)
    yield aligned([[row[0], *(row[each] for each in taken)] for row in rows])


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return a sentence as lines of at most `width`, the second and later ones behind `indent`; no word is broken."""
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
