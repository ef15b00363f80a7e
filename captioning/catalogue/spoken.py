"""In how many captions the heads said something, and not only `pixels`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from captioning.catalogue.fields import Field
from captioning.catalogue.trained import load_trained
from captioning.catalogue.wording import sentence
from captioning.job import load_captions
from catalog.workspace import Workspace

CAPTIONS = "catalogue"


@dataclass(frozen=True, slots=True)
class Spoken:
    """How many captions there are, and how many of them begin with words of the heads."""

    captions: int
    heads: int

    def line(self, precision: float) -> str:
        """Return what is said of it on the terminal."""
        if not self.heads:
            return (
                f"  the heads spoke in none of {self.captions:,} captions, since nothing was right often enough "
                f"(captions.catalogue.precision is {precision:g}): they say what pixels says; more items, or a lower "
                "precision, would let the heads speak"
            )
        rest = self.captions - self.heads
        return f"  the heads spoke in {self.heads:,} of {self.captions:,} captions" + (
            f"; the other {rest:,} say what pixels says" if rest else ""
        )


def spoken_captions(workspace: Workspace) -> Spoken:
    """Count the captions of `captions/catalogue` that begin as a sentence of the heads does.

    Raises:
        NotBuiltError: When the captions or the heads were never made.
        DataError: When they are damaged.
    """
    speakers = load_trained(workspace).speakers.values()
    begins = openings(list(dict.fromkeys(field for speaker in speakers for field in speaker.heads.fields)))
    texts = [row.text for rows in load_captions(workspace, CAPTIONS).values() for row in rows]
    return Spoken(len(texts), sum(text.startswith(begins) for text in texts))


def openings(fields: Sequence[Field]) -> tuple[str, ...]:
    """Return every beginning of a sentence about these fields, up to the mark that ends its first value."""
    found: set[str] = set()
    for field in fields:
        marks = (".", ":") if field.level is not None else (".", ",", " and ")
        for value in field.values:
            words = sentence([(field, (value,))]).removesuffix(".")
            found.update(f"{words}{mark}" for mark in marks)
    return tuple(sorted(found))
