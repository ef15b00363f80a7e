from __future__ import annotations

import contextlib
import hashlib
import io
import os
import struct
import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from catalog.errors import DataError, MediaError
from catalog.media import (
    MediaLimits,
    fetched_path,
    media_sha,
    open_picture,
    picture_from_bytes,
    thumbnail,
    video_frames,
)

LIMITS = MediaLimits()
RED, BLUE = (255, 0, 0), (0, 0, 255)


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def two_halves(width: int = 40, height: int = 20) -> Image.Image:
    """Left half red, right half blue."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (width // 2, 0, width, height))
    return picture


@pytest.mark.parametrize("form", ["PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_every_common_form_becomes_rgb(tmp_path: Path, form: str) -> None:
    (tmp_path / "a").write_bytes(saved(two_halves(), form, **({"lossless": True} if form == "WEBP" else {})))
    picture = open_picture("a", tmp_path, LIMITS)
    assert (picture.mode, picture.size) == ("RGB", (40, 20))
    assert picture.getpixel((5, 10)) == RED and picture.getpixel((35, 10)) == BLUE


def test_exif_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate 90 clockwise to show": the left edge comes to the top
    (tmp_path / "a.jpg").write_bytes(saved(two_halves(), "JPEG", exif=exif, quality=95))
    picture = open_picture("a.jpg", tmp_path, LIMITS)
    assert picture.size == (20, 40)
    top, bottom = picture.getpixel((10, 5)), picture.getpixel((10, 35))
    assert isinstance(top, tuple) and isinstance(bottom, tuple)
    assert top[0] > 200 > 60 > top[2] and bottom[2] > 200 > 60 > bottom[0]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode: str) -> None:
    if mode == "P":
        picture = Image.new("P", (4, 4), 1)
        picture.putpalette([0, 0, 0, 9, 9, 9])
        data = saved(picture, "PNG", transparency=1)
    else:
        data = saved(Image.new(mode, (4, 4), 0), "PNG")
    assert picture_from_bytes(data, LIMITS).getpixel((1, 1)) == (255, 255, 255)


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    grey = Image.fromarray(np.array([[0, 32768, 65535]], np.uint16))
    picture = picture_from_bytes(saved(grey, "PNG"), LIMITS)
    middle = picture.getpixel((1, 0))
    assert picture.getpixel((0, 0)) == (0, 0, 0) and picture.getpixel((2, 0)) == (255, 255, 255)
    assert isinstance(middle, tuple) and middle[0] in (127, 128)


def test_a_picture_by_absolute_path_and_by_fetched_url(tmp_path: Path) -> None:
    store, elsewhere = tmp_path / "store", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.png").write_bytes(saved(two_halves(), "PNG"))
    assert open_picture(str(elsewhere / "a.png"), store, LIMITS).size == (40, 20)
    url = "https://shop.example/a.png"
    with pytest.raises(MediaError, match=r"a\.png' has not been fetched: run vitrine media"):
        open_picture(url, store, LIMITS)
    place = fetched_path(url, store)
    place.parent.mkdir(parents=True)
    place.write_bytes(saved(two_halves(), "PNG"))
    assert open_picture(url, store, LIMITS).size == (40, 20)


@pytest.mark.parametrize(
    ("ref", "says"),
    [
        ("missing.jpg", "does not exist"),
        ("../secret.png", "leaves the store"),
        ("a/../../secret.png", "leaves the store"),
        ("ftp://shop.example/a.png", "scheme 'ftp'"),
        ("file:///etc/passwd", "scheme 'file'"),
        ("data:image/png;base64,AAAA", "scheme 'data'"),
        ("", "is no path"),
        ("a\0b", "is no path"),
        ("x" * 5000, "cannot be (opened|read)|does not exist"),
    ],
)
def test_a_bad_reference_is_one_clear_line(tmp_path: Path, ref: str, says: str) -> None:
    (tmp_path / "secret.png").write_bytes(saved(two_halves(), "PNG"))
    store = tmp_path / "store"
    (store / "a").mkdir(parents=True)
    for read in (lambda: open_picture(ref, store, LIMITS), lambda: media_sha(ref, store)):
        with pytest.raises(MediaError, match=says) as caught:
            read()
        assert "\n" not in str(caught.value)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG whose header claims any size and whose data is a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"<html>404</html>", "not a picture of a known form"),
        (saved(two_halves(400, 400), "JPEG")[:-300], "corrupt"),
        (saved(two_halves(400, 400), "PNG")[:60], "corrupt"),
        (png_claiming(8000, 8000), r"8000 x 8000 pixels; up to 50,000,000"),
        (png_claiming(12_000, 9_000), "12000 x 9000|too large"),
        (png_claiming(60_000, 60_000), "too large"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture of a known form"),
    ],
    ids=["empty", "html", "cut jpeg", "cut png", "many pixels", "bomb warning", "bomb", "postscript"],
)
def test_a_bad_picture_is_one_clear_line(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "bad.jpg").write_bytes(data)
    with pytest.raises(MediaError, match=says) as caught:
        open_picture("bad.jpg", tmp_path, LIMITS)
    assert "bad.jpg" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_flipped_bytes_anywhere_are_a_media_error_or_a_picture(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for form in ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP"):
        whole = np.frombuffer(saved(two_halves(), form), np.uint8)
        for _ in range(60):
            broken = whole.copy()
            broken[rng.integers(0, len(whole), 4)] = rng.integers(0, 256, 4)
            with contextlib.suppress(MediaError):
                assert picture_from_bytes(broken.tobytes(), LIMITS).mode == "RGB"


def test_a_file_of_too_many_bytes_is_refused_unread(tmp_path: Path) -> None:
    data = saved(two_halves(), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    tight = MediaLimits(max_picture_bytes=len(data) - 1)
    with pytest.raises(MediaError, match=f"has {len(data)} bytes; up to {len(data) - 1} would be valid"):
        open_picture("a.png", tmp_path, tight)
    with pytest.raises(MediaError, match="'upload' has"):
        picture_from_bytes(data, tight)


def test_media_sha_hashes_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"some bytes")
    assert media_sha("a", tmp_path) == hashlib.sha256(b"some bytes").hexdigest()


def test_a_thumbnail_is_small_keeps_its_shape_and_never_grows() -> None:
    small = picture_from_bytes(thumbnail(two_halves(400, 200), side=100), LIMITS)
    assert small.size == (100, 50)
    tiny = Image.open(io.BytesIO(thumbnail(two_halves(40, 20), side=100, form="webp")))
    assert (tiny.size, tiny.format) == ((40, 20), "WEBP")
    picture = two_halves(400, 200)
    thumbnail(picture, side=10)
    assert picture.size == (400, 200)


def write_clip(path: Path, seconds: int, rate: int = 10, width: int = 64, height: int = 32) -> None:
    """A clip whose red brightness says which second it is: 20 x second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.time_base = Fraction(1, rate)
        for number in range(seconds * rate):
            pixels = np.zeros((height, width, 3), np.uint8)
            pixels[..., 0] = 20 * (number // rate)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())


def seconds_seen(frames: list[tuple[float, Image.Image]]) -> list[int]:
    return [round(float(np.asarray(frame)[..., 0].mean()) / 20) for _, frame in frames]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("clip")
    write_clip(folder / "clip.mp4", 12)
    yield folder


@pytest.mark.parametrize(("count", "middles"), [(1, [6.0]), (2, [3.0, 9.0]), (4, [1.5, 4.5, 7.5, 10.5])])
def test_frames_are_those_at_the_middles_of_equal_parts(clip: Path, count: int, middles: list[float]) -> None:
    frames = video_frames("clip.mp4", clip, LIMITS, count)
    assert [time for time, _ in frames] == pytest.approx(middles, abs=0.06)
    assert seconds_seen(frames) == [int(middle) for middle in middles]
    assert {(frame.mode, frame.size) for _, frame in frames} == {("RGB", (64, 32))}


def test_a_short_clip_gives_each_of_its_frames_once(tmp_path: Path) -> None:
    write_clip(tmp_path / "short.mp4", 1, rate=3)
    times = [time for time, _ in video_frames("short.mp4", tmp_path, LIMITS, 50)]
    assert times == pytest.approx([0, 1 / 3, 2 / 3])


def test_an_animated_gif_is_a_video(tmp_path: Path) -> None:
    pictures = [Image.new("RGB", (16, 16), (20 * second, 0, 0)) for second in range(12)]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=1000)
    frames = video_frames("a.gif", tmp_path, LIMITS, 2)
    assert [time for time, _ in frames] == pytest.approx([3, 9])
    assert seconds_seen(frames) == [3, 9]


