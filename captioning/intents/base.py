"""The seam of intent extraction: texts of a shop's log in, typed spans of them out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from batch.base import Usage
from catalog.intents import IntentSpan, TextSource


@dataclass(frozen=True, slots=True)
class Utterance:
    """One text of the log: what kind of text it is, and with a review its stars (1 to 5)."""

    text: str
    source: TextSource
    stars: float | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """What one text says, or the reason why nobody can tell.

    Attributes:
        spans: Intents in order of place; none is a finding as well.
        refused: What was answered and not taken, counted by reason: `not verbatim`, `unknown kind`, ...
        failure: `reason: detail` where there is no answer; the part before the colon is what failures are counted by.
        usage: Tokens it cost.
    """

    spans: tuple[IntentSpan, ...] = ()
    refused: Mapping[str, int] = field(default_factory=dict)
    failure: str | None = None
    usage: Usage | None = None


class IntentExtractor(Protocol):
    """Reads intents from texts.

    `name` is the readable name of the artifact (`intents/<name>`), `model` and `settings_sha` its provenance and part
    of every content key. The job may call it from several threads at once, and send it to another process.
    """

    name: str
    model: str
    settings_sha: str

    def extract(self, texts: Sequence[Utterance]) -> list[Extracted]:
        """Return one `Extracted` a text, in order.

        Raises:
            ServiceError: When the model behind it is unreachable.
        """
