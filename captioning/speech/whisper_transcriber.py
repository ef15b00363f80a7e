"""Whisper, by the library openai-whisper; nothing is downloaded.

Besides the doubles, the only module that imports it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import math
import os
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from captioning.speech.base import Floats, Heard, Segment, Word
from catalog.errors import ConfigError, did_you_mean
from catalog.workspace import content_key
from embedding.opening import MOST_THREADS, why_not_opened
from embedding.torch_running import torch_threads

if TYPE_CHECKING:
    from whisper import Whisper

MOST_HINT_TOKENS = 200
"""Whisper reads no more than 223 tokens of a prompt, the last ones."""

VALID = "a .pt file of openai-whisper would be valid"


class WhisperConfig(BaseModel):
    """Which Whisper, and how it hears."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = "base"
    """Path of a `.pt` checkpoint, or a name such as `tiny`, `base`, `small`, `large-v3` or `turbo` whose file lies in
    `folder`."""
    folder: Path | None = None
    """Where files of known names lie. None: where openai-whisper keeps them, `~/.cache/whisper`."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto` takes a GPU where there is one. Half precision is used there only."""
    prompt: str | None = None
    """What the model is told went before: it follows its spelling and style. Changes transcripts."""
    vocabulary: tuple[str, ...] = ()
    """Names to expect, such as brands and products; as many as fit into 200 tokens. Changes transcripts."""
    word_times: bool = True
    """Whether words have times; a tenth slower."""
    temperatures: tuple[float, ...] = Field((0.0,), min_length=1)
    """The first is tried first; others when its words are unlikely or a loop, with `seed`. Changes transcripts."""
    beam_size: int | None = Field(None, ge=1)
    """Beams at temperature 0; None is greedy. Changes transcripts."""
    max_tokens: int | None = Field(None, ge=1)
    """Most tokens of half a minute; None: 224. Changes transcripts."""
    seed: int = Field(0, ge=0)
    """Of temperatures above 0."""
    threads: int | None = Field(None, ge=1, le=MOST_THREADS)
    """Threads of torch, for the whole process. None leaves them."""

    @field_validator("temperatures", mode="before")
    @classmethod
    def _between_0_and_1(cls, told: object) -> object:
        numbers = told if isinstance(told, list | tuple) else ()
        if not numbers or not all(isinstance(each, int | float) and 0 <= each <= 1 for each in numbers):  # NaN neither
            raise PydanticCustomError("temperatures", "numbers between 0 and 1 would be valid, such as [0.0, 0.4, 0.8]")
        return told


