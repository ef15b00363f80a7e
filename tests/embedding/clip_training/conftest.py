"""A shop of plain figures: three colours, two shapes, a few sizes of each."""

from __future__ import annotations

import itertools

import polars as pl
import pytest
from PIL import Image, ImageDraw

from catalog.columns import INTERACTIONS
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace
from embedding.clip_training.config import ClipTrainingConfig

COLOURS, SHAPES = ("red", "green", "blue"), ("ball", "box")
TINY = ClipTrainingConfig(
    picture_size=32, width=8, dim=16, context=16, epochs=20, patience=20, batch_size=8, folds=2, held_out=0.3, threads=1
)


def draw(folder, name, colour, shape, size):
    picture = Image.new("RGB", (48, 48), "white")
    box = (24 - size, 24 - size, 24 + size, 24 + size)
    getattr(ImageDraw.Draw(picture), "ellipse" if shape == "ball" else "rectangle")(box, fill=colour)
    picture.save(folder / name)


def toys(folder, sizes=range(10, 16)):
    """Yield items of `folder`; each size of a figure is an item of its own parent."""
    for colour, shape, size in itertools.product(COLOURS, SHAPES, sizes):
        name = f"{colour}-{shape}-{size}.png"
        draw(folder, name, colour, shape, size)
        yield Item(
            name.removesuffix(".png"),
            title=f"{colour} {shape}",
            categories=("Toys", shape.title()),
            attributes={"colour": (colour,)},
            images=(name,),
        )


@pytest.fixture
def shop(tmp_path):
    """Return a function that makes a store of items, the figures unless others are named."""

    def made(items=None, name="store"):
        workspace = Workspace(tmp_path / name)
        workspace.root.mkdir()
        items = toys(workspace.root) if items is None else items(workspace.root)
        save_shop(workspace, ShopData.of("figures", items, pl.DataFrame(schema=INTERACTIONS)))
        return workspace

    return made


@pytest.fixture
def tiny():
    return TINY


@pytest.fixture
def figures():
    """Return the function that draws and yields the items."""
    return toys
