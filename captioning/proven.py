"""A model that proves that it sees before it answers anything else."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal

from captioning.probe import Check, demand, examine
from captioning.vision import Answer, Ask, ChatVision
from catalog.workspace import content_key

ProbeMode = Literal["run", "off"]


class ProvenVision:
    """A `ChatVision` around another: the first question of a process waits until the probe was passed.

    A run without anything to caption asks nothing and so costs no probe. A copy in another process (a Ray actor)
    starts unproven, and so proves the model that it loaded or reaches itself. Answers without proof are other answers:
    `off` changes `settings_sha`, so that a later run with the probe does not take them over.

    Args:
        vision: The model.
        mode: `off` asks without any proof.
        videos: Whether the frames are proven at once; else when the first clip comes.
        rng: Draws what is shown; None: the system's own randomness.

    Attributes:
        stamp: What the manifest of captions says about it.
    """

    def __init__(
        self, vision: ChatVision, mode: ProbeMode = "run", *, videos: bool = False, rng: Random | None = None
    ) -> None:
        self.vision = vision
        self.mode: ProbeMode = mode
        self.name = vision.name
        self.model = vision.model
        self.settings_sha = vision.settings_sha if mode == "run" else content_key(vision.settings_sha, "unproven")
        self.stamp: Mapping[str, str] = {"probe": mode}
        self._videos = videos
        self._rng = rng
        self._proven: frozenset[Check] = frozenset()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.vision, self.mode, self._videos, self._rng)

    def expect_videos(self) -> None:
        """Prove the frames with everything else, before the first picture."""
        self._videos = True

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Return one answer a question, in order.

        Raises:
            ServiceError: When the model cannot be reached, or failed the probe.
        """
        if self.mode == "run" and asks:
            self._prove(self._videos or any(ask.clip is not None for ask in asks))
        return self.vision.answer(asks)

    def _prove(self, videos: bool) -> None:
        needed: tuple[Check, ...] = ("pictures", "schema", "frames") if videos else ("pictures", "schema")
        with self._lock:  # others wait for the one probe
            missing = [check for check in needed if check not in self._proven]
            if missing:
                demand(examine(self.vision, missing, self._rng), self.model)
                self._proven |= set(missing)


def expect_videos(captioner: object) -> None:
    """Tell a captioner whose model proves itself that clips will come; others have nothing to prove."""
    vision = getattr(captioner, "vision", None)
    if isinstance(vision, ProvenVision):
        vision.expect_videos()


def _again(vision: ChatVision, mode: ProbeMode, videos: bool, rng: Random | None) -> ProvenVision:
    return ProvenVision(vision, mode, videos=videos, rng=rng)
