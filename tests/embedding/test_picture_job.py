import numpy as np
import polars as pl
import pytest
from PIL import Image

from batch.local import LocalEngine
from catalog.columns import INTERACTIONS
from catalog.errors import NotBuiltError, NothingToDo
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace
from embedding.base import ImageEmbedder, unit
from embedding.clip import OpenClip, OpenClipConfig
from embedding.job import load_embeddings
from embedding.picture_job import PictureJobConfig, embed_pictures, item_vectors, plan_pictures
from embedding.tiny_models import tiny_clip

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "grey": (128, 128, 128)}


class Mean(ImageEmbedder):
    """A picture's mean colour, at length 1; remembers how many pictures it was given."""

    name, model, dim = "mean", "mean-1", 3

    def __init__(self):
        self.seen = 0

    def prepare(self, picture):
        return np.asarray(picture, np.float32).transpose(2, 0, 1) / 255

    def embed_prepared(self, pixels):
        self.seen += len(pixels)
        return unit(np.stack([each.mean(axis=(1, 2)) for each in pixels]), "mean")

    def embed_texts(self, texts):
        raise NotImplementedError


@pytest.fixture
def workspace(tmp_path):
    for name, colour in COLOURS.items():
        Image.new("RGB", (8, 8), colour).save(tmp_path / f"{name}.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    items = [
        Item("one", images=("red.png",)),
        Item("two", images=("red.png", "green.png")),
        Item("bare"),
        Item("lost", images=("broken.png", "missing.png")),
        Item("half", images=("broken.png", "blue.png")),
    ]
    save_shop(Workspace(tmp_path), ShopData.of("test", items, pl.DataFrame(schema=INTERACTIONS)))
    return Workspace(tmp_path)


def run(workspace, embedder, **changes):
    return embed_pictures(workspace, embedder, engine=LocalEngine(), config=PictureJobConfig(**changes))


def test_an_items_vector_is_the_mean_of_its_pictures_at_length_one(workspace):
    embedder = Mean()
    report = run(workspace, embedder)
    table = load_embeddings(workspace, "picture-mean")
    assert table.ids.ids == ("one", "two", "half")
    assert table.vectors == pytest.approx(np.array([[1, 0, 0], [0.5**0.5, 0.5**0.5, 0], [0, 0, 1]]), abs=1e-6)
    assert embedder.seen == 3, "the red picture is embedded once"
    assert (report.done, report.duplicates, report.failed) == (4, 1, 3)
    assert report.failures == {"media": 3}
    meta = workspace.manifest("embeddings/picture-mean").meta
    assert (meta["model"], meta["pictures"], meta["together"], meta["rows"]) == ("mean-1", 7, "mean", 4)
    assert not (workspace.path("embeddings/picture-mean") / ".items.parquet").exists()


def test_another_way_of_uniting_costs_no_picture(workspace):
    run(workspace, Mean())
    again = Mean()
    run(workspace, again, together="first")
    assert again.seen == 0
    assert load_embeddings(workspace, "picture-mean").vector("two").tolist() == [1, 0, 0]


def test_a_dry_run_says_what_there_is(workspace):
    assert plan_pictures(workspace, Mean()).todo == 4
    run(workspace, Mean())
    assert plan_pictures(workspace, Mean()).todo < 4


def test_items_go_on_from_table_to_table():
    def table(*rows):
        return pl.DataFrame(rows, schema={"item_id": pl.String, "vector": pl.Array(pl.Float32, 2)}, orient="row")

    frames = [table(("a", [1.0, 0.0])), table(("a", [0.0, 1.0]), ("b", [1.0, 0.0])), table(("b", [-1.0, 0.0]))]
    found = pl.concat(item_vectors(frames, "mean"))
    assert found["item_id"].to_list() == ["a", "b"]
    assert found["vector"].to_numpy() == pytest.approx(np.array([[0.5**0.5, 0.5**0.5], [1, 0]]), abs=1e-6)


def test_open_clip_goes_through_the_same_job(workspace, tmp_path_factory):
    clip = OpenClip(OpenClipConfig(model=str(tiny_clip(tmp_path_factory.mktemp("clip"))), batch_size=1))
    run(workspace, clip)
    table = load_embeddings(workspace, "picture-clip")
    assert np.array_equal(table.vector("one"), clip.embed_images([Image.new("RGB", (8, 8), COLOURS["red"])])[0])
    assert np.linalg.norm(table.vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_a_shop_without_pictures_has_nothing_to_do(tmp_path):
    with pytest.raises(NotBuiltError):
        run(Workspace(tmp_path), Mean())
    save_shop(Workspace(tmp_path), ShopData.of("test", [Item("a")], pl.DataFrame(schema=INTERACTIONS)))
    with pytest.raises(NothingToDo, match="none of the 1 items has one"):
        run(Workspace(tmp_path), Mean())
