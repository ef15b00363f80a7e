"""Pixels in CIELAB, where distances are about what an eye sees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

Lab = npt.NDArray[np.float32]
"""(..., 3): L* 0..100, a* green to red, b* blue to yellow."""

_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_WHITE = np.array([0.95047, 1.0, 1.08883])


def to_lab(rgb: npt.NDArray[np.uint8]) -> Lab:
    """Return sRGB bytes (..., 3) in CIELAB under D65.

    Source: IEC 61966-2-1 for the decoding, CIE 15:2004 for L*, a*, b*.
    """
    code = np.arange(256) / 255
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    xyz = linear.astype(np.float32)[rgb] @ (_TO_XYZ / _WHITE[:, None]).T.astype(np.float32)
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz * np.float32((29 / 6) ** 2 / 3) + np.float32(4 / 29))
    out = np.empty_like(f)
    out[..., 0] = 116 * f[..., 1] - 16
    out[..., 1] = 500 * (f[..., 0] - f[..., 1])
    out[..., 2] = 200 * (f[..., 1] - f[..., 2])
    return out


def picture_lab(image: Image.Image, side: int) -> Lab:
    """Return a picture in Lab (h, w, 3), its longer side scaled to `side` pixels."""
    scale = side / max(image.size)
    size = (max(8, round(image.width * scale)), max(8, round(image.height * scale)))
    method = Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BILINEAR
    small = image.convert("RGB").resize(size, method, reducing_gap=None)
    return to_lab(np.asarray(small))


def chroma(lab: Lab) -> npt.NDArray[np.float32]:
    """Return how far colours are from grey, (...,)."""
    return np.hypot(lab[..., 1], lab[..., 2])
