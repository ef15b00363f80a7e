"""Pictures whose truth is known: shapes of known colour and pattern, lit, with a shadow, on a studio background."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from captioning.tiny_checkpoints import PATCH, build_tiny_checkpoint

NAVY, CREAM, RED = (40, 60, 110), (235, 225, 200), (200, 60, 50)
PX = 480


def _cloth(pattern, size, ground, first, second, rng):
    image = Image.new("RGB", (PX, PX), ground)
    draw = ImageDraw.Draw(image)
    steps = range(-PX, 2 * PX, size)
    if pattern == "horizontal stripes":
        for y in steps:
            draw.rectangle([0, y, PX, y + size // 2], fill=first)
    elif pattern == "vertical stripes":
        for x in steps:
            draw.rectangle([x, 0, x + size // 2, PX], fill=first)
    elif pattern == "diagonal stripes":
        for x in steps:
            draw.line([x, 0, x + PX, PX], fill=first, width=size // 3)
    elif pattern == "checks":
        cells = np.array(image, np.float64)
        band = (np.arange(PX) // (size // 2)) % 2 == 0
        for rows in (band[:, None], band[None, :]):
            cells = np.where(rows[..., None], 0.5 * cells + 0.5 * np.array(first), cells)
        image = Image.fromarray(cells.astype(np.uint8))
    elif pattern == "dots":
        for row, y in enumerate(range(0, PX + size, size)):
            for x in range(-(row % 2) * size // 2, PX + size, size):
                draw.ellipse([x - size // 4, y - size // 4, x + size // 4, y + size // 4], fill=first)
    elif pattern == "zigzag":
        for y in steps:
            points = [(x, y + (size // 2 if k % 2 else 0)) for k, x in enumerate(range(0, PX + size, size // 2))]
            draw.line(points, fill=first, width=size // 4)
    elif pattern == "floral":
        for y in range(0, PX + size, int(1.3 * size)):
            for x in range(0, PX + size, int(1.3 * size)):
                for k in range(5):
                    a, r = 2 * np.pi * k / 5 + rng.random(), size / 3
                    cx, cy = x + r * np.cos(a), y + r * np.sin(a)
                    draw.ellipse([cx - 0.55 * r, cy - 0.55 * r, cx + 0.55 * r, cy + 0.55 * r], fill=first)
                draw.ellipse([x - 6, y - 6, x + 6, y + 6], fill=second)
    elif pattern == "terrazzo":
        for _ in range(int(2.6 * (PX / size) ** 2)):
            centre, angles = rng.random(2) * PX, (np.arange(5) + 0.7 * rng.random(5)) * 2 * np.pi / 5
            r = size * (0.14 + 0.16 * rng.random())
            corners = [(centre[0] + r * np.cos(a), centre[1] + r * np.sin(a)) for a in angles]
            draw.polygon(corners, fill=first if rng.random() < 0.5 else second)
    elif pattern == "gradient":
        share = np.linspace(0, 1, PX)[:, None, None]
        image = Image.fromarray(
            (np.array(ground) * (1 - share) + np.array(second) * share + np.zeros((PX, PX, 1))).astype(np.uint8)
        )
    return np.array(image, np.float64)


def _outline(shape):
    mask = Image.new("L", (PX, PX), 0)
    draw = ImageDraw.Draw(mask)
    if shape == "ball":
        draw.ellipse([95, 95, 385, 385], fill=255)
    elif shape == "box":
        draw.rectangle([110, 130, 370, 380], fill=255)
    elif shape == "bottle":
        draw.rectangle([220, 50, 260, 200], fill=255)
        draw.ellipse([165, 170, 315, 430], fill=255)
    elif shape == "mug":
        draw.ellipse([270, 180, 400, 340], fill=255)
        draw.ellipse([300, 210, 370, 310], fill=0)
        draw.rectangle([130, 140, 320, 390], fill=255)
    elif shape == "plank":
        draw.rectangle([60, 230, 420, 300], fill=255)
    elif shape == "table":
        draw.rectangle([90, 180, 390, 215], fill=255)
        for x in (100, 220, 360):
            draw.rectangle([x, 200, x + 20, 400], fill=255)
    return mask


@pytest.fixture
def product():
    """Return a function that draws a product; every picture is the same at every call."""

    def draw(pattern="solid", shape="ball", *, size=48, ground=NAVY, first=CREAM, second=RED, shift=(0, 0), light=1.0):
        rng = np.random.default_rng(7)
        cloth = _cloth(pattern, size, ground, first, second, rng)
        y, x = np.mgrid[0:PX, 0:PX] / PX
        lit = np.clip(cloth * (1.06 - 1.2 * (x - 0.45) ** 2 - 0.3 * (y - 0.4) ** 2)[..., None] * light, 0, 255)
        mask = Image.fromarray(np.roll(np.array(_outline(shape)), shift, (0, 1))).filter(ImageFilter.GaussianBlur(0.7))
        alpha = np.array(mask, np.float64)[..., None] / 255
        floor = Image.new("L", (PX, PX), 0)
        ImageDraw.Draw(floor).ellipse([150, 395, 380, 435], fill=80)
        shade = np.array(floor.filter(ImageFilter.GaussianBlur(14)), np.float64)[..., None] / 255
        wall = np.stack([228 - 18 * y + 5 * x, 224 - 16 * y, 217 - 13 * y], axis=-1)
        out = wall * (1 - 0.6 * shade) * (1 - alpha) + lit * alpha + rng.normal(0, 1.5, (PX, PX, 3))
        return Image.fromarray(np.clip(out, 0, 255).astype(np.uint8))

    return draw


@pytest.fixture(scope="session")
def tiny_checkpoints(tmp_path_factory):
    """Return the folder of a random-weight checkpoint by architecture."""
    return {name: build_tiny_checkpoint(tmp_path_factory.mktemp(name), name) for name in PATCH}
