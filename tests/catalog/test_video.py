"""Videos built by the tests: every frame carries its number, so that what comes out can be told."""

from __future__ import annotations

import struct
import wave
import zipfile
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from catalog.errors import MediaError
from catalog.media import FrameBudget, MediaLimits, SampledVideo, sample_clip

LIMITS = MediaLimits()
RED, BLUE = (255, 0, 0), (0, 0, 255)
Pixels = NDArray[np.uint8]


def numbered(number: int, width: int = 64, height: int = 48) -> Pixels:
    """A checkerboard whose lower half is a grey of 2 x `number`."""
    y, x = np.mgrid[:height, :width]
    pixels = np.where(((y // 8 + x // 8) % 2)[..., None], np.uint8(180), np.uint8(70)).repeat(3, 2)
    pixels[height // 2 :] = 2 * number
    return pixels


def number_of(picture: Image.Image) -> float:
    pixels = np.asarray(picture)
    return float(pixels[len(pixels) * 5 // 8 : len(pixels) * 7 // 8].mean() / 2)


def write(
    path: Path,
    frames: Sequence[Pixels],
    *,
    rate: int = 10,
    codec: str = "ffv1",
    pix_fmt: str = "yuv444p",
    stamps: Sequence[int] | None = None,
    base: Fraction | None = None,
    gop: int | None = None,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    form: str | None = None,
    interlaced: bool = False,
) -> None:
    """Write frames; `stamps` are their times in units of `base`."""
    with av.open(str(path), "w", format=form, container_options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = base or Fraction(1, rate)
        if gop is not None:
            stream.codec_context.gop_size = gop
        for at, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = at if stamps is None else stamps[at]
            frame.time_base = base or Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def times(video: SampledVideo) -> list[float]:
    return [seconds for seconds, _ in video.frames]


def seen(video: SampledVideo) -> list[int]:
    return [round(number_of(picture)) for _, picture in video.frames]


def sample(path: Path, frames: int = 4, limits: MediaLimits = LIMITS, **budget: float) -> SampledVideo:
    return sample_clip(path.name, path.parent, limits, FrameBudget(frames=frames, **budget))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds at ten frames a second, without a cut."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    write(path, [numbered(number) for number in range(120)])
    return path


@pytest.mark.parametrize(("count", "middles"), [(1, [6.0]), (2, [3.0, 9.0]), (4, [1.5, 4.5, 7.5, 10.5])])
def test_frames_of_one_scene_are_those_at_the_middles_of_equal_parts(
    clip: Path, count: int, middles: list[float]
) -> None:
    video = sample(clip, count)
    assert times(video) == pytest.approx(middles) and video.scene_starts == (0.0,)
    assert list(video.numbers) == seen(video) == [round(10 * middle) for middle in middles]
    assert (video.seconds, video.rate) == pytest.approx((12.0, 10.0))
    assert {(picture.mode, picture.size) for _, picture in video.frames} == {("RGB", (64, 48))}


def test_a_short_clip_gives_each_of_its_frames_once_and_the_same_bytes_every_time(tmp_path: Path) -> None:
    write(tmp_path / "short.mkv", [numbered(number) for number in range(3)], rate=3)
    video = sample(tmp_path / "short.mkv", 50)
    assert times(video) == pytest.approx([0, 1 / 3, 2 / 3], abs=1e-3) and seen(video) == [0, 1, 2]
    again = sample(tmp_path / "short.mkv", 50)
    assert [p.tobytes() for _, p in again.frames] == [p.tobytes() for _, p in video.frames]


def test_a_gif_is_a_video_and_one_of_a_single_frame_too(tmp_path: Path) -> None:
    pictures = [Image.fromarray(numbered(number * 8)) for number in range(12)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=1000)
    video = sample(tmp_path / "a.gif", 2)
    assert times(video) == pytest.approx([3, 9]) and seen(video) == [24, 72]
    assert video.seconds == pytest.approx(12)
    pictures[5].save(tmp_path / "one.gif")
    one = sample(tmp_path / "one.gif")
    assert (times(one), seen(one), one.numbers, one.scene_starts) == ([0.0], [40], (0,), (0.0,))


def test_what_is_transparent_in_a_gif_is_white(tmp_path: Path) -> None:
    clear = [Image.new("RGBA", (32, 32), (0, 0, 0, 0)) for _ in range(2)]
    for at, picture in enumerate(clear):
        picture.paste((200, 0, 0, 255), (8 + at, 8, 20 + at, 20))
    clear[0].save(tmp_path / "a.gif", save_all=True, append_images=clear[1:], duration=100, disposal=2)
    assert [picture.getpixel((1, 1)) for _, picture in sample(tmp_path / "a.gif").frames] == [(255, 255, 255)] * 2


def test_times_of_a_variable_rate_are_those_of_the_stamps(tmp_path: Path) -> None:
    stamps = [0, 100, 150, 1000, 1040, 2000, 5000, 5040]
    frames = [numbered(at) for at in range(8)]
    write(tmp_path / "a.mkv", frames, stamps=stamps, base=Fraction(1, 1000))
    video = sample(tmp_path / "a.mkv", 100)
    assert times(video) == pytest.approx([stamp / 1000 for stamp in stamps])
    assert list(video.numbers) == seen(video) == list(range(8))
    two = sample(tmp_path / "a.mkv", 2)  # at a quarter and three quarters of 5.1 s, what was shown then
    assert times(two) == pytest.approx([1.04, 2.0]) and two.numbers == (4, 5)


@pytest.mark.parametrize(("name", "first"), [("a.ts", 90_000 * 7), ("a.mkv", 5000), ("a.mp4", 40), ("a.mp4", -3)])
def test_time_begins_with_the_stream_wherever_its_stamps_begin(tmp_path: Path, name: str, first: int) -> None:
    base = {"ts": Fraction(1, 90_000), "mkv": Fraction(1, 1000), "mp4": Fraction(1, 10)}[name.split(".")[1]]
    step = int(1 / base / 10)
    frames = [numbered(at) for at in range(20)]
    stamps = [first + step * at for at in range(20)]
    write(tmp_path / name, frames, stamps=stamps, base=base, codec="libx264", pix_fmt="yuv420p")
    video = sample(tmp_path / name, 100)
    shown = times(video)
    assert shown[0] == pytest.approx(0, abs=0.11) and shown == sorted(shown)
    assert np.diff(shown) == pytest.approx(0.1, abs=0.01)
    assert number_of(video.frames[-1][1]) == pytest.approx(19, abs=1)
    # What lies before the beginning is cut off by an mp4's edit list, in every player.
    assert shown[-1] == pytest.approx(1.6 if first < 0 else 1.9, abs=0.01)


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "size"),
    [
        ("libx264", "yuv420p", (64, 48)),
        ("libx264", "yuv420p10le", (64, 48)),
        ("ffv1", "yuv422p10le", (64, 48)),
        ("ffv1", "gray10le", (64, 48)),
        ("ffv1", "yuv444p", (33, 47)),
        ("ffv1", "bgra", (64, 48)),
        ("libvpx-vp9", "yuv420p", (64, 48)),
    ],
)
def test_every_common_pixel_format_becomes_rgb(tmp_path: Path, codec: str, pix_fmt: str, size: tuple[int, int]) -> None:
    write(tmp_path / "a.mkv", [numbered(at, *size) for at in range(100)], codec=codec, pix_fmt=pix_fmt)
    video = sample(tmp_path / "a.mkv", 2)
    assert [picture.size for _, picture in video.frames] == [size, size]
    assert [number_of(picture) for _, picture in video.frames] == pytest.approx([25, 75], abs=2)


def sideways(path: Path) -> bytes:
    """Return the bytes of a clip, left half red and right half blue, that is to be turned clockwise."""
    halves = np.full((32, 64, 3), RED, np.uint8)
    halves[:, 32:] = BLUE
    write(path, [halves] * 5, codec="mpeg4", pix_fmt="yuv420p")
    data = path.read_bytes()
    still = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    clockwise = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    at = data.index(still, data.index(b"tkhd"))
    return data[:at] + clockwise + data[at + len(clockwise) :]


def test_a_clip_filmed_sideways_is_turned_upright(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(sideways(tmp_path / "a.mp4"))
    [(_, frame)] = sample(tmp_path / "a.mp4", 1).frames
    top, bottom = frame.getpixel((16, 8)), frame.getpixel((16, 56))
    assert frame.size == (32, 64)
    assert isinstance(top, tuple) and isinstance(bottom, tuple) and top[0] > 150 and bottom[2] > 150


def test_of_two_fields_one_is_shown(tmp_path: Path) -> None:
    combed = np.zeros((48, 64, 3), np.uint8)
    combed[::2], combed[1::2] = 200, 40
    options = {"x264-params": "tff=1:qp=1"}
    write(tmp_path / "a.mkv", [combed] * 5, codec="libx264", pix_fmt="yuv420p", options=options)
    [(_, frame)] = sample(tmp_path / "a.mkv", 1).frames
    assert frame.size == (64, 48) and float(np.asarray(frame).std()) < 8


def test_pixels_that_are_not_square_are_shown_as_a_player_would(tmp_path: Path) -> None:
    options = {"aspect": "3:2"}  # of one pixel
    write(tmp_path / "a.mkv", [numbered(9)], codec="libx264", pix_fmt="yuv420p", options=options)
    assert sample(tmp_path / "a.mkv").frames[0][1].size == (96, 48)


def test_a_member_of_an_archive_is_a_video(tmp_path: Path, clip: Path) -> None:
    with zipfile.ZipFile(tmp_path / "films.zip", "w") as archive:
        archive.write(clip, "a/clip.mkv")
    video = sample_clip("films.zip!/a/clip.mkv", tmp_path, LIMITS, FrameBudget(frames=2))
    assert seen(video) == [30, 90]


def silent_sound(path: Path) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 800)


def cover_beside_sound(path: Path) -> None:
    """An mp4 of sound alone, with a cover picture, as music shops sell them."""
    from av.stream import Disposition

    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=8000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj444p"
        cover.disposition = Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        container.mux(sound.encode(frame))
        container.mux(cover.encode(av.VideoFrame.from_ndarray(numbered(1), format="rgb24").reformat(format="yuvj444p")))
        container.mux(sound.encode())


def cut_before_the_index(path: Path) -> None:
    """An mp4 whose index stands at the end, which never came."""
    write(path, [numbered(at) for at in range(50)], codec="mpeg4", pix_fmt="yuv420p")
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b"moov") - 4])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(b"no video at all" * 99), "cannot be decoded"),
        (lambda path: path.write_bytes(b"#EXTM3U\n#EXTINF:9,\nfile:///etc/passwd\n"), "cannot be decoded"),
        (silent_sound, "holds no video stream"),
        (cover_beside_sound, "holds no video stream"),
        (cut_before_the_index, "cannot be decoded"),
    ],
    ids=["empty", "text", "playlist", "sound", "cover", "no index"],
)
def test_a_bad_video_is_one_clear_line(tmp_path: Path, make: Callable[[Path], object], says: str) -> None:
    make(tmp_path / "bad.mp4")
    with pytest.raises(MediaError, match=says) as caught:
        sample(tmp_path / "bad.mp4")
    assert "bad.mp4" in str(caught.value) and "\n" not in str(caught.value)


