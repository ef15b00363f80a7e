from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from catalog.errors import MediaError
from catalog.media import MediaLimits, open_picture, picture_from_bytes

LIMITS = MediaLimits()
RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)


def saved(picture: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG written chunk by chunk: forms that Pillow reads and does not write."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    chunks = [(b"IHDR", header), *((each[:4], each[4:]) for each in more), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def sixteen(values: list, colour: int, *more: bytes) -> bytes:
    """One row of 16-bit samples."""
    row = np.array([values], ">u2")
    return png(row.shape[1], 1, 16, colour, zlib.compress(b"\0" + row.tobytes()), *more)


def quarters() -> Image.Image:
    """Red, green above; blue, yellow below; 32 x 16."""
    picture = Image.new("RGB", (32, 16), RED)
    picture.paste(GREEN, (16, 0, 32, 8))
    picture.paste(BLUE, (0, 8, 16, 16))
    picture.paste(YELLOW, (16, 8, 32, 16))
    return picture


def corners(picture: Image.Image) -> list[tuple[int, int, int]]:
    """The four quarters' colours in reading order, each channel 0 or 255."""
    width, height = picture.size
    places = [(width // 4 + x * width // 2, height // 4 + y * height // 2) for y in (0, 1) for x in (0, 1)]
    return [tuple(255 * (value > 127) for value in picture.getpixel(place)) for place in places]


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, YELLOW]),
        (2, [GREEN, RED, YELLOW, BLUE]),  # mirrored left to right
        (3, [YELLOW, BLUE, GREEN, RED]),  # by 180 degrees
        (4, [BLUE, YELLOW, RED, GREEN]),  # mirrored top to bottom
        (5, [RED, BLUE, GREEN, YELLOW]),  # along the main diagonal
        (6, [BLUE, RED, YELLOW, GREEN]),  # to be turned clockwise
        (7, [YELLOW, GREEN, BLUE, RED]),  # along the other diagonal
        (8, [GREEN, YELLOW, RED, BLUE]),  # to be turned counter-clockwise
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_each_exif_orientation_is_turned_upright(orientation: int, expected: list, form: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = picture_from_bytes(saved(quarters(), form, exif=exif, quality=95), LIMITS)
    assert picture.size == ((32, 16) if orientation < 5 else (16, 32))
    assert corners(picture) == expected


@pytest.mark.filterwarnings("ignore:Corrupt EXIF:UserWarning")
def test_an_orientation_that_cannot_be_read_is_none() -> None:
    data = saved(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x04\xff\xff\xff\xff")
    assert corners(picture_from_bytes(data, LIMITS)) == [RED, GREEN, BLUE, YELLOW]


def test_cmyk_and_ycck_jpegs_have_the_colours_of_a_printer() -> None:
    inks = [(0, 255, 255, 0), (255, 0, 0, 0), (0, 0, 0, 255), (0, 0, 0, 0), (0, 0, 255, 128)]
    shown = [(255, 0, 0), (0, 255, 255), (0, 0, 0), (255, 255, 255), (127, 127, 0)]
    for ink, colour in zip(inks, shown, strict=True):
        cmyk = saved(Image.new("CMYK", (16, 16), ink), "JPEG", quality=100, subsampling=0)
        assert picture_from_bytes(cmyk, LIMITS).getpixel((8, 8)) == pytest.approx(colour, abs=3)
        # YCCK (transform 2): the inks C, M and Y as if they were red, green and blue, in YCbCr; K as it is.
        y, cb, cr = Image.new("RGB", (1, 1), ink[:3]).convert("YCbCr").getpixel((0, 0))
        stored = Image.new("CMYK", (16, 16), (255 - y, 255 - cb, 255 - cr, ink[3]))
        data = saved(stored, "JPEG", quality=100, subsampling=0)
        marker = data.index(b"Adobe")
        ycck = data[: marker + 11] + b"\2" + data[marker + 12 :]
        assert picture_from_bytes(ycck, LIMITS).getpixel((8, 8)) == pytest.approx(colour, abs=4)


def test_sixteen_bits_are_scaled_by_what_white_is() -> None:
    grey = picture_from_bytes(sixteen([0, 257, 1000, 32_896, 65_535], 0), LIMITS)
    assert [grey.getpixel((x, 0)) for x in range(5)] == [(v, v, v) for v in (0, 1, 4, 128, 255)]
    dark = picture_from_bytes(sixteen([1000, 2000], 0), LIMITS)  # a dark picture stays dark
    assert [dark.getpixel((x, 0))[0] for x in range(2)] == [4, 8]
    colour = picture_from_bytes(sixteen([[65_535, 32_896, 0], [0, 257, 65_535]], 2), LIMITS)
    assert [colour.getpixel((x, 0)) for x in range(2)] == [(255, 128, 0), (0, 1, 255)]
    see_through = picture_from_bytes(sixteen([[0, 0], [0, 65_535], [0, 32_896]], 4), LIMITS)
    assert [see_through.getpixel((x, 0))[0] for x in range(3)] == pytest.approx([255, 0, 127], abs=1)
    for form, order in (("I;16", "<u2"), ("I;16B", ">u2")):
        picture = Image.frombytes(form, (3, 1), np.array([0, 1000, 65_535], order).tobytes())
        assert [picture_from_bytes(saved(picture, "TIFF"), LIMITS).getpixel((x, 0))[0] for x in range(3)] == [0, 4, 255]


def test_numbers_without_a_range_go_from_the_darkest_to_the_brightest() -> None:
    picture = Image.fromarray(np.array([[-1.0, 0.0, 1.0]], np.float32))
    read = picture_from_bytes(saved(picture, "TIFF"), LIMITS)
    assert [read.getpixel((x, 0))[0] for x in range(3)] == pytest.approx([0, 127, 255], abs=1)
    flat = picture_from_bytes(saved(Image.fromarray(np.ones((2, 2), np.float32)), "TIFF"), LIMITS)
    assert flat.getpixel((0, 0)) == (0, 0, 0)


def test_a_palette_may_be_see_through_in_parts() -> None:
    palette = b"PLTE" + bytes([255, 0, 0, 0, 0, 255, 0, 0, 0])
    data = png(3, 1, 8, 3, zlib.compress(b"\0\0\1\2"), palette, b"tRNS" + bytes([255, 0, 128]))
    picture = picture_from_bytes(data, LIMITS)
    assert [picture.getpixel((x, 0)) for x in range(3)] == [(255, 0, 0), (255, 255, 255), (127, 127, 127)]


@pytest.mark.parametrize(("form", "mode"), [("PNG", "1"), ("PNG", "L"), ("PNG", "LA"), ("TIFF", "LAB"), ("PNG", "P")])
def test_every_mode_becomes_rgb(form: str, mode: str) -> None:
    source = Image.new("LAB", (4, 4), (255, 128, 128)) if mode == "LAB" else Image.new("RGB", (4, 4), (255,) * 3)
    picture = picture_from_bytes(saved(source if mode == "LAB" else source.convert(mode), form), LIMITS)
    assert picture.mode == "RGB" and picture.getpixel((1, 1)) == pytest.approx((255, 255, 255), abs=1)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "AVIF", "TIFF"])
def test_of_a_moving_picture_it_is_the_first_frame(form: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN, BLUE)]
    data = saved(frames[0], form, save_all=True, append_images=frames[1:], duration=100, lossless=True, quality=100)
    assert picture_from_bytes(data, LIMITS).getpixel((8, 8)) == pytest.approx(RED, abs=6)


