"""The words of `pixels`, read as a shop's labels by the best reading that garments which are not judged allow."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from bench.fashion_clip import FOLDER
from captioning.base import Picture
from captioning.pixels import PixelsCaptioner
from captioning.vocabulary import COLOURS
from catalog.media import MediaLimits, open_picture
from catalog.workspace import content_key, write_text
from embedding.clip_training.rows import Ints

_COLOURS = re.compile("|".join(sorted((re.escape(name) for name in COLOURS), key=len, reverse=True)))
_OBJECT = re.compile(r"^An? (.+?), (.+?) object( in \d+ parts)? in ")
_KINDS = {
    "category 3": ("proportion", "outline", "silhouette"),
    "pattern": ("pattern", "bare pattern", "finish"),
    "colour": ("colour", "colours"),
    "perceived": ("colour", "colours"),
}
"""Which of its words may speak of a label."""


class PixelsWords:
    """Captions of `pixels`, taken apart; kept, since they take a minute or two.

    Args:
        pictures: References below the garments' folder.
        cells: Where they are kept.
    """

    def __init__(self, pictures: Sequence[str], cells: Path) -> None:
        captioner = PixelsCaptioner()
        kept = cells / f"pixels-{content_key(captioner.prompt_sha, pictures)[:12]}.json"
        if not kept.is_file():
            shown = (Picture(ref, ref, open_picture(ref, FOLDER, MediaLimits())) for ref in pictures)
            write_text(kept, json.dumps([captioner.caption([each])[0].text or "" for each in shown]) + "\n")
        self.captions: list[str] = json.loads(kept.read_text())
        self._parts = [_apart(text) for text in self.captions]

    def words(self, label: str) -> list[list[str]]:
        """Return (ways, n) each way to read a label: one kind of word, or two together."""
        kinds = _KINDS[label]
        ways = [(kind,) for kind in kinds] + list(combinations(kinds, 2))
        return [["; ".join(part.get(kind, "") for kind in way) for part in self._parts] for way in ways]


def reading(ways: Sequence[Sequence[str]], truth: Sequence[str], known: Ints) -> list[str]:
    """Return the label that each garment's words stand for.

    A word is read as the label that most garments of that word have, a word that is not known as the commonest label.
    The way to read is the one that is right most often when each known garment is read by the others.

    Args:
        ways: (ways, n) words.
        truth: (n,) labels.
        known: Rows of the garments that are not judged.
    """
    commonest = Counter(truth[row] for row in known).most_common(1)[0][0]
    best, best_right = ways[0], -1
    for words in ways:
        counts = _counts(words, truth, known)
        right = 0
        for row in known:
            others = counts[words[row]].copy()
            others[truth[row]] -= 1
            label, count = max(others.items(), key=lambda each: (each[1], each[0]))
            right += (label if count else commonest) == truth[row]
        if right > best_right:
            best, best_right = words, right
    counts = _counts(best, truth, known)
    return [counts[word].most_common(1)[0][0] if word in counts else commonest for word in best]


def _counts(words: Sequence[str], truth: Sequence[str], rows: Ints) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for row in rows:
        found.setdefault(words[row], Counter())[truth[row]] += 1
    return found


def _apart(text: str) -> dict[str, str]:
    """Return the words of a caption by what they speak of."""
    sentences = text.split(". ")
    colours = _COLOURS.findall(sentences[0] if " object" in sentences[0] else text)
    found = {"colour": colours[0] if colours else "", "colours": " ".join(colours[:2])}
    if shape := _OBJECT.match(text):
        found |= {"proportion": shape[1], "outline": shape[2]}
    for sentence in sentences:
        name, _, rest = sentence.partition(": ")
        if name in ("Pattern", "Silhouette"):
            found[name.lower()] = rest.rstrip(".")
    found["bare pattern"] = re.sub(r"^(fine|small|medium|large|bold|broad|wide|narrow) ", "", found.get("pattern", ""))
    found["finish"] = sentences[-1].partition(",")[0]
    return found
