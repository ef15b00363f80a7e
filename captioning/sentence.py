"""One object on an even background, in a sentence or two."""

from __future__ import annotations

import numpy as np
from PIL import Image

from captioning import light
from captioning.colours import Colour, palette
from captioning.ground import Ground
from captioning.lab import Lab, closer
from captioning.pattern import Pattern, read_pattern
from captioning.shape import Shape, read_shape
from captioning.vocabulary import SHARES

_PATTERNS = {
    "solid": "plain, solid colour",
    "gradient": "one colour fading into another (a gradient)",
    "textured": "plain, with fine texture, seams or folds",
    "horizontal stripes": "horizontal stripes",
    "vertical stripes": "vertical stripes",
    "diagonal stripes": "diagonal stripes",
    "checks": "checks (a chequered, plaid pattern)",
    "zigzag": "zigzag (chevron) pattern",
    "dots": "polka dots",
    "floral": "floral print of petal-like shapes",
    "terrazzo": "terrazzo: scattered angular chips of colour",
    "mottled": "mottled, spotted all-over pattern",
    "print": "a printed motif on plain ground",
}


def describe_object(image: Image.Image, lab: Lab, ground: Ground) -> str:
    """Return the caption of a picture that shows a subject on an even background.

    Args:
        image: The picture.
        lab: The same, reduced, in Lab.
        ground: Its split, on the grid of `lab`.
    """
    shape = read_shape(ground.subject)
    pattern = look_closer(image, ground, max(lab.shape[:2]))
    colours = palette(lab[ground.surface])
    said = [
        f"{_article(shape.proportion)} {shape.proportion}, {shape.outline} object{_several(shape)} "
        f"in {colour_phrase(colours)}.",
        f"Pattern: {_pattern_phrase(pattern)}.",
    ]
    if shape.details:
        said.append(f"Silhouette: {', '.join(shape.details)}.")
    # The even ground behind a product is the studio's, not the product's: naming its colour only adds noise.
    looks = [word for word in (light.finish(lab, ground.surface),) if word]
    looks += [f"{light.saturation(lab[ground.surface])} colours", light.contrast(lab[ground.surface])]
    if shape.size > 0.5:
        looks.append("filling the frame")
    elif shape.size < 0.08:
        looks.append("small in the frame")
    said.append(f"{_capital(', '.join(looks))}.")
    return " ".join(said)


def look_closer(image: Image.Image, ground: Ground, side: int) -> Pattern:
    """Return the pattern of the subject, read from a cut around it at `side` pixels."""
    near, (top, bottom, left, right) = closer(image, ground.surface, side)
    h, w = near.shape[:2]
    grid = Image.fromarray(ground.surface[top:bottom, left:right]).resize((w, h), Image.Resampling.NEAREST)
    return read_pattern(near, np.asarray(grid, np.bool_))


def colour_phrase(colours: list[Colour]) -> str:
    """Return named colours with their weight in words, e.g. "mostly navy blue with cream and touches of red"."""
    main = colours[0]
    parts = [c.name for c in colours[1:] if c.share >= SHARES["part"]][:3]
    touches = [c.name for c in colours[1:] if SHARES["touch"] <= c.share < SHARES["part"]][:2]
    phrase = main.name if main.share >= SHARES["mostly"] or not parts else ""
    if phrase:
        phrase = phrase if main.share >= SHARES["whole"] or not parts else f"mostly {phrase}"
        phrase += f" with {_joined(parts)}" if parts else ""
    else:
        phrase = _joined([main.name, *parts])
    joint = "and" if parts else "with"
    return phrase + (f" {joint} touches of {_joined(touches)}" if touches else "")


def _pattern_phrase(pattern: Pattern) -> str:
    return f"{pattern.scale} {_PATTERNS[pattern.kind]}".strip()


def _several(shape: Shape) -> str:
    return "" if shape.count == 1 else f" in {shape.count} parts"


def _joined(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _article(word: str) -> str:
    return "An" if word[0] in "aeiou" else "A"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
