from __future__ import annotations

import io
import wave
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from catalog.errors import MediaError
from catalog.media import MediaLimits, read_sound

LIMITS = MediaLimits()
FORMS = {
    "wav": ("wav", "pcm_s16le", 44_100),
    "float wav": ("wav", "pcm_f32le", 22_050),
    "flac": ("flac", "flac", 44_100),
    "mp3": ("mp3", "libmp3lame", 44_100),
    "ogg": ("ogg", "libopus", 48_000),
    "webm": ("webm", "libopus", 48_000),
    "m4a": ("mp4", "aac", 44_100),
}


def tone(rate: int, seconds: float = 1.0, hertz: float = 440.0, level: float = 0.5) -> np.ndarray:
    return level * np.sin(2 * np.pi * hertz * np.arange(int(rate * seconds)) / rate)


def encoded(channels: np.ndarray, form: str, codec: str, rate: int, picture: bool = False) -> bytes:
    """The file of some sound, channels (c, n) in [-1, 1]."""
    file = io.BytesIO()
    with av.open(file, "w", format=form) as container:
        if picture:
            film = container.add_stream("mpeg4", rate=10)
            film.width, film.height, film.pix_fmt = 32, 32, "yuv420p"
        stream = container.add_stream(codec, rate=rate)
        layout = "mono" if len(channels) == 1 else "stereo"
        stream.codec_context.layout = layout
        for at in range(10 if picture else 0):
            still = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 20 * at, np.uint8))
            still.pts, still.time_base = at, Fraction(1, 10)
            container.mux(film.encode(still))
        frame = av.AudioFrame.from_ndarray(channels.astype(np.float32), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        fifo = av.AudioFifo()
        fit = av.AudioResampler(format=stream.codec_context.format, layout=layout, rate=rate)
        for each in fit.resample(frame):
            fifo.write(each)
        while (part := fifo.read(stream.codec_context.frame_size or 1024, partial=True)) is not None:
            container.mux(stream.encode(part))
        container.mux(stream.encode(None))
        if picture:
            container.mux(film.encode(None))
    return file.getvalue()


def loudest_hertz(samples: np.ndarray, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate / len(samples))


@pytest.mark.parametrize("name", FORMS)
def test_every_container_becomes_16_khz_mono(tmp_path: Path, name: str) -> None:
    form, codec, rate = FORMS[name]
    (tmp_path / "a").write_bytes(encoded(tone(rate)[None], form, codec, rate))
    samples = read_sound("a", tmp_path, LIMITS)
    assert samples.dtype == np.float32 and samples.ndim == 1
    assert len(samples) / 16_000 == pytest.approx(1.0, abs=0.08)  # lossy codecs pad a frame or two
    assert loudest_hertz(samples, 16_000) == pytest.approx(440, abs=3)
    assert np.abs(samples[4000:12000]).max() == pytest.approx(0.5, abs=0.05)


def test_the_sound_track_of_a_film_is_read(tmp_path: Path) -> None:
    film = encoded(tone(44_100)[None], "mp4", "aac", 44_100, picture=True)
    assert loudest_hertz(read_sound(film, tmp_path, LIMITS), 16_000) == pytest.approx(440, abs=3)


def test_channels_are_averaged_and_stay_within_one(tmp_path: Path) -> None:
    rate = 16_000
    loud = encoded(np.stack([tone(rate, level=0.98)] * 2), "wav", "pcm_s16le", rate)
    assert np.abs(read_sound(loud, tmp_path, LIMITS)).max() == pytest.approx(0.98, abs=0.001)
    one_sided = encoded(np.stack([tone(rate), 0 * tone(rate)]), "wav", "pcm_s16le", rate)
    assert np.abs(read_sound(one_sided, tmp_path, LIMITS)).max() == pytest.approx(0.25, abs=0.001)


def test_sound_of_many_channels_is_their_mean(tmp_path: Path) -> None:
    # One of twelve channels is loud; from the ninth on PyAV has no plane of its own for them.
    samples = np.zeros((16_000, 12), np.int16)
    samples[:, 10] = 12_000
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(12)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(samples.tobytes())
    found = read_sound("a.wav", tmp_path, LIMITS)
    assert len(found) == 16_000 and found == pytest.approx(12_000 / 32_768 / 12, abs=1e-4)


def test_another_rate_and_a_part(tmp_path: Path) -> None:
    sound = encoded(tone(44_100, 2.0)[None], "flac", "flac", 44_100)
    assert len(read_sound(sound, tmp_path, LIMITS, rate=8_000)) == pytest.approx(16_000, abs=50)
    assert len(read_sound(sound, tmp_path, LIMITS, seconds=0.5)) == 8_000


def test_a_file_cut_off_gives_what_came_before(tmp_path: Path) -> None:
    sound = encoded(tone(16_000, 2.0)[None], "wav", "pcm_s16le", 16_000)
    assert 8_000 < len(read_sound(sound[: len(sound) // 2], tmp_path, LIMITS)) < 17_000


def test_samples_that_are_no_numbers_are_silence(tmp_path: Path) -> None:
    wave = tone(16_000)
    wave[100], wave[200], wave[300] = np.nan, np.inf, 7.0
    samples = read_sound(encoded(wave[None], "wav", "pcm_f32le", 16_000), tmp_path, LIMITS)
    assert samples[100] == 0 and samples[200] == 1 and samples[300] == 1


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    (tmp_path / "long.wav").write_bytes(encoded(tone(16_000, 2.0)[None], "wav", "pcm_s16le", 16_000))
    whole = encoded(tone(16_000)[None], "wav", "pcm_s16le", 16_000)
    none = whole[: whole.index(b"data") + 4] + bytes(4)
    for source, limits, said in (
        ("nothing.wav", LIMITS, "does not exist"),
        ("empty.wav", LIMITS, "is empty"),
        (b"", LIMITS, "empty"),
        (b"not a sound" * 50, LIMITS, "cannot be decoded"),
        (none, LIMITS, "not one sample"),
        ("long.wav", MediaLimits(max_sound_seconds=1.0), "longer than 1 s"),
        ("long.wav", MediaLimits(max_sound_bytes=1_000), "up to 1,000"),
        ((tmp_path / "long.wav").read_bytes(), MediaLimits(max_sound_bytes=1_000), "up to 1,000"),
    ):
        with pytest.raises(MediaError, match=said):
            read_sound(source, tmp_path, limits)


def test_a_film_without_sound_says_so(tmp_path: Path) -> None:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        film = container.add_stream("mpeg4", rate=10)
        film.width, film.height, film.pix_fmt = 32, 32, "yuv420p"
        container.mux(film.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        container.mux(film.encode(None))
    with pytest.raises(MediaError, match="holds no sound track"):
        read_sound(file.getvalue(), tmp_path, LIMITS)


@pytest.mark.parametrize("head", ["#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n", "ffconcat version 1.0\nfile "])
def test_a_playlist_opens_no_other_file(tmp_path: Path, head: str) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(encoded(tone(16_000)[None], "wav", "pcm_s16le", 16_000))
    with pytest.raises(MediaError):
        read_sound(f"{head}{secret}\n".encode(), tmp_path, LIMITS)
