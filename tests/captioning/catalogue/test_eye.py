import numpy as np
import pytest
from PIL import Image

from captioning.catalogue.eye import look, seen
from embedding.clip import OpenClip, OpenClipConfig
from embedding.clip_training.config import ClipTrainingConfig
from embedding.clip_training.towers import features_of, open_towers


@pytest.fixture(scope="session")
def convolutional(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resnet")
    open_towers(ClipTrainingConfig(picture_size=32, width=8, dim=16, context=16), seed=0).save(folder)
    return OpenClip(OpenClipConfig(model=str(folder), batch_size=2))


def stripes(side=64):
    """One pixel black, one white: at half the size nothing but grey is left."""
    return Image.fromarray(np.tile(np.array([[[0] * 3, [255] * 3]], np.uint8), (side, side // 2, 1)))


def test_a_convolutional_tower_looks_twice_as_close(convolutional):
    grey = Image.new("RGB", (64, 64), (128, 128, 128))
    looks = [look(convolutional, each) for each in (stripes(), grey, grey)]
    assert [each.shape for each in looks[0]] == [(3, 32, 32), (3, 64, 64)]
    found = seen(convolutional, looks)
    # 8 x 32 of the last map, mean and spread of the 8 x 16 before it.
    assert found.shape == (3, 256 + 2 * 128) and np.allclose(found[1], found[2], atol=1e-5)
    whole = features_of(convolutional, [each[0] for each in looks])
    assert np.array_equal(found[:, :256], whole)
    scale = np.abs(found[1]).mean()
    assert np.abs(found[0, 256:] - found[1, 256:]).mean() > 0.1 * scale  # what is fine is seen in the second look


def test_another_tower_looks_once(tower):
    clip = OpenClip(OpenClipConfig(model=str(tower)))
    looks = [look(clip, stripes())]
    assert len(looks[0]) == 1
    assert np.array_equal(seen(clip, looks), features_of(clip, [looks[0][0]]))


def test_no_pictures_have_no_features(convolutional):
    assert len(seen(convolutional, [])) == 0
