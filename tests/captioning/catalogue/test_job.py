import copy

import polars as pl
import pytest
from PIL import Image

from batch.local import LocalEngine
from captioning.base import Clip, Picture
from captioning.catalogue.captioner import CatalogueCaptioner
from captioning.catalogue.job import train_heads
from captioning.catalogue.places import CATALOGUE, WHOLE
from captioning.catalogue.trained import load_trained
from captioning.job import caption_catalog, load_captions
from catalog.errors import ConfigError, DataError, NotBuiltError, NothingToDo
from catalog.nouns import Item
from catalog.workspace import Workspace
from embedding.clip_training.places import CLIP, CLIP_FOLDS


def captioned(workspace, config):
    train_heads(workspace, config, seed=0)
    report = caption_catalog(workspace, CatalogueCaptioner(workspace.root, config), engine=LocalEngine())
    found = load_captions(workspace, "catalogue")
    return report, {item_id: rows[0].text for item_id, rows in found.items()}


def test_captions_say_what_other_items_teach(shop, items, config):
    workspace = shop()
    report, said = captioned(workspace, config)
    assert report.done == 80 and not report.failed
    right = sum(f"colour {item.attributes['colour'][0]}" in said[item.item_id].lower() for item in items)
    assert right > 0.6 * 80  # one in four by chance; the towers were never trained
    assert not any("serial" in text or "Toys" in text for text in said.values())
    told = train_heads(workspace, config, seed=0)
    assert not told.made and told.items == told.pictures == 80
    assert {field.name for field in told.fields} == {"category 2", "colour"}
    colour = next(field for field in told.fields if field.name == "colour")
    assert colour.values == 4 and colour.majority == 0.25 and colour.accuracy > 0.5


def test_an_items_own_attributes_never_reach_its_caption(shop, items, config, changed):
    workspace = shop()
    _, before = captioned(workspace, config)
    model = workspace.manifest(CLIP_FOLDS).key
    heads = load_trained(workspace).speakers
    whose = "red-ball-10"
    scopes = load_trained(workspace).scopes
    assert scopes[whose] == scopes["red-box-10"]
    changed(workspace, items, whose, colour=("blue",), lie=("yes",))
    report, after = captioned(workspace, config)
    assert report.done == 80  # other heads, so every caption is read anew
    own = [item_id for item_id, fold in scopes.items() if fold == scopes[whose]]
    assert {item_id: after[item_id] for item_id in own} == {item_id: before[item_id] for item_id in own}
    assert workspace.manifest(CLIP_FOLDS).key == model
    for fold, speaker in load_trained(workspace).speakers.items():
        same = speaker.heads.weights.tobytes() == heads[fold].heads.weights.tobytes()
        assert same == (fold == scopes[whose])
        assert fold != scopes[whose] or speaker.least == heads[fold].least


def test_the_same_seed_gives_the_same_bytes(shop, config):
    workspace = shop()
    train_heads(workspace, config, seed=0)
    first = {path.name: path.read_bytes() for path in workspace.path(CATALOGUE).iterdir()}
    workspace.remove(CATALOGUE)
    train_heads(workspace, config, seed=0)
    assert {path.name: path.read_bytes() for path in workspace.path(CATALOGUE).iterdir()} == first


def test_new_items_are_read_by_who_has_not_seen_them(shop, items, config, rewrite):
    workspace = shop()
    new = [
        Item("variant", parent_id="red-10", attributes={"colour": ("red",)}, images=("red-ball-10.png",)),
        Item("other", attributes={"colour": ("red",)}, images=("red-ball-10.png",)),
    ]
    rewrite(workspace, [*items, *new])
    train_heads(workspace, config, seed=0)
    trained = load_trained(workspace)
    assert trained.scope("variant") == trained.scope("red-ball-10") != WHOLE
    assert trained.scope("other") == trained.scope("no item at all") == WHOLE
    # Nothing was learned from the new ones, so what the whole catalogue teaches may speak of them.
    assert train_heads(workspace, config, seed=0).items == 80 + 1
    weights = trained.speakers[WHOLE].heads.weights.tobytes()
    rewrite(workspace, [*items, new[0], Item("other", attributes={"colour": ("blue",)}, images=new[1].images)])
    train_heads(workspace, config, seed=0)
    assert load_trained(workspace).speakers[WHOLE].heads.weights.tobytes() == weights


