from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from captioning.speech.base import RATE, Floats
from captioning.speech.doubles import InventingModel
from captioning.speech.guards import GuardedTranscriber
from captioning.speech.microphone import Chunk, MicrophoneConfig, SpeechStream, Utterance, listen, microphone_chunks
from captioning.speech.sounds import at_level, babble, coloured, silence
from catalog.errors import ConfigError, DataError


def talk(seconds: float, seed: int = 0) -> Floats:
    return at_level(babble(np.random.default_rng(seed), int(seconds * RATE)), -22)


def transcriber() -> GuardedTranscriber:
    return GuardedTranscriber(InventingModel("ten of clubs"), "test")


def two_utterances() -> Floats:
    parts = [silence(2 * RATE), talk(2.0), silence(2 * RATE), talk(3.0, 1), silence(2 * RATE)]
    sound = np.concatenate(parts)
    return sound + at_level(coloured(1.0)(np.random.default_rng(9), len(sound)), -55)


def cut(sound: np.ndarray, size: int) -> Iterator[np.ndarray]:
    for at in range(0, len(sound), size):
        yield sound[at : at + size]


def check_two(found: list[Utterance]) -> None:
    assert [each.transcript.text for each in found] == ["ten of clubs"] * 2
    first, second = found
    assert 1.0 < first.start < 2.2 and 3.8 < first.end < 5.2
    assert 4.5 < second.start < 6.2 and 8.8 < second.end < 10.2
    assert first.end <= second.start and not first.partial


@pytest.mark.parametrize("size", [160, 1_777, 48_000, 10**6])
def test_utterances_are_cut_at_pauses_whatever_the_chunks(size: int) -> None:
    check_two(list(listen(cut(two_utterances(), size), transcriber(), rate=RATE)))


def as_bytes(sound: Floats) -> Iterator[Chunk]:
    data = np.round(sound * 32_767).astype("<i2").tobytes()
    for at in range(0, len(data), 4_001):  # splits samples in two
        yield data[at : at + 4_001]


def as_stereo(sound: Floats) -> Iterator[Chunk]:
    both = np.repeat(np.round(sound * 32_767).astype(np.int16)[:, None], 2, axis=1)
    yield from cut(both, 3_000)


def as_stereo_bytes(sound: Floats) -> Iterator[Chunk]:
    yield from (np.asarray(chunk).astype("<i2").tobytes() for chunk in as_stereo(sound))


@pytest.mark.parametrize(("form", "channels"), [(as_bytes, 1), (as_stereo, 1), (as_stereo_bytes, 2)])
def test_every_form_of_chunk(form, channels: int) -> None:  # type: ignore[no-untyped-def]
    check_two(list(listen(form(two_utterances()), transcriber(), rate=RATE, channels=channels)))


def test_another_rate_is_resampled_without_seams() -> None:
    sound = np.repeat(two_utterances(), 3)  # 48 kHz, as a browser records
    check_two(list(listen(cut(sound, 4_800), transcriber(), rate=48_000)))


def test_silence_and_noise_say_nothing() -> None:
    noise = at_level(coloured(1.0)(np.random.default_rng(0), 20 * RATE), -30)
    assert list(listen(cut(noise, 1_600), transcriber(), rate=RATE)) == []
    assert list(listen([silence(10 * RATE)], transcriber(), rate=RATE)) == []
    assert list(listen([], transcriber(), rate=RATE)) == []


def test_a_voice_at_the_end_of_the_stream_is_heard() -> None:
    (found,) = listen(cut(np.concatenate([silence(RATE), talk(1.5)]), 1_600), transcriber(), rate=RATE)
    assert found.transcript.text == "ten of clubs" and found.end == pytest.approx(2.5, abs=0.01)


def test_who_never_pauses_is_cut() -> None:
    config = MicrophoneConfig(longest_seconds=5.0)
    found = list(listen(cut(talk(14.0), 1_600), transcriber(), rate=RATE, config=config))
    assert len(found) == 3 and all(each.end - each.start <= 5.3 for each in found)


def test_partial_results_come_before_the_whole() -> None:
    config = MicrophoneConfig(partial_seconds=1.0)
    found = list(
        listen(cut(np.concatenate([talk(4.0), silence(2 * RATE)]), 1_600), transcriber(), rate=RATE, config=config)
    )
    assert [each.partial for each in found[-2:]] == [True, False] and 2 <= sum(each.partial for each in found) <= 4


def test_memory_does_not_grow_while_nobody_speaks() -> None:
    stream = SpeechStream(transcriber(), rate=RATE)
    for _ in range(60):
        list(stream.feed(silence(RATE)))
    assert len(stream._sound) < 3 * RATE


def test_what_is_no_sound_is_refused() -> None:
    for chunk in (np.array(["a"]), np.zeros((2, 2, 2), np.float32), np.zeros(3, complex)):
        with pytest.raises(DataError, match="a chunk of"):
            list(listen([chunk], transcriber(), rate=RATE))
    with pytest.raises(DataError, match="rate=0"):
        list(listen([], transcriber(), rate=0))


def test_a_missing_microphone_library_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ConfigError, match="pip install sounddevice"):
        next(microphone_chunks())
