"""Pictures: bytes to upright RGB, and back to a small file for the page."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Literal

from PIL import Image, ImageOps, UnidentifiedImageError

from catalog.errors import MediaError
from catalog.media.limits import MediaLimits
from catalog.media.refs import media_bytes

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")
"""What is decoded; Pillow's rarer decoders are left shut."""

ThumbnailForm = Literal["jpeg", "webp"]

_WHITE = (255, 255, 255)
_QUALITY = 85


def open_picture(ref: str, root: Path, limits: MediaLimits) -> Image.Image:
    """Return a picture as RGB, turned upright by its EXIF orientation, transparency laid on white.

    Of an animated file it is the first frame.

    Args:
        ref: An http(s) URL fetched before, an absolute path, or a path relative to `root`.
        root: Workspace root.
        limits: What is refused.

    Raises:
        MediaError: When the file is missing, too large, corrupt, cut off, or of an unknown form.
    """
    data = media_bytes(ref, root, limits.max_picture_bytes)
    return picture_from_bytes(data, limits, name=ref)


def picture_from_bytes(data: bytes, limits: MediaLimits, *, name: str = "upload") -> Image.Image:
    """Return the picture in `data` as `open_picture` does; `name` stands in the error.

    Raises:
        MediaError: When it is too large, corrupt, cut off, or of an unknown form.
    """
    if len(data) > limits.max_picture_bytes:
        raise MediaError(f"picture {name!r} has {len(data):,} bytes; up to {limits.max_picture_bytes:,} would be valid")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > limits.max_pixels:
                raise MediaError(
                    f"picture {name!r} is {width} x {height} pixels; up to {limits.max_pixels:,} in all would be valid"
                )
            picture.load()
            return _rgb(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError as error:
        raise MediaError(f"{name!r} is not a picture of a known form; {', '.join(FORMATS)} would be valid") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise MediaError(f"picture {name!r} is too large: {error}") from error
    except (
        OSError,
        EOFError,
        SyntaxError,
        ValueError,
        IndexError,
        KeyError,
        TypeError,
        struct.error,
        zlib.error,
    ) as error:
        # Pillow's decoders raise any of these on broken files.
        raise MediaError(f"picture {name!r} is corrupt: {error}") from error


def thumbnail(picture: Image.Image, *, side: int = 480, form: ThumbnailForm = "jpeg") -> bytes:
    """Return `picture` as a small file whose longer side is at most `side` pixels; it is never enlarged."""
    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, form.upper(), quality=_QUALITY)
    return buffer.getvalue()


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode == "RGB":
        return picture.copy()
    if picture.mode in ("I;16", "I", "F"):  # 16 bits and more: `convert` would clip, not scale
        low, high = (float(bound) for bound in picture.getextrema())  # type: ignore[arg-type]
        span = 255 / (high - low) if high > low else 0.0
        return picture.convert("F").point(lambda value: (value - low) * span).convert("L").convert("RGB")
    if picture.has_transparency_data:
        solid = picture.convert("RGBA")
        white = Image.new("RGBA", solid.size, (*_WHITE, 255))
        return Image.alpha_composite(white, solid).convert("RGB")
    return picture.convert("RGB")
