from __future__ import annotations

import copy
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from captioning.speech.base import RATE, Floats
from captioning.speech.doors import transcribe_bytes, transcribe_file
from captioning.speech.doubles import tiny_whisper
from captioning.speech.guards import GuardConfig, GuardedTranscriber
from captioning.speech.sounds import at_level, babble, unspoken
from captioning.speech.whisper_transcriber import WhisperConfig, WhisperModel
from catalog.errors import ConfigError

pytest.importorskip("whisper")

SPEECH = Path(os.environ.get("TEST_DATA") or Path(__file__).parents[3] / "shared" / "data") / "speech"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny-random.pt")


@pytest.fixture(scope="module")
def model(checkpoint: Path) -> WhisperModel:
    return WhisperModel(WhisperConfig(model=str(checkpoint), max_tokens=16, vocabulary=("Orla lamp",), prompt="Calls."))


@pytest.fixture(scope="module")
def quick(model: WhisperModel) -> WhisperModel:
    return WhisperModel(model._config.model_copy(update={"max_tokens": 4, "word_times": False}))


def talk(seconds: float = 2.0) -> Floats:
    return at_level(babble(np.random.default_rng(0), int(seconds * RATE)), -22)


def test_a_model_of_random_weights_goes_the_whole_way(model: WhisperModel) -> None:
    found = GuardedTranscriber(model, "tiny", guards=GuardConfig(checks="report")).transcribe(talk())
    assert found.text and found.words and found.seconds == 2.0
    assert found.language is not None and 0 < (found.language_probability or 0) < 0.1  # 99 languages, none likely
    assert all(0 <= word.start <= word.end <= 2.0 for word in found.words)
    assert "log probability" in (found.detail or "")


def test_its_gibberish_is_refused(quick: WhisperModel) -> None:
    found = GuardedTranscriber(quick, "tiny").transcribe(talk())
    assert (found.text, found.words, found.language) == (None, (), None)
    assert found.reason in ("uncertain", "no speech")


def test_it_is_not_loaded_for_silence_noise_and_music(checkpoint: Path) -> None:
    model = WhisperModel(WhisperConfig(model=str(checkpoint)))
    transcriber = GuardedTranscriber(model, "tiny", guards=GuardConfig(checks="report"))
    for _kind, name, samples in unspoken(seconds=2.0, levels=(-25.0,), seed=7):
        assert transcriber.transcribe(samples).text is None, name
    assert model._loaded is None


def test_the_same_sound_gives_the_same_words_in_every_process(quick: WhisperModel) -> None:
    first = quick.hear(talk(), "en")
    other = copy.copy(quick)
    assert other._loaded is None and other.model == quick.model and other.settings_sha == quick.settings_sha
    assert other.hear(talk(), "en") == first
    assert quick.hear(talk(), "en") == first


def test_higher_temperatures_are_seeded(checkpoint: Path) -> None:
    config = WhisperConfig(model=str(checkpoint), max_tokens=6, temperatures=(0.0, 0.8), word_times=False, seed=3)
    first, second = (WhisperModel(config).hear(talk(), "en") for _ in range(2))
    assert first == second


def test_provenance_names_the_weights(checkpoint: Path, tmp_path: Path) -> None:
    other = tiny_whisper(tmp_path / "other.pt", seed=1)
    first, second = (WhisperModel(WhisperConfig(model=str(path))) for path in (checkpoint, other))
    assert first.model.startswith("whisper tiny-random ") and first.model != second.model
    assert first.settings_sha == second.settings_sha
    assert WhisperModel(WhisperConfig(model=str(other), prompt="x")).settings_sha != second.settings_sha


def test_what_is_not_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, checkpoint: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match=r"'small' is not in .* nothing is downloaded: place the file of .*small\.pt"):
        WhisperModel(WhisperConfig(model="small"))
    with pytest.raises(ConfigError, match="Did you mean 'small'"):
        WhisperModel(WhisperConfig(model="smal"))
    (tmp_path / "whisper").mkdir()
    (tmp_path / "whisper" / "small.pt").write_bytes(b"half a file")
    with pytest.raises(ConfigError, match="damaged or another file"):
        WhisperModel(WhisperConfig(model="small"))
    (tmp_path / "notes.pt").write_text("no weights")
    with pytest.raises(ConfigError, match="is no Whisper checkpoint"):
        WhisperModel(WhisperConfig(model=str(tmp_path / "notes.pt"))).hear(talk())
    with pytest.raises(ConfigError, match="language 'klingon'"):
        WhisperModel(WhisperConfig(model=str(checkpoint))).hear(talk(), "klingon")