def test_a_video_too_large_or_missing(clip: Path) -> None:
    with pytest.raises(MediaError, match="64 x 48 pixels; up to 2,000 in all"):
        sample(clip, limits=MediaLimits(max_pixels=2000))
    with pytest.raises(MediaError, match="bytes; up to 10 would be valid"):
        sample(clip, limits=MediaLimits(max_video_bytes=10))
    with pytest.raises(MediaError, match="does not exist"):
        sample(clip.with_name("nothing.mp4"))


@pytest.mark.parametrize("name", ["a.mkv", "a.mp4", "a.webm", "a.ts"])
def test_what_came_before_a_break_stands(tmp_path: Path, name: str) -> None:
    codec = {"a.mkv": "mpeg4", "a.mp4": "mpeg4", "a.webm": "libvpx", "a.ts": "mpeg2video"}[name]
    rate = 25
    options = {"movflags": "faststart"} if name == "a.mp4" else {}
    write(
        tmp_path / name, [numbered(at) for at in range(100)], rate=rate, codec=codec, pix_fmt="yuv420p", gop=10,
        container_options=options,
    )  # fmt: skip
    data = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(data[: len(data) // 2])
    shown = seen(sample(tmp_path / name, 4))
    assert 1 <= len(shown) <= 4 and shown == sorted(shown) and shown[-1] < 75


def test_damage_in_the_middle_costs_what_it_hit(tmp_path: Path) -> None:
    frames = [numbered(at) for at in range(100)]
    write(tmp_path / "a.mkv", frames, codec="libx264", pix_fmt="yuv420p", gop=5)
    data = bytearray((tmp_path / "a.mkv").read_bytes())
    rng = np.random.default_rng(0)
    data[len(data) * 45 // 100 : len(data) * 55 // 100] = rng.bytes(len(data) * 55 // 100 - len(data) * 45 // 100)
    (tmp_path / "a.mkv").write_bytes(data)
    video = sample(tmp_path / "a.mkv", 10)
    for (seconds, picture), wanted in zip(video.frames, times(video), strict=True):
        if abs(seconds - 5) > 2:
            assert number_of(picture) == pytest.approx(10 * wanted, abs=1.5)
    assert times(video)[0] < 1.5 and times(video)[-1] > 8.5


def test_flipped_bytes_anywhere_are_a_media_error_or_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, codec in (("a.mp4", "mpeg4"), ("a.mkv", "libx264"), ("a.gif", "gif")):
        pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
        write(tmp_path / name, [numbered(at) for at in range(12)], codec=codec, pix_fmt=pix_fmt)
        whole = np.frombuffer((tmp_path / name).read_bytes(), np.uint8)
        for _ in range(40):
            broken = whole.copy()
            broken[rng.integers(0, len(whole), 6)] = rng.integers(0, 256, 6)
            (tmp_path / name).write_bytes(broken.tobytes())
            try:
                video = sample(tmp_path / name, 4)
            except MediaError as error:
                assert "\n" not in str(error)
            else:
                assert 1 <= len(video.frames) <= 4 and times(video) == sorted(set(times(video)))


@pytest.mark.parametrize("said", [1e9, 1.0, -5.0, float("nan")])
def test_a_header_that_lies_about_the_length_changes_nothing(tmp_path: Path, clip: Path, said: float) -> None:
    data = clip.read_bytes()
    at = data.index(b"\x44\x89\x88") + 3  # Matroska: Duration, a float of 8 bytes, milliseconds
    (tmp_path / "a.mkv").write_bytes(data[:at] + struct.pack(">d", said * 1000) + data[at + 8 :])
    video = sample(tmp_path / "a.mkv", 2)
    assert seen(video) == [30, 90] and video.seconds == pytest.approx(12.0)


def test_a_live_recording_without_length_or_index_is_sampled_whole(tmp_path: Path) -> None:
    frames = [numbered(at) for at in range(100)]
    write(tmp_path / "a.webm", frames, codec="libvpx", pix_fmt="yuv420p", container_options={"live": "1"})
    video = sample(tmp_path / "a.webm", 2)
    assert times(video) == pytest.approx([2.5, 7.5]) and video.seconds == pytest.approx(10, abs=0.11)


def test_a_video_cut_inside_its_index_is_not_said_to_be_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "cut.mp4"
    write(path, [numbered(at) for at in range(50)], codec="mpeg4", pix_fmt="yuv420p")
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"moov") + 480])
    with pytest.raises(MediaError, match=r"^video '.*cut\.mp4' cannot be decoded: End of file$"):
        sample(path)
