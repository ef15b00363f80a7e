"""`attribute_table`: TF-IDF of stated facts by hand, and its cut."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.nouns import Item
from embedding.attribute_table import attribute_table

ITEMS = [
    Item("1", title="Red mug", brand="Acme", categories=("Kitchen",), attributes={"colour": ("Red",)}),
    Item("2", title="Blue mug", brand="ACME", categories=("Kitchen",)),
    Item("3", title="Red scarf", brand="Wool & Co", categories=("Clothes",), attributes={"colour": ("red",)}),
    Item("4", title="Lamp"),
]


def test_cosines_are_those_of_tf_idf_by_hand() -> None:
    table = attribute_table(ITEMS)
    weight = np.log(4 / 2)  # every token kept stands in two of the four items
    first = {"title mug", "title red", "brand acme", "category kitchen", "colour red"}
    second = {"title mug", "brand acme", "category kitchen"}
    third = {"title red", "colour red"}

    def cosine(a: set[str], b: set[str]) -> float:
        return len(a & b) * weight**2 / (np.sqrt(len(a)) * weight * np.sqrt(len(b)) * weight)

    inner = table.vectors @ table.vectors.T
    assert inner[0, 1] == pytest.approx(cosine(first, second), rel=1e-5)
    assert inner[0, 2] == pytest.approx(cosine(first, third), rel=1e-5)
    assert inner[1, 2] == 0
    assert (table.vectors[3] == 0).all(), "nothing it states is shared"
    assert table.ids.ids == ("1", "2", "3", "4")


@pytest.mark.parametrize("n", [40, 200])
def test_the_cut_keeps_the_leading_directions(n: int) -> None:
    rng = np.random.default_rng(0)
    words = [f"word{i}" for i in range(60)]
    items = [Item(str(i), title=" ".join(rng.choice(words, 8, replace=False))) for i in range(n)]
    whole, cut = attribute_table(items, dims=1000), attribute_table(items, dims=10)
    assert cut.vectors.shape == (n, 10)
    left, sizes, right = np.linalg.svd(whole.vectors, full_matrices=False)
    best = (left[:, :10] * sizes[:10]) @ right[:10]
    np.testing.assert_allclose(cut.vectors @ cut.vectors.T, best @ best.T, atol=1e-4)
    assert (cut.vectors == attribute_table(items, dims=10).vectors).all()


def test_items_that_state_nothing_have_zeros() -> None:
    assert not attribute_table([Item("1"), Item("2")]).vectors.any()
    assert attribute_table([]).vectors.shape[0] == 0
