"""The space `attributes` in a store: made, kept while it is current, made anew, or left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from catalog.columns import INTERACTIONS
from catalog.errors import DataError, NothingToDo
from catalog.ids import IdMap
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from embedding.attribute_space import AttributeSpaceConfig, MadeSpace, embed_attributes, has_basis, load_basis
from embedding.attribute_table import attribute_table
from embedding.job import load_embeddings

ITEMS = (
    Item("1", title="Red mug", brand="Acme", price=3.0),
    Item("2", title="Blue mug", brand="Acme"),
    Item("3", title="Red scarf"),
    Item("4", title="Lamp"),
)
ARTIFACT = "embeddings/attributes"


def store(folder: Path, items: Sequence[Item] = ITEMS) -> Workspace:
    workspace = Workspace(folder)
    save_shop(workspace, ShopData.of("shop", items, pl.DataFrame(schema=INTERACTIONS)))
    return workspace


def test_the_space_is_the_table_of_the_catalogue_and_its_basis_stands_beside_it(tmp_path: Path) -> None:
    workspace = store(tmp_path)
    assert embed_attributes(workspace) == MadeSpace(items=4, dim=3, made=True)
    table = load_embeddings(workspace, "attributes")
    assert (table.vectors == attribute_table(ITEMS).vectors).all()
    basis = load_basis(workspace, "attributes")
    assert basis is not None and basis.tokens == (("brand", "acme"), ("title", "mug"), ("title", "red"))
    np.testing.assert_allclose(basis.fold(ITEMS).vectors, table.vectors, atol=1e-5)


def test_it_is_made_anew_only_where_a_fact_or_a_setting_changed(tmp_path: Path) -> None:
    workspace = store(tmp_path)
    embed_attributes(workspace)
    store(tmp_path, [replace(ITEMS[0], price=4.0, description="Not a fact that is read"), *ITEMS[1:]])
    assert embed_attributes(workspace) == MadeSpace(4, 3, made=False)
    assert embed_attributes(workspace, AttributeSpaceConfig(dims=2)) == MadeSpace(4, 2, made=True)
    store(tmp_path, [*ITEMS, Item("5", title="Lamp")])
    assert embed_attributes(workspace, AttributeSpaceConfig(dims=2)).made
    assert load_embeddings(workspace, "attributes").ids.ids == ("1", "2", "3", "4", "5")


def test_a_catalogue_that_shares_no_fact_is_nothing_to_do(tmp_path: Path) -> None:
    workspace = store(tmp_path, [Item("1", title="Mug"), Item("2")])
    with pytest.raises(NothingToDo, match="no fact is stated by 2 or more of the 2 items and not by all"):
        embed_attributes(workspace)
    assert not workspace.has(ARTIFACT)


def test_a_space_of_that_name_that_was_brought_along_stays(tmp_path: Path) -> None:
    workspace = store(tmp_path)
    with workspace.writing(ARTIFACT, "k" * 64, {"model": "brought"}) as folder:
        EmbeddingTable(IdMap(["1"]), np.ones((1, 2), np.float32), "attributes").save(folder)
    with pytest.raises(NothingToDo, match="'attributes': the one in the store was brought along"):
        embed_attributes(workspace)
    assert not has_basis(workspace, "attributes") and load_basis(workspace, "attributes") is None


def test_a_damaged_basis_is_one_line_with_its_remedy(tmp_path: Path) -> None:
    workspace = store(tmp_path)
    embed_attributes(workspace)
    (workspace.path(ARTIFACT) / "basis.npy").write_bytes(b"junk")
    with pytest.raises(DataError, match="run vitrine embed again"):
        load_basis(workspace, "attributes")


def test_settings_out_of_range_are_refused() -> None:
    for wrong in ({"dims": 0}, {"min_items": 0}, {"width": 3}):
        with pytest.raises(ValidationError):
            AttributeSpaceConfig.model_validate(wrong)