def test_of_a_stereo_camera_s_file_it_is_the_first_picture() -> None:
    data = saved(
        Image.new("RGB", (16, 16), RED), "MPO", save_all=True, append_images=[Image.new("RGB", (16, 16), BLUE)]
    )
    assert picture_from_bytes(data, LIMITS).getpixel((8, 8)) == pytest.approx(RED, abs=3)


def lean_profile(matrix: list[list[float]], gamma: float) -> bytes:
    """An ICC v2 matrix profile (ICC.1:2001, 6.3.1.2) of the given columns to XYZ at D50 and one gamma."""

    def xyz(column: list[float]) -> bytes:
        return b"XYZ \0\0\0\0" + b"".join(struct.pack(">i", round(value * 65_536)) for value in column)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    words = b"wide\0"
    name = b"desc\0\0\0\0" + struct.pack(">I", len(words)) + words + bytes(12 + 67)
    tags = [(b"desc", name), (b"wtpt", xyz([0.9642, 1.0, 0.8249]))]
    tags += [(kind, xyz([row[at] for row in matrix])) for at, kind in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))]
    tags += [(kind, curve) for kind in (b"rTRC", b"gTRC", b"bTRC")]
    body, table, offset = b"", struct.pack(">I", len(tags)), 132 + 12 * len(tags)
    for kind, data in tags:
        padded = data + bytes(-len(data) % 4)
        table += kind + struct.pack(">II", offset + len(body), len(data))
        body += padded
    head = b"lcms" + struct.pack(">I", 0x02400000) + b"mntrRGB XYZ " + struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    head += b"acsp" + bytes(28) + struct.pack(">3i", 63_190, 65_536, 54_061) + bytes(48)
    return struct.pack(">I", 4 + len(head) + len(table) + len(body)) + head + table + body


