"""What the eye should find is in the pixels: colour, pattern, silhouette, motion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.drawing.colour import encode, linear
from catalog.boutique.drawing.film import MOTIONS
from catalog.boutique.drawing.patterns import PATTERNS, Print, colours
from catalog.boutique.drawing.products import PRODUCTS
from catalog.boutique.drawing.stage import Stage
from catalog.boutique.factors import SILHOUETTES
from catalog.boutique.palette import SHADES, accents, lightness
from catalog.boutique.pictures import Shot, look_of, shoot
from catalog.boutique.pieces import Piece
from catalog.boutique.plan import Plan

CONFIG = BoutiqueConfig(image_size=96, video_size=64, video_frames=8)


def piece_of(full: Plan, category: str, **changes: object) -> Piece:
    found = next(piece for piece in full.pieces if piece.category.name == category)
    return replace(found, motion=None, **changes)  # type: ignore[arg-type]


def alpha_of(full: Plan, category: str, silhouette: str) -> npt.NDArray[np.float32]:
    stage = Stage(128)
    PRODUCTS[category][0](stage, look_of(piece_of(full, category, silhouette=silhouette)))
    return stage.alpha


@pytest.mark.parametrize("category", list(PRODUCTS))
def test_every_product_is_drawn_whole_in_four_silhouettes(full: Plan, category: str) -> None:
    shapes = {}
    for silhouette in SILHOUETTES:
        alpha = alpha_of(full, category, silhouette)
        assert alpha.min() >= 0
        assert alpha.max() <= 1 + 1e-5
        assert 0.04 < alpha.mean() < 0.6  # fills a good part of the picture
        border = max(alpha[0].max(), alpha[-1].max(), alpha[:, 0].max(), alpha[:, -1].max())
        assert border < 0.05, f"{category} {silhouette} touches the edge"
        rows, columns = np.flatnonzero(alpha.max(1) > 0.5), np.flatnonzero(alpha.max(0) > 0.5)
        shapes[silhouette] = (np.ptp(rows) + 1) / (np.ptp(columns) + 1)
    assert shapes["tall"] > 1.2 * shapes["wide"]
    assert shapes["tall"] > 1.1 * shapes["round"]


def test_the_dominant_colour_can_be_named(full: Plan, tmp_path: Path) -> None:
    right = 0
    for family, shades in SHADES.items():
        piece = piece_of(
            full, "cushion", colour=family, codes=(shades[0][1], *full.pieces[0].codes[1:]), pattern="plain",
            silhouette="wide", finish="cotton", room=("#e9e4dc", "#dcd4c8"),
        )  # fmt: skip
        shoot(Shot(piece, tmp_path, CONFIG))
        with Image.open(tmp_path / f"{piece.item_id}.jpg") as image:
            pixel = np.asarray(image.convert("RGB"), float)[62:76, 38:58].mean(axis=(0, 1))
        names = [(name, code) for name, codes in SHADES.items() for _, code in codes]
        distance = [np.abs(pixel - [int(c[i : i + 2], 16) for i in (1, 3, 5)]).sum() for _, c in names]
        right += names[int(np.argmin(distance))][0] == family
    assert right >= len(SHADES) - 2  # white, beige and grey shade into each other under a lamp


def test_accents_stand_out() -> None:
    rng = np.random.default_rng(0)
    for family, shades in SHADES.items():
        for _, code in shades:
            for _ in range(20):
                first, second = accents(code, family, rng)
                assert abs(lightness(first) - lightness(code)) >= 34
                assert abs(lightness(second) - lightness(first)) >= 15
                assert abs(lightness(second) - lightness(code)) >= 15


def test_patterns_are_told_apart_by_where_they_repeat() -> None:
    axis = (np.arange(300, dtype=np.float32) + 0.5) / 300
    t, s = np.meshgrid(axis, axis, indexing="ij")

    def ink(pattern: str, seed: int = 1) -> npt.NDArray[np.float32]:
        cloth = Print(pattern, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0), seed=seed)
        return colours(cloth, s, t, 300)[..., 0]

    cover = {name: float(ink(name).mean()) for name in PATTERNS}
    assert cover["plain"] == 0
    assert cover["stripes"] == pytest.approx(0.5, abs=0.03)  # half of every band
    assert cover["zigzag"] == pytest.approx(0.48, abs=0.03)
    assert cover["dots"] == pytest.approx(np.pi * 0.235**2 / (0.83 * 0.72), abs=0.02)  # a disc in each cell
    assert 0.15 < cover["terrazzo"] < 0.5
    assert 0.2 < cover["floral"] < 0.6
    across = {name: float(ink(name).mean(axis=1).std()) for name in PATTERNS}  # rows differ: bands run across
    down = {name: float(ink(name).mean(axis=0).std()) for name in PATTERNS}
    assert across["stripes"] > 0.4
    assert down["stripes"] < 0.01
    assert across["checks"] > 0.2
    assert down["checks"] > 0.2
    assert down["dots"] < 0.25
    fade = ink("ombre").mean(axis=1)
    assert np.all(np.diff(fade) >= 0)
    assert fade[-1] - fade[0] > 0.95


def test_a_print_changes_the_picture_as_much_as_a_colour(full: Plan, tmp_path: Path) -> None:
    pictures = {}
    for pattern in (*PATTERNS, "ombre"):
        piece = piece_of(full, "mug", pattern=pattern, codes=("#2b5cb0", "#f4efe4", "#24262c"), silhouette="angular")
        shoot(Shot(piece, tmp_path, CONFIG))
        with Image.open(tmp_path / f"{piece.item_id}.jpg") as image:
            pictures[pattern] = np.asarray(image, float)
    for a in pictures:
        for b in pictures:
            assert a == b or np.abs(pictures[a] - pictures[b]).mean() > 2, (a, b)


@pytest.mark.parametrize("category", ["mug", "cushion", "dress", "rug"])
def test_films_move_as_they_say(full: Plan, tmp_path: Path, category: str) -> None:
    moved = {}
    for motion in MOTIONS:
        piece = replace(piece_of(full, category, pattern="dots", silhouette="wide"), motion=motion)
        shoot(Shot(piece, tmp_path, CONFIG))
        with av.open(str(tmp_path / f"{piece.item_id}.mp4")) as container:
            stream = container.streams.video[0]
            assert float(stream.average_rate or 0) == 12
            film = np.stack([frame.to_ndarray(format="gray") for frame in container.decode(stream)]).astype(float)
        assert film.shape == (8, 64, 64)
        moved[motion] = np.abs(np.diff(film, axis=0)).mean()
    assert moved["still"] < 1
    assert all(moved[motion] > 4 * moved["still"] for motion in MOTIONS if motion != "still")


def test_light_is_encoded_as_srgb() -> None:
    for code in ("#000000", "#336699", "#808080"):
        light = np.array([[linear(code)]], np.float32)
        expected = [int(code[i : i + 2], 16) for i in (1, 3, 5)]
        np.testing.assert_allclose(encode(light)[0, 0], expected, atol=2)
