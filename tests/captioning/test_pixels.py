import os
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageDraw

from captioning.base import Captioner, Picture, VideoCaptioner
from captioning.colours import name_of, palette
from captioning.ground import split
from captioning.lab import picture_lab, to_lab
from captioning.pixels import PixelsCaptioner, PixelsConfig
from captioning.sentence import look_closer
from captioning.vocabulary import COLOURS

DATA = Path(os.environ.get("TEST_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


def words(image):
    [said] = PixelsCaptioner().caption([Picture("a", "a.png", image)])
    assert said.text is not None
    return said.text


def test_lab_agrees_with_published_values():
    # Bruce Lindbloom's calculator, sRGB, D65.
    published = {(255, 255, 255): (100, 0, 0), (255, 0, 0): (53.24, 80.09, 67.20), (0, 0, 255): (32.30, 79.19, -107.86)}
    for rgb, lab in published.items():
        assert to_lab(np.array(rgb, np.uint8)) == pytest.approx(np.array(lab), abs=0.06)


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((0, 0, 0), "black"), ((255, 255, 255), "white"), ((128, 128, 128), "grey"), ((220, 20, 60), "red"),
        ((0, 0, 128), "navy blue"), ((255, 215, 0), "yellow"), ((0, 128, 128), "teal"), ((128, 0, 32), "burgundy"),
        ((255, 127, 80), "coral"), ((128, 128, 0), "olive green"), ((135, 206, 235), "sky blue"),
        ((245, 245, 220), "cream"), ((64, 224, 208), "turquoise"), ((34, 139, 34), "green"), ((255, 140, 0), "orange"),
    ],
)  # fmt: skip
def test_well_known_colours_have_their_names(rgb, name):
    # CSS colour values on the left; the CSS name or its plain synonym on the right.
    assert name_of(to_lab(np.array(rgb, np.uint8))) == name


def test_there_are_many_names_and_shares_sum_to_one():
    assert len(COLOURS) > 30
    half = np.zeros((100, 100, 3), np.uint8)
    half[:, :50], half[:, 50:] = (200, 20, 30), (20, 30, 90)
    found = palette(to_lab(half).reshape(-1, 3))
    assert {c.name for c in found} == {"red", "navy blue"}
    assert [c.share for c in found] == pytest.approx([0.5, 0.5], abs=0.01)


def test_light_and_shadow_of_one_surface_are_one_colour(product):
    [said] = PixelsCaptioner().caption([Picture("a", "a", product("solid", "ball"))])
    assert "in navy blue." in said.text or "in denim blue." in said.text
    assert "cream" not in said.text.split(".")[0]


def test_a_shadow_is_not_part_of_the_subject(product):
    found = split(picture_lab(product("solid", "box"), 192))
    truth = np.zeros((192, 192), bool)
    truth[52:152, 44:148] = True
    assert found.plain
    assert (found.subject & truth).sum() / (found.subject | truth).sum() > 0.93


PATTERNS = [
    "solid", "horizontal stripes", "vertical stripes", "diagonal stripes", "checks", "dots", "zigzag", "floral",
    "terrazzo", "gradient",
]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_are_told_apart(product, pattern):
    """Seven of nine over shapes and sizes of motif; a dull surface may be called plain or textured."""
    said = []
    for shape in ("ball", "bottle", "box"):
        for size in (36, 44, 52):
            image = product(pattern, shape, size=size)
            said.append(look_closer(image, split(picture_lab(image, 192)), 192).kind)
    right = sum(kind == pattern or (pattern, kind) == ("solid", "textured") for kind in said)
    assert right >= 7, said


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ("ball", ["evenly proportioned, rounded", "symmetric"]),
        ("box", ["boxy", "straight-sided"]),
        ("bottle", ["tall and slim", "a narrow neck above a full body"]),
        ("mug", ["a loop handle on the right"]),
        ("plank", ["long and low, boxy"]),
        ("table", ["standing on legs"]),
    ],
)
def test_silhouettes(product, shape, said):
    text = words(product("solid", shape))
    assert all(phrase in text for phrase in said), text