DISPLAY_P3 = [[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]]
"""Columns red, green, blue of Display P3 in XYZ at D50."""


def test_a_wide_gamut_becomes_srgb() -> None:
    profile = lean_profile(DISPLAY_P3, 2.2)
    assert ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip() == "wide"
    source = Image.new("RGB", (8, 8), (200, 100, 50))
    # By hand: P3 (gamma 2.2) to XYZ at D50 to linear sRGB (Bradford, D50) to sRGB's curve.
    linear = np.array([200, 100, 50]) / 255.0
    to_srgb = np.array(
        [[3.1338561, -1.6168667, -0.4906146], [-0.9787684, 1.9161415, 0.0334540], [0.0719453, -0.2289914, 1.4052427]]
    )
    light = np.clip(to_srgb @ np.array(DISPLAY_P3) @ linear**2.2, 0, 1)
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert expected[0] > 205  # more of a red than sRGB numbers alone would say
    for form, mode in (("PNG", "RGB"), ("PNG", "RGBA"), ("WEBP", "RGB"), ("TIFF", "RGB")):
        options = {"icc_profile": profile, **({"lossless": True} if form == "WEBP" else {})}
        read = picture_from_bytes(saved(source.convert(mode), form, **options), LIMITS)
        assert read.getpixel((4, 4)) == pytest.approx(tuple(expected), abs=2), (form, mode)


@pytest.mark.parametrize(
    "profile",
    [b"no profile", ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), b"\0" * 5_000_000],
    ids=["broken", "sRGB", "huge"],
)
def test_a_profile_of_no_use_changes_nothing(profile: bytes) -> None:
    data = saved(Image.new("RGB", (8, 8), (200, 100, 50)), "PNG", icc_profile=profile)
    if len(profile) > 1_000_000:  # Pillow refuses to unpack so long a profile; what it says is one line
        with pytest.raises(MediaError, match="corrupt"):
            picture_from_bytes(data, LIMITS)
        return
    assert picture_from_bytes(data, LIMITS).getpixel((4, 4)) == (200, 100, 50)


def test_a_profile_of_other_colours_than_the_picture_is_ignored() -> None:
    data = saved(Image.new("L", (8, 8), 100), "PNG", icc_profile=lean_profile(DISPLAY_P3, 2.2))
    assert picture_from_bytes(data, LIMITS).getpixel((4, 4)) == (100, 100, 100)


def gradient(width: int = 640, height: int = 480) -> Image.Image:
    across = np.linspace(0, 255, width, dtype=np.uint8)
    noise = np.random.default_rng(0).integers(0, 40, (height, width), np.uint8)
    return Image.fromarray(np.stack([np.broadcast_to(across, noise.shape), noise, 255 - noise], axis=-1))


