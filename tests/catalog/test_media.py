from __future__ import annotations

import contextlib
import hashlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.errors import MediaError
from catalog.media import (
    MediaLimits,
    fetched_path,
    media_sha,
    open_picture,
    picture_from_bytes,
    thumbnail,
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
        (png_claiming(60_000, 60_000), "60000 x 60000|too large"),
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


def test_unreadable_files_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(MediaError, match="is no regular file"):
        open_picture("a.png", tmp_path, LIMITS)
    if os.geteuid():
        (tmp_path / "b.png").write_bytes(b"x")
        (tmp_path / "b.png").chmod(0)
        with pytest.raises(MediaError, match="cannot be read"):
            open_picture("b.png", tmp_path, LIMITS)


@pytest.mark.parametrize("ref", ["pipe.png", "pipe.zip!/a.png", "folder.zip!/a.png", "/dev/zero"])
def test_pipes_folders_and_devices_are_no_regular_files(tmp_path: Path, ref: str) -> None:
    """Nor is any of them waited for."""
    os.mkfifo(tmp_path / "pipe.png")
    os.mkfifo(tmp_path / "pipe.zip")
    (tmp_path / "folder.zip").mkdir()
    for look in (media_sha, lambda ref, root: open_picture(ref, root, LIMITS)):
        with pytest.raises(MediaError, match="is no regular file"):
            look(ref, tmp_path)
