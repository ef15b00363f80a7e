"""What shoppers write: reviews, complaints, praise, return notes and searches."""

from __future__ import annotations

import numpy as np

from catalog.boutique.pieces import Piece
from catalog.boutique.wording import pick

_PATTERN_WORDS = {
    "plain": "clean single colour", "stripes": "stripes", "dots": "polka dots", "checks": "checks",
    "floral": "flowers", "zigzag": "zigzag", "terrazzo": "terrazzo chips", "ombre": "colour fade",
}  # fmt: skip
_SHAPE_WORDS = {
    "tall": "tall, slim shape", "wide": "low, wide shape", "round": "rounded shape", "angular": "crisp edges",
}  # fmt: skip
_MOTION_WORDS = {
    "still": "quiet little film", "slow turn": "slow turn in the film", "fast turn": "lively spin in the film",
    "swing": "swing in the film", "bounce": "bouncing film", "light sweep": "way the light moves in the film",
}  # fmt: skip
_FUNCTION_WORDS = {
    "easy care": "how easy it is to clean", "low impact": "its clean conscience",
    "portable": "how light it is", "hard wearing": "how sturdy it is", "comforting": "how good it feels",
    "weatherproof": "how little it minds the rain", "personalised": "having our initials on it",
    "space saving": "how little room it takes",
}  # fmt: skip
_OCCASION_WORDS = {
    "everyday": "every day", "gift": "a present", "wedding": "a wedding", "travel": "travelling",
    "office": "the office", "garden party": "a garden party", "holidays": "the holidays",
    "quiet evening": "quiet evenings",
}  # fmt: skip

_GOOD = (
    "Lovely. The {look} are even better in person, and I like {use}.",
    "Exactly what I hoped for. The {look} are perfect in {shade}.",
    "Bought it for {occasion}, kept looking at the {look}.", "I like {use}. The {shade} is beautiful too.",
    "Five stars for the {look}.", "Friends keep asking about the {look}. And {use}? A bonus.",
)  # fmt: skip
_FAIR = (
    "Nice enough. The {look} are fine, the {material} less so.", "Good for {occasion}, nothing more.",
    "The {shade} is a little different from what I expected. I do like {use}.", "Decent {noun} for the price.",
)  # fmt: skip
_POOR = (
    "Not for me: the {look} are not my taste.", "The {material} feels cheaper than I expected.",
    "Too expensive for what it is.", "I wanted to like the {look}, but could not.", "The {shade} looks wrong at home.",
)  # fmt: skip
_PRAISE = (
    "Called to say thank you: the {noun} arrived early and the {look} are a joy.",
    "Wrote to the shop: delighted with {use}.",
    "Please tell the maker that the {noun} is wonderful.",
)
_COMPLAINTS = (
    "Arrived with a scratch, and the box was open.", "The {material} came apart after a week.",
    "Delivery took far too long and nobody answered.", "The {shade} is not the one in the picture.",
    "I needed it for {occasion}, and it came a week late.",
)  # fmt: skip
_RETURNS = (
    "Not my style after all.", "The {look} were too much at home.", "Wrong size.", "Quality below what I expected.",
    "Found something I like better.",
)  # fmt: skip
_SEARCHES = (
    "{noun}", "{colour} {noun}", "{noun} for {occasion}", "{material} {noun}", "{noun} with {look}", "{theme} {noun}",
)  # fmt: skip


def _words(piece: Piece, rng: np.random.Generator) -> dict[str, str]:
    seen = [_PATTERN_WORDS[piece.pattern], _SHAPE_WORDS[piece.silhouette]]
    if piece.motion is not None:
        seen.append(_MOTION_WORDS[piece.motion])
    return {
        "look": seen[int(rng.integers(len(seen)))], "use": _FUNCTION_WORDS[piece.function], "shade": piece.shade,
        "material": piece.material, "occasion": _OCCASION_WORDS[piece.occasion], "noun": piece.category.nouns[0],
        "colour": piece.colour, "theme": piece.theme,
    }  # fmt: skip


def _write(options: tuple[str, ...], piece: Piece, rng: np.random.Generator) -> str:
    text = pick(rng, options)
    words = _words(piece, rng)
    if words["look"] not in ("stripes", "polka dots", "checks", "flowers", "terrazzo chips", "crisp edges"):
        text = text.replace("{look} are", "{look} is").replace("{look} were", "{look} was")
    return text.format(**words)


def review(piece: Piece, stars: int, rng: np.random.Generator) -> str:
    """Return a review in the tone of `stars` (1 to 5)."""
    return _write(_GOOD if stars >= 4 else _FAIR if stars == 3 else _POOR, piece, rng)


def praise(piece: Piece, rng: np.random.Generator) -> str:
    """Return a note of thanks."""
    return _write(_PRAISE, piece, rng)


def complaint(piece: Piece, rng: np.random.Generator) -> str:
    """Return a complaint."""
    return _write(_COMPLAINTS, piece, rng)


def return_note(piece: Piece, rng: np.random.Generator) -> str:
    """Return why a piece was sent back."""
    return _write(_RETURNS, piece, rng)


def query(piece: Piece, rng: np.random.Generator) -> str:
    """Return what a shopper might type who ends up at `piece`."""
    return _write(_SEARCHES, piece, rng)
