"""The seam under every MLLM: a question about pictures or a clip, and its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from batch.base import Usage
from captioning.base import Clip, Picture


@dataclass(frozen=True, slots=True)
class Ask:
    """One question.

    Attributes:
        system: The standing rules.
        instruction: What is asked, after the pictures.
        pictures: Shown in this order; or
        clip: shown as the frames of one video, with their true times.
        schema: JSON schema of the answer; None leaves the answer free.
        max_tokens: Bound on the answer.
    """

    system: str
    instruction: str
    pictures: tuple[Picture, ...] = ()
    clip: Clip | None = None
    schema: Mapping[str, Any] | None = None
    max_tokens: int = 400


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the model's words as they are, or why there are none.

    Attributes:
        content: The words.
        failure: `reason: detail`, where there are none.
        retryable: Whether the same question may be answered later.
        cut: Whether the words stop at `max_tokens`.
        usage: Tokens read and written.
    """

    content: str | None
    failure: str | None = None
    retryable: bool = False
    cut: bool = False
    usage: Usage | None = None


class ChatVision(Protocol):
    """A multimodal model that answers questions; it loads nothing until the first one.

    `settings_sha` hashes what changes its words. An instance can be sent to another process before it is
    loaded, and loads there.
    """

    name: str
    model: str
    settings_sha: str

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Return one answer a question, in order.

        Raises:
            ServiceError: When the model cannot be reached or loaded; nothing was answered.
        """
