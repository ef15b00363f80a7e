from math import comb

import numpy as np
import pytest

from catalog.errors import DataError
from embedding.clip_training.recall import chance, recalls


def test_each_picture_beside_its_own_text_is_found_first():
    vectors = np.eye(4, dtype=np.float32)
    found = recalls(vectors, vectors, np.arange(4))
    assert found["picture->text@1"] == found["text->picture@1"] == 1


def test_a_hit_is_any_item_of_the_same_text():
    texts = np.eye(3, dtype=np.float32)[[0, 0, 1]]
    pictures = np.eye(3, dtype=np.float32)[[0, 2, 1]]
    # The second picture is off; the second text is that of the first item, whose picture is right.
    found = recalls(pictures, texts, np.array([7, 7, 9]))
    assert found["picture->text@1"] == pytest.approx(2 / 3 + 1 / 3)
    assert found["text->picture@1"] == 1


def test_what_cannot_tell_anything_apart_gains_nothing():
    same = np.ones((20, 2), np.float32) / np.sqrt(2, dtype=np.float32)
    found = recalls(same, same, np.arange(20))
    # Nineteen ties: nine and a half stand before each hit.
    assert found["picture->text@1"] == found["picture->text@5"] == 0
    assert found["picture->text@10"] == 1


def test_no_number_is_no_hit():
    with pytest.raises(DataError, match="no number"):
        recalls(np.full((3, 2), np.nan, np.float32), np.ones((3, 2), np.float32), np.arange(3))


def test_chance_is_that_of_drawing_without_putting_back():
    found = chance(np.array([0, 0, 1, 2, 3, 4]))
    one, two = 1 - comb(5, 5) / comb(6, 5), 1 - comb(4, 5) / comb(6, 5)
    assert found["picture->text@5"] == pytest.approx((2 * two + 4 * one) / 6)
    assert found["picture->text@10"] == 1
