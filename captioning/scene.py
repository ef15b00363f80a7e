"""A picture without an even background (a poster, a scene) in words: palette, light, layout, lettering."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from captioning import light
from captioning.colours import palette
from captioning.lab import Lab, chroma


def describe_scene(lab: Lab) -> str:
    """Return one or two sentences about a picture that fills its frame."""
    colours = [c for c in palette(lab.reshape(-1, 3)) if c.share >= 0.06][:4]
    names = [c.name for c in colours]
    first = f"A {light.brightness(lab)}, {light.warmth(lab)} picture, {light.saturation(lab)}, mostly {names[0]}" + (
        f" with {_joined(names[1:])}" if len(names) > 1 else ""
    )
    said = [light.contrast(lab), _busyness(lab), *_layout(lab)]
    if letters := lettering(lab):
        said.append(letters)
    return f"{first}. {_capital('; '.join(said))}."


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _busyness(lab: Lab) -> str:
    edges = np.hypot(ndimage.sobel(lab[..., 0], 0), ndimage.sobel(lab[..., 0], 1)) / 8
    share = float((edges > 4).mean())
    for bound, word in (
        (0.10, "minimal, large empty areas"),
        (0.24, "calm composition"),
        (0.42, "detailed composition"),
    ):
        if share < bound:
            return word
    return "busy, crowded composition"


def _layout(lab: Lab) -> list[str]:
    """Say where the light and the colour lie."""
    lightness = lab[..., 0]
    h, w = lightness.shape
    centre = float(lightness[h // 4 : -h // 4, w // 4 : -w // 4].mean())
    edge = float(np.concatenate([lightness[: h // 8].ravel(), lightness[-h // 8 :].ravel(),
                                 lightness[:, : w // 8].ravel(), lightness[:, -w // 8 :].ravel()]).mean())  # fmt: skip
    top, bottom = float(lightness[: h // 3].mean()), float(lightness[-h // 3 :].mean())
    said = []
    if centre - edge > 14:
        said.append("a light centre within dark edges")
    elif edge - centre > 14:
        said.append("a dark figure against light edges")
    if top - bottom > 16:
        said.append("light above, dark below")
    elif bottom - top > 16:
        said.append("dark above, light below")
    left, right = lightness[:, : w // 2], lightness[:, -(w // 2) :][:, ::-1]
    if _alike(ndimage.uniform_filter(left, 4), ndimage.uniform_filter(right, 4)) > 0.8:
        said.append("nearly symmetric")
    skin = _skin(lab)
    if skin > 0.3:
        said.append("skin tones fill much of the frame, as in a close-up")
    elif skin > 0.12:
        said.append("skin tones present")
    vivid = chroma(lab) > 45
    if 0.01 < float(vivid.mean()) < 0.12 and float(chroma(lab).mean()) < 18:
        said.append("one vivid accent colour")
    return said


def _alike(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    """Return the correlation of two fields, 0 where one of them is flat."""
    a, b = one - one.mean(), other - other.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / scale if scale > 1e-3 else 0.0


def _skin(lab: Lab) -> float:
    """Return the share of pixels in the range of human skin of any shade: a narrow band of hue."""
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))
    strong = chroma(lab)
    return float(((hue > 32) & (hue < 68) & (strong > 12) & (strong < 38) & (lab[..., 0] > 25)).mean())


def lettering(lab: Lab) -> str | None:
    """Say where lines of lettering seem to stand: bands of rows with many strong vertical strokes."""
    across = np.abs(np.diff(lab[..., 0], axis=1))
    strokes = (across > 16).mean(axis=1)
    band = ndimage.uniform_filter1d(strokes, max(3, len(strokes) // 24)) > 0.22
    thirds = [
        name
        for name, part in zip(("top", "middle", "bottom"), np.array_split(band, 3), strict=True)
        if part.mean() > 0.15
    ]
    return f"lettering-like strokes at the {_joined(thirds)}" if 0 < len(thirds) < 3 else None
