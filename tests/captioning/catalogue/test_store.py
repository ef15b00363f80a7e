"""The captioner as a shop runs it: by its setting, through `vitrine caption` and `vitrine doctor`."""

import pytest

from captioning.catalogue.places import CATALOGUE
from captioning.job import load_captions
from catalog.errors import NotBuiltError
from vitrine.doctor import examine
from vitrine.encoders import ready_heads
from vitrine.jobs import caption_store
from vitrine.settings import load_settings
from vitrine.wiring import active_captions


@pytest.fixture
def settings(tmp_path):
    catalogue = {"support": 4, "precision": 0.6}
    return load_settings(
        {"store": str(tmp_path / "store"), "captions": {"captioner": "catalogue", "catalogue": catalogue}}
    )


def heads_finding(settings):
    found = [finding for finding in examine(settings, False) if finding.subject.strip() == "attribute heads"]
    return found[0].level, found[0].text


def test_vitrine_caption_trains_the_heads_it_lacks(shop, settings, items, changed):
    workspace = shop()
    assert heads_finding(settings)[0] == "note"
    told = caption_store(settings)
    assert "encoders/catalogue: 2 fields from 80 items" in told and "captions/catalogue: 80 done" in told
    assert heads_finding(settings)[0] == "ok" and "colour" in heads_finding(settings)[1]
    assert active_captions(settings, workspace) == "catalogue" and len(load_captions(workspace, "catalogue")) == 80
    again = caption_store(settings)
    assert "captions/catalogue: 0 done, 80 reused" in again and "encoders" not in again
    changed(workspace, items, "red-ball-8", colour=("green",))
    assert "encoders/catalogue: 2 fields" in caption_store(settings)


def test_without_the_models_it_says_what_to_run(settings, shop, items, rewrite):
    workspace = shop()
    workspace.remove("encoders/clip")
    with pytest.raises(NotBuiltError, match=r"'encoders/clip' is not in the store .*: run vitrine train clip first"):
        caption_store(settings)
    assert not workspace.has(CATALOGUE)
    assert ready_heads(load_settings({"store": str(workspace.root)})) == []


def test_it_says_in_how_many_captions_the_heads_spoke(shop, settings):
    workspace = shop()
    told = caption_store(settings)
    texts = [rows[0].text for rows in load_captions(workspace, "catalogue").values()]
    spoke = sum("olour " in text.partition(".")[0] or text.startswith(("Ball", "Box")) for text in texts)
    assert 0 < spoke <= 80 and f"the heads spoke in {spoke} of 80 captions" in told


def test_heads_that_dare_nothing_are_said_to_be_silent(shop, settings):
    workspace, pixels = shop(), load_settings({"store": str(settings.store)})
    caption_store(pixels)
    strict = settings.captions.catalogue.model_copy(update={"precision": 0.999})
    chosen = settings.captions.model_copy(update={"catalogue": strict})
    told = caption_store(settings.model_copy(update={"captions": chosen}))
    assert "said " not in told and told.count("not said") == 2
    assert "the heads spoke in none of 80 captions" in told and "captions.catalogue.precision is 0.999" in told
    found, plain = load_captions(workspace, "catalogue"), load_captions(workspace, "pixels")
    assert {item_id: rows[0].text for item_id, rows in found.items()} == {
        item_id: rows[0].text for item_id, rows in plain.items()
    }
