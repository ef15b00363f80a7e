"""Any picture's colours as eight-bit sRGB on white, as a screen would show them."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

_WHITE = (255, 255, 255)
_SIXTEEN = ("I;16", "I;16L", "I;16B", "I;16N")
_MOST_PROFILE = 4_000_000
_SPACES = {"RGB": "RGB ", "RGBA": "RGB ", "L": "GRAY", "CMYK": "CMYK"}


def as_rgb(picture: Image.Image) -> Image.Image:
    """Return a loaded picture as RGB: its colour profile applied, transparency laid on white.

    Raises:
        ValueError: When it holds no number at all.
    """
    profile = picture.info.get("icc_profile")
    if picture.mode in _SIXTEEN:
        # PNG and TIFF mean 65,535 by white; stretching to what occurs would brighten a dark picture.
        grey = (np.asarray(picture).astype(np.uint32) * 255 + 32_767) // 65_535
        picture = Image.fromarray(grey.astype(np.uint8))
    elif picture.mode in ("I", "F"):  # no range is agreed on: from the darkest to the brightest
        picture = _stretched(picture)
    elif picture.has_transparency_data:
        picture = picture.convert("RGBA")
    elif picture.mode not in _SPACES:
        picture = picture.convert("RGB")
    if profile and len(profile) <= _MOST_PROFILE:
        picture = _in_srgb(picture, bytes(profile))
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, (*_WHITE, 255))
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.copy() if picture.mode == "RGB" else picture.convert("RGB")


def _stretched(picture: Image.Image) -> Image.Image:
    """Return grey of any range as eight bits; what is no number is black."""
    picture = picture.convert("F")
    values = np.asarray(picture)
    finite = np.isfinite(values)
    if not finite.any():
        raise ValueError("none of its values is a finite number")
    low, high = (float(bound(values[finite])) for bound in (np.min, np.max))
    if not finite.all():
        picture = Image.fromarray(np.nan_to_num(values, nan=low, posinf=high, neginf=low))
    span = 255 / (high - low) if high > low else 0.0
    return picture.point(lambda value: (value - low) * span).convert("L")


def _in_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    transform = _transform(profile, picture.mode)
    if transform is None:
        return picture
    from PIL import ImageCms

    try:
        return ImageCms.applyTransform(picture, transform) or picture
    except ImageCms.PyCMSError:
        return picture


@lru_cache(64)  # a shop's pictures share a few profiles, and a transform takes milliseconds to make
def _transform(profile: bytes, mode: str) -> ImageCmsTransform | None:
    """Return what takes a profile's colours to sRGB; None where they are sRGB or the profile is of no use."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space != _SPACES[mode] or _is_srgb(ImageCms.getProfileDescription(source)):
            return None
        target = "RGBA" if mode == "RGBA" else "RGB"
        return ImageCms.buildTransform(
            source, ImageCms.createProfile("sRGB"), mode, target, ImageCms.Intent.RELATIVE_COLORIMETRIC
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_srgb(description: str) -> bool:
    return "srgb" in description.lower()
