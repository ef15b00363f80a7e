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
    out: Lab = np.empty(f.shape, np.float32)
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


def closer(image: Image.Image, mask: npt.NDArray[np.bool_], side: int) -> tuple[Lab, tuple[int, int, int, int]]:
    """Return the part of a picture around `mask` in Lab, its longer side `side`, and its box on the mask's grid.

    The box is (top, bottom, left, right) in the mask's rows and columns, one pixel wider than what it holds.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    h, w = mask.shape
    top, bottom = max(0, rows[0] - 1), min(h, rows[-1] + 2)
    left, right = max(0, columns[0] - 1), min(w, columns[-1] + 2)
    across, down = image.width / w, image.height / h
    part = image.crop((round(left * across), round(top * down), round(right * across), round(bottom * down)))
    return picture_lab(part, min(side, max(part.size))), (int(top), int(bottom), int(left), int(right))


def cells(points: Lab, size: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Sort points (n, 3) into cubes of `size`: return the cube of each point (n,) and how many each cube holds."""
    steps = np.round(points / size).astype(np.int64)
    code = ((steps[:, 0] + 512) * 1024 + steps[:, 1] + 512) * 1024 + steps[:, 2] + 512
    _, cell, counts = np.unique(code, return_inverse=True, return_counts=True)
    return cell, counts


def chroma(lab: Lab) -> npt.NDArray[np.float32]:
    """Return how far colours are from grey, (...,)."""
    far: npt.NDArray[np.float32] = np.hypot(lab[..., 1], lab[..., 2])
    return far
