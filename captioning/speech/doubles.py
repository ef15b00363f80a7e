"""Speech models for tests and demonstrations: one that always invents, one that reads a script, a tiny Whisper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from captioning.speech.base import RATE, Floats, Heard, Segment, Word
from catalog.workspace import content_key


class InventingModel:
    """Hears the same sentence in everything, and is sure of it.

    Attributes:
        calls: Lengths in seconds of all it was given.
    """

    model = "inventing-double"

    def __init__(self, text: str = "Thank you for watching!", language: str = "en") -> None:
        self.settings_sha = content_key("inventing", text, language)
        self.calls: list[float] = []
        self._text, self._language = text, language

    def hear(self, samples: Floats, language: str | None = None) -> Heard:
        """Return the sentence, its words spread evenly over the sound."""
        seconds = len(samples) / RATE
        self.calls.append(seconds)
        words = self._text.split()
        step = seconds / max(1, len(words))
        placed = tuple(Word(word, at * step, (at + 1) * step, 0.99) for at, word in enumerate(words))
        segment = Segment(self._text, 0.0, seconds, placed, no_speech=0.01, logprob=-0.05, compression=1.0)
        return Heard((segment,), language or self._language, None if language else 0.99)


class ScriptedModel:
    """Answers with given segments, one list a call, the last for ever.

    Attributes:
        languages: What it was told of the language, a call each.
    """

    model = "scripted-double"

    def __init__(self, answers: Sequence[Sequence[Segment]], language: str = "en") -> None:
        self.settings_sha = content_key("scripted", [[vars_of(each) for each in answer] for answer in answers])
        self.languages: list[str | None] = []
        self._answers, self._language = list(answers), language

    def hear(self, samples: Floats, language: str | None = None) -> Heard:
        """Return the next answer."""
        answer = self._answers[min(len(self.languages), len(self._answers) - 1)]
        self.languages.append(language)
        return Heard(tuple(answer), language or self._language, None if language else 0.9)


def vars_of(segment: Segment) -> tuple[str, float, float]:
    """Return what tells one scripted segment from another."""
    return segment.text, segment.start, segment.end


def tiny_whisper(path: Path, seed: int = 0) -> Path:
    """Write a Whisper checkpoint of random weights under 8 MB, which the real loading code opens; return `path`.

    It proves the way, not the words: what it hears is gibberish.
    """
    import torch
    from whisper.model import ModelDimensions, Whisper

    dims = ModelDimensions(
        n_mels=80,
        n_audio_ctx=1500,
        n_audio_state=32,
        n_audio_head=2,
        n_audio_layer=1,
        n_vocab=51_865,  # multilingual from this size on
        n_text_ctx=448,
        n_text_state=32,
        n_text_head=2,
        n_text_layer=1,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Whisper(dims)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.02)  # some are left uninitialised by the library
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"dims": dims.__dict__, "model_state_dict": model.state_dict()}, path)
    return path
