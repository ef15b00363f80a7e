"""Light and finish in words: brightness, contrast, warmth, saturation, shine."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from captioning.ground import Mask
from captioning.lab import Lab, chroma


def brightness(lab: Lab) -> str:
    """Say how bright a picture is."""
    mean = float(lab[..., 0].mean())
    for bound, word in ((22, "very dark"), (38, "dark"), (58, "medium-toned"), (78, "bright")):
        if mean < bound:
            return word
    return "very light"


def contrast(lab: Lab) -> str:
    """Say how far light and dark lie apart."""
    low, high = np.percentile(lab[..., 0], [5, 95])
    spread = float(high - low)
    return "soft contrast" if spread < 30 else "strong contrast" if spread > 68 else "moderate contrast"


def warmth(lab: Lab) -> str:
    """Say whether the colours lean warm (red, yellow) or cool (blue, green)."""
    strong = chroma(lab)
    if float(strong.mean()) < 5:
        return "neutral"
    hue = np.arctan2(lab[..., 2], lab[..., 1])
    # Orange, at about 55 degrees, is the warmest; its opposite the coolest.
    lean = float((strong * np.cos(hue - np.radians(55))).sum() / strong.sum())
    return "warm" if lean > 0.35 else "cool" if lean < -0.25 else "mixed warm and cool"


def saturation(lab: Lab) -> str:
    """Say how vivid the colours are."""
    strong = float(np.percentile(chroma(lab), 70))
    for bound, word in ((6, "almost colourless"), (16, "muted"), (36, "moderately colourful")):
        if strong < bound:
            return word
    return "vivid"


def finish(lab: Lab, subject: Mask) -> str | None:
    """Say "glossy" or "matte" where highlights, or their absence, tell; None where they do not.

    A highlight is a small spot much lighter and less colourful than the surface around it.
    """
    inner = ndimage.binary_erosion(subject, iterations=2)
    if inner.sum() < 200:
        return None
    light = lab[..., 0]
    body = float(np.median(light[inner]))
    if body > 84:
        return None
    around = ndimage.gaussian_filter(light, 0.06 * max(light.shape))
    spot = inner & (light - around > 14) & (light > body + 22)
    share = float(spot.sum() / inner.sum())
    if 0.002 < share < 0.09 and float(light[spot].max()) > min(body + 38, 88):
        return "glossy"
    detail = float(np.abs(ndimage.gaussian_laplace(light, 1.2))[inner].mean())
    return "matte" if share < 0.0005 and detail < 1.2 else None