def test_the_same_picture_of_two_items_is_read_for_each(shop, items, config, rewrite, tmp_path):
    workspace = shop()
    copied = [Item("copy", title="copy", images=("blue-box-12.png",)), *items]
    rewrite(workspace, copied)
    train_heads(workspace, config, seed=0)
    captioner = CatalogueCaptioner(workspace.root, config)
    report = caption_catalog(workspace, captioner, engine=LocalEngine())
    assert report.done == 81 and report.duplicates == 0
    scope = load_trained(workspace).scope("blue-box-12")
    assert (captioner.scope("copy"), captioner.scope("blue-box-12")) == (str(WHOLE), str(scope))


def test_a_query_photo_is_read_by_the_whole_catalogue(shop, config):
    workspace = shop()
    train_heads(workspace, config, seed=0)
    captioner = CatalogueCaptioner(workspace.root, config)
    photo = Picture("", "photo", Image.open(workspace.root / "green-box-13.png").convert("RGB"))
    assert "colour green" in captioner.caption([photo])[0].text
    frames = tuple(Picture("", "film", photo.image, float(at)) for at in range(3))
    assert "colour green" in captioner.caption_video(Clip("", "film", frames, (0, 1, 2), 3.0, 1.0)).text
    again = copy.deepcopy(captioner)  # as an engine sends it to its workers
    assert (again.model, again.prompt_sha) == (captioner.model, captioner.prompt_sha)


def test_words_of_pixels_follow_or_stand_alone(shop, config):
    workspace = shop()
    train_heads(workspace, config, seed=0)
    photo = [Picture("", "photo", Image.open(workspace.root / "green-box-13.png").convert("RGB"))]

    def said(**more):
        return CatalogueCaptioner(workspace.root, config.model_copy(update=more)).caption(photo)[0]

    alone, followed = said().text, said(pixels="always").text
    assert followed.startswith(f"{alone} ") and "mostly green" in followed
    assert said(pixels="silent").text == alone
    never = config.model_copy(update={"precision": 0.999})
    train_heads(workspace, never, seed=0)
    assert said().failure == "unsure: no value is certain enough"
    assert said(pixels="silent").text == said(pixels="always").text == followed.removeprefix(f"{alone} ")


def test_what_is_missing_is_said(shop, items, config, rewrite, tmp_path):
    with pytest.raises(NotBuiltError, match=r"'encoders/clip' is not in the store .*vitrine train clip"):
        train_heads(Workspace(tmp_path / "empty"), config, seed=0)
    workspace = shop(folds=2)
    with pytest.raises(ConfigError, match=r"has 2 folds \(encoders.clip.folds\); 3 or more"):
        train_heads(workspace, config, seed=0)
    workspace = shop()
    with pytest.raises(NotBuiltError, match=r"'encoders/catalogue' is not in the store .*vitrine train clip"):
        _ = CatalogueCaptioner(workspace.root, config).model
    train_heads(workspace, config, seed=0)
    with workspace.writing(CLIP, "trained again") as folder:
        (folder / "x").touch()
    with pytest.raises(DataError, match="other picture-text models"):
        load_trained(workspace)
    workspace = shop()
    rewrite(workspace, [Item(item.item_id, images=item.images) for item in items])
    with pytest.raises(NothingToDo, match="no category or attribute"):
        train_heads(workspace, config, seed=0)


def test_broken_pictures_are_left_out_and_scopes_kept(shop, items, config):
    workspace = shop()
    (workspace.root / "red-ball-10.png").write_bytes(b"no picture")
    assert train_heads(workspace, config, seed=0).pictures == 79
    with workspace.reading(CATALOGUE) as folder:
        assert pl.read_parquet(folder / "scopes.parquet")["item_id"].to_list() == [item.item_id for item in items]
