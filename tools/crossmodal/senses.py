"""`Senses`: what turns a query's picture, film or voice into vectors and words, each part opened when first used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from catalog.errors import NotBuiltError, ToolUnavailable
from tools.crossmodal.config import CrossModalConfig

if TYPE_CHECKING:
    from captioning.base import Captioner
    from captioning.speech.base import Transcriber
    from embedding.base import ImageEmbedder
    from embedding.fusion.encoder import FusionEncoder
    from embedding.video.encoder import VideoEncoder

Part = TypeVar("Part", covariant=True)


class Sense(Generic[Part]):
    """A part that is opened at its first use, once, by one thread.

    Args:
        opened: Opens it; raises a `VitrineError` whose text says what is missing and which command makes it.
    """

    def __init__(self, opened: Callable[[], Part]) -> None:
        self._opened = opened
        self._found: list[Part] = []
        self._lock = threading.Lock()

    def get(self) -> Part:
        """Return the part.

        Raises:
            VitrineError: When it is missing; it is looked for again the next time.
        """
        with self._lock:
            if not self._found:
                self._found.append(self._opened())
            return self._found[0]


def missing(told: str) -> Sense[Part]:
    """Return a sense that is not there, and says so."""

    def refuse() -> Part:
        raise NotBuiltError(told)

    return Sense(refuse)


@dataclass(frozen=True)
class Seeing:
    """What makes vectors of films: the encoder, and what reads its frames."""

    encoder: VideoEncoder
    frames: ImageEmbedder


@dataclass(frozen=True)
class Senses:
    """What a shop can make of a query beyond its words; nothing is there unless wiring says so.

    Attributes:
        config: Limits and weights.
        pictures: Pictures, and words, to the space `picture-<name>`.
        captioner: Pictures and films to words, as those of the shop's captions.
        transcriber: Voice to words.
        films: Films to the space `video-<name>`.
        fusion: All of it to the space `fused`.
        frames: Frames of a film at most.
    """

    config: CrossModalConfig = field(default_factory=CrossModalConfig)
    pictures: Sense[ImageEmbedder] = field(
        default_factory=lambda: missing("no picture-text model: run vitrine train clip, then vitrine embed and index")
    )
    captioner: Sense[Captioner] = field(default_factory=lambda: missing("no captioner: run vitrine caption"))
    transcriber: Sense[Transcriber] = field(
        default_factory=lambda: missing("no speech model is configured (speech.transcriber)")
    )
    films: Sense[Seeing] = field(default_factory=lambda: missing("no video encoder: run vitrine train video"))
    fusion: Sense[FusionEncoder] = field(
        default_factory=lambda: missing("no fusion encoder: run vitrine train fusion, then vitrine index")
    )
    frames: int = 16

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn to read media: decoders and models take memory.

        Raises:
            ToolUnavailable: When too many are before.
        """
        if not self._turns.acquire(timeout=self.config.wait_seconds):
            raise ToolUnavailable(
                f"{self.config.at_once} queries with pictures, films or voices are being read already; try again later"
            )
        try:
            yield
        finally:
            self._turns.release()

    @cached_property
    def _turns(self) -> threading.BoundedSemaphore:
        return threading.BoundedSemaphore(self.config.at_once)
