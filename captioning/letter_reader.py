"""Reads printed capitals from pixels, by their likeness to the letters of Pillow's own font: eyes for a test double."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from captioning.probe_pictures import letter_font

CELL = (20, 28)
"""Width and height that every letter is scaled to before it is compared."""
CONTRAST = 60.0
"""Grey levels between ink and paper below which a picture holds no letters."""


def read_capitals(image: Image.Image) -> list[str]:
    """Return the words of a picture, one a line, from top to bottom; letters that touch are read as one."""
    grey = np.asarray(image.convert("L"), np.float64)
    off = np.abs(grey - np.median(grey))
    if off.max() < CONTRAST:
        return []
    ink = off / off.max()
    words = []
    for top, bottom in _runs(ink.max(axis=1) > 0.5):
        line = ink[top:bottom]
        letters = [line[:, left:right] for left, right in _runs(line.max(axis=0) > 0.5)]
        words.append("".join(_letter(letter) for letter in letters))
    return words


def _letter(ink: NDArray[np.float64]) -> str:
    cell = _cell(ink)
    return min(ascii_uppercase, key=lambda letter: float(np.abs(_templates()[letter] - cell).mean()))


@cache
def _templates() -> dict[str, NDArray[np.float64]]:
    drawn = {}
    for letter in ascii_uppercase:
        image = Image.new("L", (160, 160), 0)
        ImageDraw.Draw(image).text((30, 20), letter, font=letter_font(), fill=255)
        drawn[letter] = _cell(np.asarray(image, np.float64) / 255)
    return drawn


def _cell(ink: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut a letter out and scale it to `CELL`."""
    rows, columns = np.flatnonzero((ink > 0.5).any(axis=1)), np.flatnonzero((ink > 0.5).any(axis=0))
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scaled = Image.fromarray((cut * 255).astype(np.uint8)).resize(CELL, Image.Resampling.BILINEAR)
    return np.asarray(scaled, np.float64) / 255


def _runs(there: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Yield start and end of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
