from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from captioning.speech.base import RATE, Floats
from captioning.speech.frames import measure
from captioning.speech.sounds import MUSIC, NOISES, at_level, babble, dither, silence, tune
from captioning.speech.voice import find_voice
from catalog.media import MediaLimits, read_sound

SPEECH = Path(os.environ.get("TEST_DATA") or Path(__file__).parents[3] / "shared" / "data") / "speech"


def recordings() -> list[Path]:
    return sorted([*SPEECH.rglob("*.wav"), *SPEECH.rglob("*.flac")])


def read(path: Path) -> Floats:
    return read_sound(str(path), SPEECH, MediaLimits())


def talk(seconds: float = 4.0, level: float = -22.0, seed: int = 0) -> Floats:
    return at_level(babble(np.random.default_rng(seed), int(seconds * RATE)), level)


@pytest.mark.parametrize("level", [-55.0, -30.0, -12.0])
@pytest.mark.parametrize("name", NOISES)
def test_noise_is_no_voice(name: str, level: float) -> None:
    for seed, seconds in ((0, 1.0), (1, 6.0)):
        noise = at_level(NOISES[name](np.random.default_rng(seed), int(seconds * RATE)), level)
        assert find_voice(noise).spans == ()


@pytest.mark.parametrize("name", MUSIC)
def test_music_is_no_voice(name: str) -> None:
    for seed, seconds in ((0, 2.0), (1, 8.0)):
        found = find_voice(at_level(MUSIC[name](np.random.default_rng(seed), int(seconds * RATE)), -20))
        assert found.spans == ()
        if seconds > 4:
            assert found.reason == "music"


@pytest.mark.parametrize("samples", [silence(0), silence(1), silence(RATE), dither(np.random.default_rng(0), 3 * RATE)])
def test_silence_is_silence(samples: Floats) -> None:
    found = find_voice(samples)
    assert (found.spans, found.reason) == ((), "silence")


@pytest.mark.parametrize("name", ["white noise", "pink noise", "engine"])
def test_noise_is_noise(name: str) -> None:
    assert find_voice(at_level(NOISES[name](np.random.default_rng(0), 4 * RATE), -30)).reason == "noise"


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("level", [-45.0, -20.0])
def test_a_babbling_voice_is_a_voice(seed: int, level: float) -> None:
    spans = find_voice(talk(seed=seed, level=level)).spans
    assert sum(span.end - span.start for span in spans) > 3


def test_a_voice_is_found_where_it_is() -> None:
    pause = silence(3 * RATE)
    first, second = find_voice(np.concatenate([pause, talk(2.0), pause, talk(1.0, seed=2), pause])).spans
    assert first.start == pytest.approx(3.0, abs=0.4) and first.end == pytest.approx(5.0, abs=0.4)
    assert second.start == pytest.approx(8.0, abs=0.4) and second.end == pytest.approx(9.0, abs=0.4)


def test_a_voice_after_hold_music_is_found_and_the_music_is_not() -> None:
    rng = np.random.default_rng(3)
    music = at_level(tune(1, 10)(rng, 10 * RATE), -25)
    (span,) = find_voice(np.concatenate([music, talk(6.0), music])).spans
    assert 9.5 < span.start < 12 and 14 < span.end < 16.5


def test_frames_of_a_pulse_train_have_its_pitch() -> None:
    train = np.zeros(RATE, np.float32)
    train[:: RATE // 125] = 0.5
    frames = measure(train)
    assert len(frames.pitch) == 101
    assert np.median(frames.pitch) == pytest.approx(125, abs=0.5)
    assert np.median(frames.harmonicity) > 0.9


def test_long_sound_is_measured_in_blocks_as_in_one() -> None:
    sound = talk(45.0)
    whole, part = measure(sound), measure(sound[20 * RATE : 25 * RATE])
    for name in ("level", "harmonicity", "pitch", "steadiness"):
        np.testing.assert_allclose(
            getattr(whole, name)[2010:2490], getattr(part, name)[10:490], rtol=2e-3, atol=2e-3, err_msg=name
        )


@pytest.mark.realdata
def test_every_recording_of_speech_is_speech() -> None:
    paths = recordings()
    if not paths:
        pytest.skip(f"no speech in {SPEECH}")
    rng = np.random.default_rng(0)
    for path in paths:
        samples = read(path)
        for gain in (1.0, 0.1):
            assert find_voice((gain * samples).astype(np.float32)).spans, path
        power = float(np.sqrt(np.mean(samples**2)))
        noisy = samples + rng.standard_normal(len(samples)).astype(np.float32) * power * 10 ** (-10 / 20)
        assert find_voice(noisy).spans, f"{path} under white noise at 10 dB"