@pytest.mark.parametrize("cut", [0.3, 0.9, 0.999])
@pytest.mark.parametrize(
    ("form", "options"), [("JPEG", {"progressive": True}), ("JPEG", {}), ("PNG", {}), ("WEBP", {}), ("AVIF", {})]
)
def test_a_file_cut_off_is_no_picture(form: str, options: dict, cut: float) -> None:
    data = saved(gradient(), form, **options)
    with pytest.raises(MediaError, match=r"'upload'.* (is corrupt|is a broken|is not a picture)"):
        picture_from_bytes(data[: int(len(data) * cut)], LIMITS)


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("zero.jpg", b"", "is empty"),
        ("page.jpg", b"<!doctype html><title>404</title>", "not a picture of a known form; JPEG, PNG"),
        ("drawing.jpg", b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture of a known"),
        ("phone.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(500), "is HEIF, not a picture of a known form"),
        ("film.jpg", b"\0\0\0\x18ftypisom\0\0\0\0mp42isom" + bytes(500), "is MP4, not a picture"),
        ("song.jpg", b"ID3\3" + bytes(500), "is MP3, not a picture"),
        ("stub.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0\xff\xd9", "broken JPEG|corrupt"),
        ("nothing.png", png(0, 0, 8, 2, zlib.compress(b"")), "broken PNG|corrupt"),
        ("claims.png", png(30_000, 30_000, 8, 2, zlib.compress(b"\0")), "too large|30000 x 30000"),
    ],
)
def test_what_is_no_picture_is_one_clear_line(tmp_path: Path, name: str, data: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(MediaError, match=says) as caught:
        open_picture(name, tmp_path, LIMITS)
    assert name in str(caught.value) and "\n" not in str(caught.value)


def test_thirty_thousand_squared_pixels_are_refused_by_the_header() -> None:
    """A real file of a few hundred kB that would unpack to 112 MB of bits, or 2.7 GB as RGB."""
    pack = zlib.compressobj()
    row = bytes(1 + 30_000 // 8)
    rows = b"".join(pack.compress(row) for _ in range(30_000)) + pack.flush()
    data = png(30_000, 30_000, 1, 0, rows)
    assert len(data) < 1_000_000
    with pytest.raises(MediaError, match=r"too large|30000 x 30000"):
        picture_from_bytes(data, LIMITS)
    jpeg = bytearray(saved(Image.new("L", (16, 16)), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 30_000, 30_000)
    with pytest.raises(MediaError, match=r"too large|30000 x 30000"):
        picture_from_bytes(bytes(jpeg), LIMITS)


def test_a_jpeg_is_decoded_no_smaller_than_was_asked() -> None:
    data = saved(gradient(1600, 1200), "JPEG", quality=90)
    sizes = {most: picture_from_bytes(data, LIMITS, at_most=most).size for most in (10**7, 800 * 600, 300_000, 1)}
    assert sizes == {10**7: (1600, 1200), 800 * 600: (800, 600), 300_000: (800, 600), 1: (200, 150)}
    whole = picture_from_bytes(data, LIMITS).resize((800, 600), Image.Resampling.BOX)
    small = picture_from_bytes(data, LIMITS, at_most=480_000)
    assert np.abs(np.asarray(whole, float) - np.asarray(small, float)).mean() < 2
    assert picture_from_bytes(saved(gradient(), "PNG"), LIMITS, at_most=1).size == (640, 480)


def test_a_small_decode_is_turned_and_coloured_like_a_whole_one() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(quarters().resize((640, 320)), "JPEG", exif=exif, quality=95)
    picture = picture_from_bytes(data, LIMITS, at_most=160 * 80)
    assert picture.size == (80, 160) and corners(picture) == [BLUE, RED, YELLOW, GREEN]
    cmyk = saved(Image.new("CMYK", (640, 320), (0, 255, 255, 0)), "JPEG")
    assert picture_from_bytes(cmyk, LIMITS, at_most=100).getpixel((3, 3)) == pytest.approx(RED, abs=3)


def png_of(width: int, height: int) -> bytes:
    """Return the header of a grey PNG of any size; its pixels are missing."""
    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("side", [10_000, 30_000, 2**31 - 1])
def test_the_bound_on_pixels_is_ours_and_named_with_the_true_size(side: int) -> None:
    limits = MediaLimits(max_pixels=1_000_000)
    with pytest.raises(MediaError, match=rf"'x.png' is {side} x {side} pixels; up to 1,000,000 in all would be valid"):
        picture_from_bytes(png_of(side, side), limits, name="x.png")


@pytest.mark.parametrize("values", [[np.nan, np.nan], [np.inf, -np.inf], [np.nan, np.inf]])
def test_a_picture_without_any_number_is_an_error(values: list[float]) -> None:
    data = saved(Image.fromarray(np.array([values], np.float32)), "TIFF")
    with pytest.raises(MediaError, match=r"'depth\.tif' is corrupt: none of its values is a finite number"):
        picture_from_bytes(data, LIMITS, name="depth.tif")


def test_what_is_no_number_is_black_and_infinity_white() -> None:
    values = np.array([[1.0, 3.0, np.nan, np.inf, -np.inf]], np.float32)
    read = picture_from_bytes(saved(Image.fromarray(values), "TIFF"), LIMITS)
    assert [read.getpixel((x, 0))[0] for x in range(5)] == [0, 255, 0, 255, 0]