def test_hints_are_cut_to_what_whisper_reads(checkpoint: Path) -> None:
    names = tuple(f"Zephyrine scarf number {k}" for k in range(300))
    model = WhisperModel(WhisperConfig(model=str(checkpoint), vocabulary=names, prompt="Hello.", max_tokens=2))
    prompt = model._prompt(model._load()) or ""
    assert prompt.startswith(names[0]) and prompt.endswith("Hello.") and names[-1] not in prompt
    model.hear(talk(), "en")


def rewritten(checkpoint: Path, path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    found = torch.load(checkpoint, weights_only=True)
    change(found)
    torch.save(found, path)
    return path


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "dims": (lambda found: found.pop("dims"), "is no Whisper checkpoint: it has no 'dims'"),
    "weights": (lambda found: found.pop("model_state_dict"), "is no Whisper checkpoint: it has no 'model_state_dict'"),
    "shapes": (lambda found: found["dims"].update(n_vocab=60_000), "size mismatch for decoder.token_embedding.weight"),
    "nan": (
        lambda found: found["model_state_dict"]["decoder.ln.weight"].fill_(float("nan")),
        "its weights are not finite",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_in_a_checkpoint_is_one_line(checkpoint: Path, tmp_path: Path, fault: str) -> None:
    change, line = FAULTS[fault]
    path = rewritten(checkpoint, tmp_path / "odd.pt", change)
    with pytest.raises(ConfigError, match=line) as caught:
        WhisperModel(WhisperConfig(model=str(path))).load()
    text = str(caught.value)
    assert str(path) in text and "a .pt file of openai-whisper would be valid" in text and "\n" not in text


def test_an_empty_or_cut_file_is_no_checkpoint(checkpoint: Path, tmp_path: Path) -> None:
    for data in (b"", checkpoint.read_bytes()[:5000]):
        (tmp_path / "zero.pt").write_bytes(data)
        with pytest.raises(ConfigError, match=r"zero\.pt' is no Whisper checkpoint: a weights file is "):
            WhisperModel(WhisperConfig(model=str(tmp_path / "zero.pt"))).load()


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_probabilities_that_are_no_numbers_are_refused(checkpoint: Path, tmp_path: Path, temperature: float) -> None:
    path = rewritten(
        checkpoint, tmp_path / "huge.pt", lambda found: found["model_state_dict"]["decoder.ln.weight"].fill_(3e38)
    )
    config = WhisperConfig(model=str(path), max_tokens=4, word_times=False, temperatures=(temperature,))
    with pytest.raises(ConfigError, match="its probabilities are no finite numbers"):
        WhisperModel(config).hear(talk(), "en")


@pytest.mark.parametrize("bad", [float("nan"), -0.5, float("inf"), "nan"])
def test_temperatures_and_threads_have_bounds(bad: float | str) -> None:
    with pytest.raises(ValidationError, match="numbers between 0 and 1 would be valid"):
        WhisperConfig.model_validate({"temperatures": (0.0, bad)})
    with pytest.raises(ValidationError, match="less than or equal to 256"):
        WhisperConfig(threads=100_000)


@pytest.mark.realdata
def test_every_recording_goes_the_whole_way(quick: WhisperModel) -> None:
    paths = sorted([*SPEECH.rglob("*.wav"), *SPEECH.rglob("*.flac")])
    if not paths:
        pytest.skip(f"no speech in {SPEECH}")
    transcriber = GuardedTranscriber(quick, "tiny", guards=GuardConfig(checks="report"))
    for path in paths:
        found = transcribe_file(transcriber, str(path), SPEECH)
        assert found.text or found.reason == "no speech", path  # a model was asked: the voice was found
        assert found.seconds > 1
    assert transcribe_bytes(transcriber, paths[0].read_bytes()).seconds > 1
