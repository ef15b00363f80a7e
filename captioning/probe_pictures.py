"""Pictures nobody can describe without seeing them: random words, and a change of colour."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw, ImageFont

from captioning.base import Clip, Picture

ITEM = "probe"

_WORDS = (
    "ACORN ALARM AMBER APPLE APRON ARROW BACON BADGE BEACH BERRY BRUSH CABLE CAMEL CANOE CARGO CEDAR CHALK "
    "CHESS CLOCK CLOUD COBRA CORAL CROWN DAISY EAGLE EARTH FERRY FLAME FLUTE FROST GRAPE HAZEL HONEY HORSE "
    "KAYAK LEMON LLAMA MAPLE MEDAL MELON NURSE OCEAN OTTER PANDA PEARL PLANT PLAZA RADAR RAVEN ROBOT SALAD "
    "SHARK SHEEP SNAKE STORM SUGAR TABLE TRACK TRUCK UMBER WAGON WHALE YACHT ZEBRA"
)
WORDS = tuple(_WORDS.split())
"""Three of them in a row are one of a quarter of a million; none of them stands in a prompt."""

COLOURS = {
    "red": (215, 25, 30),
    "green": (20, 150, 50),
    "blue": (25, 60, 215),
    "yellow": (250, 220, 20),
    "black": (12, 12, 12),
    "white": (248, 248, 248),
}
"""Colours every language model has one name for, far apart."""

INKS = {"dark red": (130, 10, 20), "dark green": (5, 85, 30), "dark blue": (15, 25, 120), "black": (10, 10, 10)}
PAPER = (250, 248, 240)

WIDTH, HEIGHT = 448, 336
"""Pixels of a card; both are whole numbers of the 28 and near the 32 pixel squares Qwen-VL reads by."""
LETTER = 76
TRACKING = 8
"""Pixels of a letter, and between two, so that no two letters touch."""
FRAMES_A_COLOUR = 2
"""Qwen-VL folds frames in pairs into one: a colour that lasted a single frame would be blended with the other."""


@dataclass(frozen=True, slots=True)
class WordCard:
    """A picture of words; `told` says what was drawn, for a person."""

    words: tuple[str, ...]
    picture: Picture
    told: str


@dataclass(frozen=True, slots=True)
class ColourChange:
    """A clip that is all of one colour, then all of another."""

    colours: tuple[str, str]
    clip: Clip
    told: str


def letter_font(size: int = LETTER) -> ImageFont.FreeTypeFont:
    """Return the font that Pillow brings along."""
    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font


def draw_words(rng: Random) -> WordCard:
    """Return a card of three random words in a random ink, one a line."""
    words = tuple(rng.sample(WORDS, 3))
    ink = rng.choice(sorted(INKS))
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw, font = ImageDraw.Draw(image), letter_font()
    for line, word in enumerate(words):
        widths = [font.getlength(letter) for letter in word]
        left = (WIDTH - sum(widths) - TRACKING * (len(word) - 1)) / 2
        for letter, width in zip(word, widths, strict=True):
            draw.text((left, 20 + line * 104), letter, font=font, fill=INKS[ink])
            left += width + TRACKING
    return WordCard(words, Picture(ITEM, "probe-words.png", image), f"{' '.join(words)!r} in {ink}")


def draw_change(rng: Random) -> ColourChange:
    """Return a clip of two random colours, one after the other."""
    first, second = rng.sample(sorted(COLOURS), 2)
    shown = [first] * FRAMES_A_COLOUR + [second] * FRAMES_A_COLOUR
    frames = tuple(
        Picture(ITEM, "probe-change.mp4", Image.new("RGB", (HEIGHT, HEIGHT), COLOURS[colour]), float(time))
        for time, colour in enumerate(shown)
    )
    clip = Clip(
        item_id=ITEM,
        media="probe-change.mp4",
        frames=frames,
        numbers=tuple(range(len(shown))),
        seconds=float(len(shown)),
        rate=1.0,
    )
    return ColourChange((first, second), clip, f"{first}, then {second}")
