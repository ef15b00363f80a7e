import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from PIL import Image

from catalog.errors import ConfigError, DataError, NotBuiltError
from catalog.nouns import Item
from catalog.workspace import Workspace
from embedding.clip import OpenClip, OpenClipConfig
from embedding.clip_training.job import train_clip
from embedding.clip_training.places import CLIP, CLIP_FOLDS, FOLDS_FILE
from embedding.clip_training.towers import features_of
from embedding.tiny_models import tiny_clip


def weights(workspace, name=CLIP, inside="."):
    return (workspace.path(name) / inside / "open_clip_model.safetensors").read_bytes()


def test_pictures_find_their_words_and_the_folder_moves(shop, tiny, tmp_path):
    workspace = shop()
    report = train_clip(workspace, tiny, seed=0)
    assert report.items == 36 and report.folds == 2 and report.made == (CLIP, CLIP_FOLDS)
    assert report.recall["picture->text@1"] > 2 * report.chance["picture->text@1"]
    moved = tmp_path / "elsewhere"
    shutil.copytree(workspace.path(CLIP), moved)
    shutil.rmtree(workspace.path(CLIP))
    clip = OpenClip(OpenClipConfig(model=str(moved)))
    pictures = clip.embed_images([Image.open(workspace.root / f"{each}-ball-12.png") for each in ("red", "blue")])
    words = clip.embed_texts(["red ball", "blue ball"])
    assert pictures.shape == words.shape == (2, 16)
    assert (pictures @ words.T).argmax(1).tolist() == [0, 1]
    features = features_of(clip, [clip.prepare(Image.new("RGB", (40, 40), "red"))] * 3)
    assert features.shape == (3, 256) and np.array_equal(features[0], features[2])
    folds = pl.read_parquet(workspace.path(CLIP_FOLDS) / FOLDS_FILE)
    assert len(folds) == 36 and set(folds["fold"]) == {0, 1}
    assert len({weights(workspace, CLIP_FOLDS, f"fold-{k}") for k in (0, 1)}) == 2
    again = train_clip_current(workspace, moved, tiny)
    assert again == ()


def train_clip_current(workspace, moved, tiny):
    shutil.copytree(moved, workspace.path(CLIP))
    return train_clip(workspace, tiny, seed=0).made


def test_the_same_seed_gives_the_same_bytes(shop, tiny):
    config = tiny.model_copy(update={"epochs": 2, "folds": 0})
    first, second, other = (shop(name=name) for name in ("a", "b", "c"))
    for workspace, seed in ((first, 3), (second, 3), (other, 4)):
        assert train_clip(workspace, config, seed=seed).folds == 0
    assert weights(first) == weights(second) != weights(other)


def test_it_ends_when_recall_gets_no_better(shop, tiny):
    config = tiny.model_copy(update={"epochs": 400, "patience": 2, "folds": 0, "learning_rate": 1e-7})
    workspace = shop()
    report = train_clip(workspace, config, seed=0)
    manifest = workspace.manifest(CLIP)
    history = manifest.meta["history"]
    assert len(history) < 100 and report.epochs == int(np.argmax(history)) + 1 == len(history) - 2


def test_a_pretrained_folder_is_tuned_further(shop, tiny, tmp_path):
    base = tiny_clip(tmp_path / "base")
    config = tiny.model_copy(update={"base": str(base), "epochs": 2, "folds": 0})
    workspace = shop()
    train_clip(workspace, config, seed=0)
    assert weights(workspace) != (base / "open_clip_model.safetensors").read_bytes()
    clip = OpenClip(OpenClipConfig(model=str(workspace.path(CLIP))))
    assert clip.embed_texts(["red ball"]).shape == (1, 16)


def test_what_was_trained_here_is_tuned_further(shop, tiny, tmp_path):
    workspace, config = shop(), tiny.model_copy(update={"epochs": 1, "folds": 0})
    train_clip(workspace, config, seed=0)
    base = shutil.copytree(workspace.path(CLIP), tmp_path / "base")
    train_clip(workspace, config.model_copy(update={"base": str(base)}), seed=0)
    assert OpenClip(OpenClipConfig(model=str(workspace.path(CLIP)))).embed_texts(["x"]).shape == (1, 16)


def test_a_killed_run_leaves_nothing_half(shop, tiny, monkeypatch):
    workspace, config = shop(), tiny.model_copy(update={"epochs": 1, "folds": 2})
    from embedding.clip_training import towers

    whole, saved = towers.Towers.save, []

    def dies(self, folder):
        whole(self, folder)
        saved.append(folder)
        if len(saved) == 2:  # the first sibling
            raise KeyboardInterrupt

    monkeypatch.setattr(towers.Towers, "save", dies)
    with pytest.raises(KeyboardInterrupt):
        train_clip(workspace, config, seed=0)
    assert workspace.has(CLIP) and not workspace.has(CLIP_FOLDS)
    assert not list((workspace.root / CLIP_FOLDS).glob("*/fold-*"))
    monkeypatch.setattr(towers.Towers, "save", whole)
    assert train_clip(workspace, config, seed=0).made == (CLIP_FOLDS,)


def test_siblings_go_when_none_are_wanted(shop, tiny):
    workspace, config = shop(), tiny.model_copy(update={"epochs": 1})
    assert train_clip(workspace, config, seed=0).folds == 2
    assert train_clip(workspace, config.model_copy(update={"folds": 0}), seed=0).folds == 0
    assert not workspace.has(CLIP_FOLDS)


def test_too_little_to_learn_from(shop, tiny, tmp_path, figures):
    few = shop(lambda folder: [Item(str(n), title="x", images=("a.png",)) for n in range(7)], "few")
    with pytest.raises(DataError, match="7 of the catalogue's 7 items have a picture and a text; 8 or more"):
        train_clip(few, tiny, seed=0)
    gone = shop(lambda folder: [Item(str(n), title=f"x {n}", images=(f"{n}.png",)) for n in range(9)], "gone")
    with pytest.raises(DataError, match=r"0 items have a picture that can be read; 8 would be valid: .*'0\.png'"):
        train_clip(gone, tiny, seed=0)
    alike = shop(lambda folder: [replace(item, parent_id="one") for item in figures(folder)], "alike")
    with pytest.raises(DataError, match=r"36 items .* are variants of 1 products \(parent_id\); 4 or more"):
        train_clip(alike, tiny, seed=0)
    with pytest.raises(NotBuiltError, match="vitrine import"):
        train_clip(Workspace(tmp_path / "empty"), tiny, seed=0)
    with pytest.raises(ConfigError, match=r"^encoders.clip.base \(--from\) is 'ViT-B-33': no folder"):
        train_clip(shop(name="full"), tiny.model_copy(update={"base": "ViT-B-33"}), seed=0)


def test_a_training_that_goes_astray_says_so(shop, tiny):
    wild = tiny.model_copy(update={"learning_rate": 1e30, "folds": 0})
    with pytest.raises(
        ConfigError, match=r"^encoders.clip: diverged at step \d+, .*lower encoders.clip.learning_rate \(now 1e\+30"
    ):
        train_clip(shop(), wild, seed=0)


def test_a_broken_picture_is_counted_and_left_out(shop, tiny):
    workspace = shop()
    (workspace.root / "red-ball-10.png").write_bytes(b"no picture")
    report = train_clip(workspace, tiny.model_copy(update={"epochs": 1, "folds": 0}), seed=0)
    assert report.items == 35 and report.unreadable == 1
    assert "1 pictures could not be read" in report.lines()[0]
