"""Pictures: bytes to upright sRGB, and back to a small file for the page."""

from __future__ import annotations

import contextlib
import io
import math
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Literal

from PIL import Image, ImageOps, UnidentifiedImageError

from catalog.errors import MediaError
from catalog.media.colours import as_rgb
from catalog.media.limits import MediaLimits
from catalog.media.refs import media_bytes
from catalog.media.sniff import HEAD, sniff
from catalog.shown import shown_url

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What is decoded; Pillow's rarer decoders are left shut."""

ThumbnailForm = Literal["jpeg", "webp"]

_QUALITY = 85
_BROKEN = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
)
"""Pillow's decoders raise any of these on broken files."""


def open_picture(ref: str, root: Path, limits: MediaLimits, *, at_most: int | None = None) -> Image.Image:
    """Return a picture as RGB, turned upright by its EXIF orientation, transparency laid on white.

    Colours are sRGB: an embedded profile is applied. Of an animated file it is the first frame.

    Args:
        ref: An http(s) URL fetched before, an absolute path, one relative to `root`, or a member of a zip or tar
            (`photos.zip!/shoes/1.jpg`).
        root: Workspace root.
        limits: What is refused.
        at_most: Pixels (width x height) that the caller looks at. A larger JPEG may then be decoded at a half, a
            quarter or an eighth of its scale, with no fewer pixels than that.

    Raises:
        MediaError: When the file is missing, too large, corrupt, cut off, or of an unknown form.
    """
    data = media_bytes(ref, root, limits.max_picture_bytes)
    return picture_from_bytes(data, limits, name=ref, at_most=at_most)


def picture_from_bytes(
    data: bytes, limits: MediaLimits, *, name: str = "upload", at_most: int | None = None
) -> Image.Image:
    """Return the picture in `data` as `open_picture` does; `name` stands in the error.

    Raises:
        MediaError: When it is too large, corrupt, cut off, or of an unknown form.
    """
    if len(data) > limits.max_picture_bytes:
        raise MediaError(
            f"picture {shown_url(name)!r} has {len(data):,} bytes; up to {limits.max_picture_bytes:,} would be valid"
        )
    with _opened(io.BytesIO(data), limits, name) as picture:
        if at_most is not None and picture.format in ("JPEG", "MPO"):
            width, height = picture.size
            scale = math.sqrt(at_most / (width * height))
            picture.draft(None, (math.ceil(width * scale), math.ceil(height * scale)))
        picture.load()
        with contextlib.suppress(*_BROKEN):  # an orientation that cannot be read is none
            ImageOps.exif_transpose(picture, in_place=True)
        return as_rgb(picture)


def picture_size(file: BinaryIO, limits: MediaLimits, *, name: str) -> tuple[int, int]:
    """Return width and height as a picture's header states them; nothing is decoded.

    Raises:
        MediaError: When it is of an unknown form, its header broken, or it has too many pixels.
    """
    with _opened(file, limits, name) as picture:
        return picture.size


def thumbnail(picture: Image.Image, *, side: int = 480, form: ThumbnailForm = "jpeg") -> bytes:
    """Return `picture` as a small file whose longer side is at most `side` pixels; it is never enlarged."""
    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, form.upper(), quality=_QUALITY)
    return buffer.getvalue()


@contextlib.contextmanager
def _opened(file: BinaryIO, limits: MediaLimits, name: str) -> Iterator[Image.Image]:
    """Open a picture by its header; what goes wrong there or in the block is one `MediaError`."""
    try:
        with _by_header(file) as picture:
            width, height = picture.size
            if width * height > limits.max_pixels:
                raise MediaError(
                    f"picture {shown_url(name)!r} is {width} x {height} pixels; "
                    f"up to {limits.max_pixels:,} in all would be valid"
                )
            yield picture
    except UnidentifiedImageError as error:
        raise MediaError(f"{shown_url(name)!r} is {_form(file)}; {', '.join(FORMATS)} would be valid") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise MediaError(f"picture {shown_url(name)!r} is too large: {error}") from error
    except _BROKEN as error:
        raise MediaError(f"picture {shown_url(name)!r} is corrupt: {error}") from error


def _by_header(file: BinaryIO) -> Image.Image:
    """Open a picture however large its header says it is: how many pixels are too many is ours to say.

    Pillow's own bound is a setting of the whole process; its reader of a form does not know it.
    """
    try:
        return Image.open(file, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        file.seek(0)
        head = file.read(16)
        for form in FORMATS:
            factory, accepts = Image.OPEN[form]
            if accepts is not None and accepts(head) is True:
                file.seek(0)
                return factory(file, "")
        raise


def _form(file: BinaryIO) -> str:
    """Return what a file is that is no picture of ours."""
    file.seek(0)
    found = sniff(file.read(HEAD))
    if found is None:
        return "not a picture of a known form"
    if found.form in FORMATS:
        return f"a broken {found.form}, not a picture of a known form"
    return f"{found.form}, not a picture of a known form"
