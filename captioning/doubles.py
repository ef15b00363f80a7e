"""Captioners for tests and demonstrations of the job itself; they do not look at the pixels' meaning."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from captioning.base import Picture, Words
from catalog.workspace import content_key


class SlowCaptioner:
    """Says the size and mean colour of a picture, slowly, and writes down every call.

    Args:
        delay: Seconds a picture takes.
        diary: A file that gets the line `item_id media` for every picture captioned; it survives a kill.
        refuse: Media references answered by a failure.
    """

    name = "slow"
    model = "slow-double"
    prompt_sha = content_key("slow", 1)

    def __init__(self, delay: float = 0.0, diary: Path | None = None, refuse: Sequence[str] = ()) -> None:
        self._delay = delay
        self._diary = diary
        self._refuse = frozenset(refuse)

    def caption(self, pictures: Sequence[Picture]) -> list[Words]:
        """Return the words of each picture, in order."""
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: Picture) -> Words:
        time.sleep(self._delay)
        if self._diary is not None:
            with self._diary.open("a", encoding="utf-8") as file:
                file.write(f"{picture.item_id} {picture.media}\n")
        if picture.media in self._refuse:
            return Words(None, f"refusal: not {picture.media}")
        width, height = picture.image.size
        red, green, blue = picture.image.resize((1, 1)).convert("RGB").tobytes()
        return Words(f"{width} by {height} pixels, mean colour {red} {green} {blue}")