def test_a_full_caption_reads_naturally(product):
    text = words(product("horizontal stripes", "bottle"))
    assert text.startswith("A tall and slim, ")
    assert "navy blue" in text or "denim blue" in text
    assert "cream" in text and "horizontal stripes" in text and "background" not in text
    assert text.endswith(".") and "  " not in text and ".." not in text


def poster(dark):
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 80, (12, 8, 3)) if dark else rng.integers(160, 255, (12, 8, 3))
    image = Image.fromarray(pixels.astype(np.uint8)).resize((360, 540), Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for k in range(28):
        draw.rectangle([20 + 12 * k, 470, 24 + 12 * k, 520], fill=(250, 250, 250) if dark else (10, 10, 10))
    return image


def test_a_picture_that_fills_its_frame_is_described_as_a_scene():
    dark, light = words(poster(True)), words(poster(False))
    assert dark.startswith("A very dark") and light.startswith("A very light")
    assert "lettering-like strokes at the bottom" in dark and "lettering-like strokes at the bottom" in light


def test_same_picture_same_words_and_the_order_holds(product):
    pictures = [Picture(str(k), "x", product(p, "ball")) for k, p in enumerate(["dots", "solid", "checks"])]
    once, again = PixelsCaptioner().caption(pictures), PixelsCaptioner().caption(pictures[::-1])
    assert once == again[::-1]
    assert "polka dots" in once[0].text and "plain" in once[1].text and "checks" in once[2].text


@pytest.mark.parametrize("size", [(8, 8), (9, 400), (400, 9), (64, 64)])
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 30)])
def test_empty_and_odd_pictures_still_have_words(size, colour):
    assert "mostly" in words(Image.new("RGB", size, colour))


def test_a_speck_is_a_counted_failure():
    [said] = PixelsCaptioner().caption([Picture("a", "a", Image.new("RGB", (4, 90)))])
    assert said.text is None and said.failure == "too small: 4 by 90 pixels"


def test_provenance_changes_with_what_changes_the_words():
    one, other = PixelsCaptioner(), PixelsCaptioner(PixelsConfig(side=128))
    assert isinstance(one, VideoCaptioner)
    captioner: Captioner = one
    assert captioner.prompt_sha == PixelsCaptioner().prompt_sha != other.prompt_sha


def test_a_picture_takes_little_time(product):
    pictures = [Picture("a", "a", product("floral", "bottle"))] * 5
    PixelsCaptioner().caption(pictures[:1])
    begin = time.process_time()
    PixelsCaptioner().caption(pictures)
    # About 30 ms each on an idle core; the bound leaves room for a slow machine.
    assert (time.process_time() - begin) / 5 < 0.15


CLOSE = {
    "Black": {"black", "charcoal"}, "Red": {"red", "coral"}, "Dark Blue": {"navy blue", "denim blue", "slate blue"},
    "Yellow": {"yellow", "mustard yellow", "pale yellow"}, "Pink": {"pink", "dusty rose", "blush pink"},
    "Dark Green": {"bottle green", "olive green", "green"}, "Light Pink": {"blush pink", "pink"},
    "Off White": {"cream", "white", "beige"},
}  # fmt: skip


@pytest.mark.realdata
def test_colours_of_real_garments_agree_with_the_shop(tmp_path):
    if not (DATA / "fashion" / "articles.csv").exists():
        pytest.skip(f"no garments under {DATA}")
    table = pl.read_csv(DATA / "fashion" / "articles.csv", infer_schema=False)
    right = total = 0
    for colour, names in CLOSE.items():
        rows = table.filter(pl.col("colour_group_name") == colour, pl.col("graphical_appearance_name") == "Solid")
        for article in rows["article_id"].to_list():
            path = DATA / "fashion" / "images" / f"{article.zfill(10)}.jpg"
            if not path.exists():
                continue
            lab = picture_lab(Image.open(path), 192)
            right += palette(lab[split(lab).surface])[0].name in names
            total += 1
            if total % 8 == 0:
                break
    assert total >= 60
    assert right / total > 0.7