class WhisperModel:
    """A bare Whisper; loads at first use, so that it can be sent to another process before.

    Args:
        config: Which Whisper, and how it hears.
        model: Its provenance where it is known; otherwise the checkpoint is hashed.

    Raises:
        ConfigError: When openai-whisper or the checkpoint is not there; the text says how to place it.
    """

    def __init__(self, config: WhisperConfig | None = None, model: str | None = None) -> None:
        self._config = config or WhisperConfig()
        self._path, expected = find_checkpoint(self._config)
        self.model = model or f"whisper {self._path.stem} {_checked_sha(self._path, expected)[:12]}"
        unchanging = {"model", "folder", "device", "threads"}
        self.settings_sha = content_key("whisper", self._config.model_dump(exclude=unchanging))
        self._lock = threading.Lock()  # word times are read off hooks in the network: one at a time
        self._loaded: Whisper | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return WhisperModel, (self._config, self.model)

    def hear(self, samples: Floats, language: str | None = None) -> Heard:
        """Return what it claims to hear; see `SpeechModel`.

        Raises:
            ConfigError: When the language is none it knows, the checkpoint cannot be loaded, or its probabilities are
                no numbers.
        """
        import torch

        with self._lock, torch_threads(self._config.threads), torch.random.fork_rng():
            torch.manual_seed(self._config.seed)
            model = self._load()
            language, probability = self._language(model, samples, language)
            try:
                told = model.transcribe(
                    samples,
                    language=language,
                    fp16=model.device.type == "cuda",
                    temperature=self._config.temperatures,
                    sample_len=self._config.max_tokens,
                    beam_size=self._config.beam_size,
                    word_timestamps=self._config.word_times,
                    initial_prompt=self._prompt(model),
                    condition_on_previous_text=False,  # it is what makes loops last
                    no_speech_threshold=None,  # the guards judge, and say what they dropped
                )
            except ValueError as error:  # torch draws no word from what is no distribution
                if "nan" not in str(error):
                    raise
                raise self._not_finite() from error
        segments = tuple(_segment(each) for each in told["segments"])
        claimed = [value for each in segments for value in (each.logprob, each.no_speech)]
        if not all(math.isfinite(value) for value in (*claimed, probability or 0.0)):
            raise self._not_finite()
        return Heard(segments, language, probability)

    def load(self) -> None:
        """Load the weights now, so that a checkpoint that is none is found before the first sound.

        Raises:
            ConfigError: When it cannot be loaded, or its weights are not finite.
        """
        with self._lock:
            self._load()

    def _not_finite(self) -> ConfigError:
        return ConfigError(f"{str(self._path)!r}: its probabilities are no finite numbers; {VALID}")

    def _load(self) -> Whisper:
        if self._loaded is not None:
            return self._loaded
        import torch
        import whisper
        from whisper.tokenizer import get_tokenizer

        config = self._config
        device = config.device
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        if device == "cuda" and not torch.cuda.is_available():
            raise ConfigError("speech.whisper.device is 'cuda' and torch finds none; 'cpu' or 'auto' would be valid")
        try:
            model = whisper.load_model(str(self._path), device=device)  # reads weights only, unpickles nothing else
        except MemoryError:
            raise
        except Exception as error:  # no pickle, cut off, empty, other shapes, other keys: there is no common base
            raise ConfigError(
                f"{str(self._path)!r} is no Whisper checkpoint: {why_not_opened(error)}; {VALID}"
            ) from error
        if not all(bool(torch.isfinite(weights).all()) for weights in model.state_dict().values()):
            raise ConfigError(f"{str(self._path)!r}: its weights are not finite; {VALID}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # the library leaves its vocabulary file open, once
            get_tokenizer(model.is_multilingual, num_languages=model.num_languages)
        heads = whisper._ALIGNMENT_HEADS.get(self._path.stem)
        if heads is not None:  # known heads tell word times better than the default, all upper ones
            with contextlib.suppress(RuntimeError):  # another network under a known name
                model.set_alignment_heads(heads)
        self._loaded = model
        return model

    def _language(self, model: Whisper, samples: Floats, language: str | None) -> tuple[str, float | None]:
        import whisper
        from whisper.tokenizer import LANGUAGES

        if language is not None:
            if language not in LANGUAGES:
                raise ConfigError(f"language {language!r} of speech: {did_you_mean(language, sorted(LANGUAGES))}")
            return language, None
        if not model.is_multilingual:
            return "en", None
        mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(samples), model.dims.n_mels).to(model.device)
        likely: dict[str, float] = model.detect_language(mel.half() if model.device.type == "cuda" else mel)[1]
        best = max(sorted(likely), key=likely.__getitem__)
        return best, round(float(likely[best]), 4)

    def _prompt(self, model: Whisper) -> str | None:
        if not self._config.vocabulary:
            return self._config.prompt
        from whisper.tokenizer import get_tokenizer

        tokenizer = get_tokenizer(model.is_multilingual, num_languages=model.num_languages)
        names = list(self._config.vocabulary)
        while True:
            text = f"{', '.join(names)}. {self._config.prompt or ''}".strip()
            if len(names) <= 1 or len(tokenizer.encode(" " + text)) <= MOST_HINT_TOKENS:
                return text
            names.pop()


def find_checkpoint(config: WhisperConfig) -> tuple[Path, str | None]:
    """Return the file of the model, and the sha256 it must have where the library says so; nothing is read.

    Raises:
        ConfigError: When openai-whisper is not installed, the name unknown or the file not there.
    """
    if importlib.util.find_spec("whisper") is None:
        raise ConfigError(
            "speech.transcriber is 'whisper' and openai-whisper is not installed: in the checkout, "
            "pip install -e '.[voice]' -c constraints.txt"
        )
    path = Path(config.model).expanduser()
    if path.is_file():
        return path, None
    import whisper

    known = whisper._MODELS
    if config.model not in known:
        raise ConfigError(
            f"speech.whisper.model {config.model!r} is neither a file nor a known name. "
            f"{did_you_mean(config.model, sorted(known))}"
        )
    url = known[config.model]
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "whisper"
    path = (config.folder or cache) / url.rsplit("/", 1)[1]
    if not path.is_file():
        raise ConfigError(
            f"speech.whisper.model {config.model!r} is not in {str(path.parent)!r} and nothing is downloaded: "
            f"place the file of {url} there, or set speech.whisper.model to a .pt file"
        )
    return path, url.split("/")[-2]


def _checked_sha(path: Path, expected: str | None) -> str:
    with path.open("rb") as file:
        sha = hashlib.file_digest(file, "sha256").hexdigest()
    if expected is not None and sha != expected:
        raise ConfigError(
            f"{str(path)!r} is damaged or another file: its sha256 begins {sha[:12]}, not {expected[:12]}"
        )
    return sha


def _segment(told: dict[str, Any]) -> Segment:
    return Segment(
        told["text"],
        float(told["start"]),
        float(told["end"]),
        tuple(
            Word(each["word"].strip(), float(each["start"]), float(each["end"]), round(float(each["probability"]), 4))
            for each in told.get("words", ())
            if each["word"].strip()
        ),
        no_speech=float(told["no_speech_prob"]),
        logprob=float(told["avg_logprob"]),
        compression=float(told["compression_ratio"]),
    )
