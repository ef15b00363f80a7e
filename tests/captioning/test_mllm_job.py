import polars as pl
import pytest
from PIL import Image

from batch.local import LocalEngine
from captioning.job import CaptionJobConfig, caption_catalog, caption_faults, load_captions
from captioning.mllm import MllmCaptioner, MllmConfig
from captioning.openai_vision import OpenAIVision, OpenAIVisionConfig
from captioning.scripted_server import VisionServer
from catalog.columns import INTERACTIONS
from catalog.nouns import Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import Workspace

SCRIPT = ["honest", "foreign", "foreign", "babble", "honest"]


@pytest.fixture
def store(tmp_path):
    root = tmp_path / "store"
    root.mkdir()
    for k in range(len(SCRIPT)):
        Image.new("RGB", (64, 64), (40 * k, 90, 200)).save(root / f"{k}.png")
    items = [Item(f"i{k}", images=(f"{k}.png",)) for k in range(len(SCRIPT))]
    save_shop(Workspace(root), ShopData.of("test", items, pl.DataFrame(schema=INTERACTIONS)))
    return Workspace(root)


def caption(store, checks):
    config = CaptionJobConfig(batch_size=1, workers=1, decoders=1)
    with VisionServer(SCRIPT) as server:
        vision = OpenAIVision(OpenAIVisionConfig(base_url=server.base_url, model="tiny", name=checks))
        captioner = MllmCaptioner(vision, MllmConfig(checks=checks))
        return caption_catalog(store, captioner, engine=LocalEngine(), config=config)


def test_enforced_checks_make_counted_failures(store):
    report = caption(store, "enforce")
    assert (report.done, report.failures) == (2, {"language": 2, "repetition": 1})
    assert report.meta["checks"] == "enforce" and report.usage.prompt > 5 * 64
    assert set(load_captions(store, "enforce")) == {"i0", "i4"}
    assert caption_faults(store, "enforce") == {}


def test_reported_faults_are_kept_and_counted(store):
    report = caption(store, "report")
    assert (report.done, report.failed) == (5, 0)
    assert report.meta["checks"] == "report"
    assert len(load_captions(store, "report")) == 5
    assert caption_faults(store, "report") == {"language": 2, "repetition": 1}
    kept = pl.read_parquet(store.path("captions/report") / "faults.parquet")
    assert kept.rows() == [("i1", "1.png", "language"), ("i2", "2.png", "language"), ("i3", "3.png", "repetition")]
