from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from catalog.errors import ConfigError
from embedding.video.thumbnail import Thumbnail


def stripes(along: int) -> Image.Image:
    pixels = np.zeros((96, 96, 3), np.uint8)
    pixels[(np.indices((96, 96))[along] // 8) % 2 == 0] = 255
    return Image.fromarray(pixels)


def test_vectors_are_unit_of_the_said_width_and_the_same_every_time():
    made = Thumbnail().embed_images([stripes(0), Image.new("L", (10, 30)), Image.new("RGB", (9, 9), (127, 127, 127))])
    assert made.shape == (3, Thumbnail.dim) and made.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-6)
    assert Thumbnail().embed_prepared([]).shape == (0, Thumbnail.dim)
    np.testing.assert_array_equal(made[0], Thumbnail().embed_images([stripes(0)])[0])


def test_colour_and_the_way_of_edges_tell_pictures_apart():
    red, pink, blue = (Image.new("RGB", (64, 64), c) for c in ((200, 0, 0), (210, 60, 60), (0, 0, 200)))
    r, p, b, across, down, across_again = Thumbnail().embed_images(
        [red, pink, blue, stripes(0), stripes(1), stripes(0).resize((200, 200))]
    )
    assert r @ p > 0.9 > 0 > r @ b
    assert across @ across_again > 0.95 > across @ down + 0.3


def test_words_are_refused():
    with pytest.raises(ConfigError, match="'thumbnail' reads no text"):
        Thumbnail().embed_texts(["a red vase"])
