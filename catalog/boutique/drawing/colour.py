"""Colour arithmetic: sRGB hex to linear light and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rgb = tuple[float, float, float]
"""Linear light, each in 0..1."""

_STEPS = 4096


def linear(hex_colour: str) -> Rgb:
    """Return `#rrggbb` in linear light (IEC 61966-2-1)."""
    r, g, b = (int(hex_colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return (_decode(r), _decode(g), _decode(b))


def _decode(v: float) -> float:
    return v / 12.92 if v <= 0.04045 else float(((v + 0.055) / 1.055) ** 2.4)


def encode(light: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return linear light as 8-bit sRGB, highlights rolled off softly above 0.8."""
    over = np.maximum(light - 0.8, 0)
    held = np.minimum(light, 0.8) + 0.2 * over / (over + 0.2)
    v = np.linspace(0, 1, _STEPS + 1)
    table = np.where(v <= 0.0031308, v * 12.92, 1.055 * v ** (1 / 2.4) - 0.055)
    codes: npt.NDArray[np.uint8] = np.rint(table * 255).astype(np.uint8)
    found: npt.NDArray[np.uint8] = codes[(np.clip(held, 0, 1) * _STEPS).astype(np.int32)]
    return found


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """Return `a` with a `share` of `b`."""
    return tuple(x + (y - x) * share for x, y in zip(a, b, strict=True))  # type: ignore[return-value]


def luminance(colour: Rgb) -> float:
    """Return the relative luminance (Rec. 709)."""
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