def test_decoding_stops_at_the_budget(clip: Path) -> None:
    frames = video_frames("clip.mp4", clip, MediaLimits(max_decoded_frames=30), 4)
    assert 1 <= len(frames) < 4


def test_a_clip_filmed_sideways_is_turned_upright(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 32, "yuv420p"
        for _ in range(5):
            container.mux(stream.encode(av.VideoFrame.from_image(two_halves(64, 32))))
        container.mux(stream.encode())
    data = (tmp_path / "a.mp4").read_bytes()
    still = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    clockwise = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    track = data.index(b"tkhd")
    at = data.index(still, track)
    (tmp_path / "a.mp4").write_bytes(data[:at] + clockwise + data[at + len(clockwise) :])
    [(_, frame)] = video_frames("a.mp4", tmp_path, LIMITS, 1)
    top, bottom = frame.getpixel((16, 8)), frame.getpixel((16, 56))
    assert frame.size == (32, 64)
    assert isinstance(top, tuple) and isinstance(bottom, tuple)
    assert top[0] > 150 and bottom[2] > 150


def test_a_cut_off_clip_gives_what_there_is(tmp_path: Path, clip: Path) -> None:
    with av.open(str(clip / "clip.mp4")) as source, av.open(str(tmp_path / "whole.mkv"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    frames = video_frames("cut.mkv", tmp_path, LIMITS, 4)
    assert 1 <= len(frames) <= 4
    assert seconds_seen(frames)[0] == 1


@pytest.mark.parametrize(
    ("data", "says"), [(b"", "is empty"), (b"no video at all" * 99, "cannot be decoded")], ids=["empty", "text"]
)
def test_a_bad_video_is_one_clear_line(tmp_path: Path, data: bytes, says: str) -> None:
    (tmp_path / "bad.mp4").write_bytes(data)
    with pytest.raises(MediaError, match=says) as caught:
        video_frames("bad.mp4", tmp_path, LIMITS, 3)
    assert "bad.mp4" in str(caught.value) and "\n" not in str(caught.value)


def test_a_video_too_large_missing_or_asked_for_no_frame(clip: Path) -> None:
    with pytest.raises(MediaError, match="64 x 32 pixels; up to 2,000 in all"):
        video_frames("clip.mp4", clip, MediaLimits(max_pixels=2000), 1)
    with pytest.raises(MediaError, match="bytes; up to 10 would be valid"):
        video_frames("clip.mp4", clip, MediaLimits(max_video_bytes=10), 1)
    with pytest.raises(MediaError, match="does not exist"):
        video_frames("nothing.mp4", clip, LIMITS, 1)
    with pytest.raises(DataError, match=r"0 frames of 'clip.mp4': at least 1"):
        video_frames("clip.mp4", clip, LIMITS, 0)


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\0" * 800)
    with pytest.raises(MediaError, match="holds no video stream"):
        video_frames("a.wav", tmp_path, LIMITS, 1)


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(MediaError, match="does not exist"):
        open_picture("a.png", tmp_path, LIMITS)
    if os.geteuid():
        (tmp_path / "b.png").write_bytes(b"x")
        (tmp_path / "b.png").chmod(0)
        with pytest.raises(MediaError, match="cannot be read"):
            open_picture("b.png", tmp_path, LIMITS)
