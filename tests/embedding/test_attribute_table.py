"""`attribute_table`: TF-IDF of stated facts by hand, and its cut."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from catalog.errors import DataError
from catalog.nouns import Item
from embedding.attribute_table import AttributeBasis, attribute_table, fit_attributes

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


@pytest.mark.parametrize(("n", "dims"), [(40, 1000), (40, 10), (200, 10), (30, 50), (2, 1)])
def test_folding_in_an_item_of_the_basis_gives_its_own_row(n: int, dims: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    words = [f"word{i}" for i in range(60)]
    items = [Item(str(i), title=" ".join([f"pair{i // 2}", *rng.choice(words, 8)])) for i in range(n)]
    table, basis = fit_attributes(items, dims=dims)
    assert (table.vectors == attribute_table(items, dims=dims).vectors).all()
    basis.save(tmp_path)
    for held in (basis, AttributeBasis.load(tmp_path)):
        some = items[::-3]
        folded = held.fold(some)
        assert folded.ids.ids == tuple(item.item_id for item in some)
        np.testing.assert_allclose(folded.vectors, table.align(folded.ids)[0], rtol=0, atol=1e-5)


def test_a_later_item_is_weighed_by_the_tokens_of_the_basis_alone() -> None:
    table, basis = fit_attributes(ITEMS)
    later = Item("9", title="Green mug", brand="acme", categories=("Bathroom",))
    (row,) = basis.fold([later]).vectors
    # Known of it: the word mug and the brand, of five and three such facts; each has the same weight log(4 / 2).
    expected = [2 / np.sqrt(2 * 5), 2 / np.sqrt(2 * 3), 0, 0]
    np.testing.assert_allclose(table.vectors @ row, expected, atol=1e-6)


def test_an_item_with_no_known_token_and_no_item_at_all_fold_to_zeros_and_to_nothing() -> None:
    basis = fit_attributes(ITEMS)[1]
    assert not basis.fold([Item("9", title="Nothing known"), Item("10")]).vectors.any()
    assert basis.fold([]).vectors.shape == (0, basis.directions.shape[1])
    empty = fit_attributes([])[1]
    assert empty.fold(ITEMS).vectors.shape == (4, 1)


def test_a_basis_whose_parts_disagree_is_refused() -> None:
    with pytest.raises(DataError, match="attribute basis of 1 tokens with 2 weights and 1 rows of directions"):
        AttributeBasis((("brand", "a"),), np.ones(2, np.float32), np.ones((1, 1), np.float32))
