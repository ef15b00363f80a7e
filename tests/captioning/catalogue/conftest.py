"""A shop of plain figures with untrained picture towers: enough to tell red from blue, and who has seen whom."""

from __future__ import annotations

import itertools
from dataclasses import replace

import polars as pl
import pytest
from PIL import Image, ImageDraw

from captioning.catalogue.config import CatalogueConfig
from catalog.columns import INTERACTIONS
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace
from embedding.clip_training.places import CLIP, CLIP_FOLDS, FOLDS_FILE
from embedding.tiny_models import tiny_clip

COLOURS, FOLDS = {"red": (220, 20, 20), "green": (20, 160, 20), "blue": (20, 20, 220), "grey": (128, 128, 128)}, 4


def figures(folder, sizes=range(6, 16)):
    """Yield 80 items, every size of a figure in each colour; a ball and a box of one size and colour are variants."""
    for size, colour, shape in itertools.product(sizes, COLOURS, ("ball", "box")):
        name = f"{colour}-{shape}-{size}"
        picture = Image.new("RGB", (32, 32), "white")
        figure = ImageDraw.Draw(picture).ellipse if shape == "ball" else ImageDraw.Draw(picture).rectangle
        figure((16 - size, 16 - size, 16 + size, 16 + size), fill=COLOURS[colour])
        picture.save(folder / f"{name}.png")
        yield Item(
            name,
            parent_id=f"{colour}-{size}",
            title=name,
            categories=("Toys", shape.title()),
            attributes={"colour": (colour,), "serial": (name,)},
            images=(f"{name}.png",),
        )


def save(workspace, items):
    save_shop(workspace, ShopData.of("figures", items, pl.DataFrame(schema=INTERACTIONS)))


@pytest.fixture(scope="session")
def tower(tmp_path_factory):
    return tiny_clip(tmp_path_factory.mktemp("clip") / "model")


@pytest.fixture
def items(tmp_path):
    (tmp_path / "store").mkdir()
    return list(figures(tmp_path / "store"))


@pytest.fixture
def shop(tmp_path, tower, items):
    """Return a function that makes a store of the items with models of `folds` folds, variants in one fold."""

    def made(folds=FOLDS):
        workspace = Workspace(tmp_path / "store")
        save(workspace, items)
        with workspace.writing(CLIP, "clip") as folder:
            copy(tower, folder)
        with workspace.writing(CLIP_FOLDS, "siblings", {"folds": folds}) as folder:
            for fold in range(folds):
                (folder / f"fold-{fold}").mkdir()
                copy(tower, folder / f"fold-{fold}")
            rows = [(item.item_id, (at // 2 + at // 8) % folds) for at, item in enumerate(items)]
            pl.DataFrame(rows, schema=["item_id", "fold"], orient="row").write_parquet(folder / FOLDS_FILE)
        return workspace

    return made


def copy(tower, folder):
    for path in tower.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())


@pytest.fixture
def changed():
    """Return a function that writes the shop anew with other attributes of one item."""

    def made(workspace, items, item_id, **attributes):
        told = [
            replace(item, attributes={**item.attributes, **attributes}) if item.item_id == item_id else item
            for item in items
        ]
        save(workspace, told)

    return made


@pytest.fixture
def rewrite():
    return save


@pytest.fixture
def config():
    return CatalogueConfig(support=4, pixels="never", precision=0.4)
