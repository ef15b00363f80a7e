import copy
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from catalog.errors import ConfigError, DataError
from embedding.clip import OpenClip, OpenClipConfig, as_rgb
from embedding.tiny_models import tiny_clip

DATA = Path(os.environ.get("TEST_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def clip(folder):
    return OpenClip(OpenClipConfig(model=str(folder), batch_size=1))


def gradient(width=48, height=64):
    across = np.linspace(0, 255, width, dtype=np.uint8)
    return np.stack(
        [np.tile(across, (height, 1)), np.full((height, width), 90), np.full((height, width), 30)], 2
    ).astype(np.uint8)


def test_pictures_and_texts_are_unit_vectors_of_one_space(clip):
    pictures, texts = clip.embed_images([Image.fromarray(gradient())] * 2), clip.embed_texts(["red", "", "x " * 300])
    assert pictures.shape == (2, 16) and texts.shape == (3, 16) and clip.dim == 16
    for rows in (pictures, texts):
        assert rows.dtype == np.float32 and np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-6)
    assert clip.embed_images([]).shape == clip.embed_texts([]).shape == (0, 16)


def test_vectors_are_those_of_the_bare_library(clip, folder):
    import open_clip
    import torch

    model, preprocess = open_clip.create_model_from_pretrained(f"local-dir:{folder}")
    picture, texts = Image.fromarray(gradient()), ["a red vase", "mug"]
    with torch.inference_mode():
        image = model.encode_image(preprocess(picture)[None], normalize=True).numpy()
        text = model.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(texts), normalize=True).numpy()
    assert clip.embed_images([picture]) == pytest.approx(image, abs=1e-6)
    assert clip.embed_texts(texts) == pytest.approx(text, abs=1e-6)


def test_arrays_are_the_pictures_they_show(clip):
    array = gradient()
    alone = clip.embed_images([Image.fromarray(array)])[0]
    for form in (array, array.astype(np.float32) / 255, array.astype(np.float64) / 255):
        assert np.array_equal(clip.embed_images([form])[0], alone)
    grey = array[..., 0]
    for form in (grey, grey[..., None], np.stack([grey] * 3, 2)):
        assert np.array_equal(clip.embed_images([form]), clip.embed_images([Image.fromarray(grey)]))


def test_transparency_lies_on_white_and_odd_modes_are_read():
    clear = np.zeros((4, 4, 4), np.uint8)
    assert np.asarray(as_rgb(clear)).min() == 255
    assert as_rgb(Image.new("CMYK", (3, 3))).mode == as_rgb(Image.new("1", (3, 3))).mode == "RGB"
    palette = Image.fromarray(gradient()).quantize(8)
    assert as_rgb(palette).size == (48, 64)


@pytest.mark.parametrize(
    ("array", "line"),
    [
        (np.zeros((4, 4, 2), np.uint8), r"shape \(4, 4, 2\)"),
        (np.zeros((0, 4, 3), np.uint8), r"shape \(0, 4, 3\)"),
        (np.full((4, 4, 3), 200.0), "from 200.0 to 200.0: 0 to 1"),
        (np.full((4, 4, 3), np.nan), "0 to 1 would be valid"),
        (np.zeros((4, 4, 3), np.uint16), "of uint16: uint8"),
    ],
)
def test_what_is_no_picture_is_one_line(array, line):
    with pytest.raises(DataError, match=line):
        as_rgb(array)


def test_company_moves_a_vector_by_less_than_a_hundred_thousandth(clip, folder):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (40, 40, 3), dtype=np.uint8) for _ in range(7)]
    together = OpenClip(OpenClipConfig(model=str(folder), batch_size=4)).embed_images(pictures)
    assert np.abs(together - clip.embed_images(pictures)).max() < 1e-5
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(clip.embed_images, [pictures] * 4):
            assert np.array_equal(found, clip.embed_images(pictures))


def test_it_is_sent_as_its_settings(clip):
    there = copy.deepcopy(clip)
    assert "_model" not in vars(there) and (there.model, there.dim) == (clip.model, clip.dim)
    assert np.array_equal(there.embed_texts(["mug"]), clip.embed_texts(["mug"]))


def test_preparing_loads_no_model(folder):
    fresh = OpenClip(OpenClipConfig(model=str(folder)))
    assert fresh.prepare(gradient()).shape == (3, 32, 32)
    assert "_model" not in vars(fresh)


def test_half_width_weights_give_float32_vectors_nearby(clip, folder):
    half = OpenClip(OpenClipConfig(model=str(folder), dtype="bfloat16"))
    found = half.embed_images([gradient()])
    assert found.dtype == np.float32 and float(found[0] @ clip.embed_images([gradient()])[0]) > 0.99
    assert half.model != clip.model


def test_weights_are_part_of_the_provenance(clip, folder, tmp_path):
    other = tiny_clip(tmp_path / folder.name, dim=8)
    assert clip.model.startswith(f"open_clip {folder.name}@")
    assert OpenClip(OpenClipConfig(model=str(other))).model != clip.model


def test_weights_of_a_model_on_the_list_are_read_from_a_file(folder, tmp_path):
    import open_clip

    settings = json.loads((folder / "open_clip_config.json").read_text())["model_cfg"]
    (tmp_path / "vitrine-tiny.json").write_text(json.dumps(settings))
    open_clip.add_model_config(tmp_path / "vitrine-tiny.json")
    weights = folder / "open_clip_model.safetensors"
    named = OpenClip(OpenClipConfig(model="vitrine-tiny", pretrained=str(weights)))
    local = OpenClip(OpenClipConfig(model=str(folder)))
    assert np.array_equal(named.embed_images([gradient()]), local.embed_images([gradient()]))


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"model": "ViT-B-33"}, r"'ViT-B-33': no folder, and no model of open_clip. Did you mean 'ViT-B-32'"),
        (
            {"model": "ViT-B-32"},
            "pretrained is missing for model 'ViT-B-32': a file, or one of its tags.*laion2b_s34b_b79k or one of 17",
        ),
        (
            {"model": "ViT-B-32", "pretrained": "laion2b_s34b_b79k"},
            r"laion2B-s34B-b79K.* not on this machine, and nothing",
        ),
        ({"model": "ViT-B-32", "pretrained": "laion3b"}, "'laion3b': no such file, and no tag of 'ViT-B-32'"),
        ({"model": "hf-hub:nobody/nothing"}, "'hf-hub:nobody/nothing': not in the hub cache"),
    ],
)
def test_what_is_not_here_is_one_line(settings, line, tmp_path):
    with pytest.raises(ConfigError, match=line):
        OpenClip(OpenClipConfig(**settings, cache=tmp_path))


def test_a_folder_that_lacks_something_is_one_line(folder, tmp_path):
    with pytest.raises(ConfigError, match=r"has no open_clip_config\.json"):
        OpenClip(OpenClipConfig(model=str(tmp_path)))
    (tmp_path / "open_clip_config.json").write_text((folder / "open_clip_config.json").read_text())
    with pytest.raises(ConfigError, match=r"holds no weights; open_clip_model\.safetensors would be valid"):
        OpenClip(OpenClipConfig(model=str(tmp_path)))


def test_a_tokenizer_that_would_be_downloaded_is_one_line(folder, tmp_path):
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"]["hf_tokenizer_name"] = "nobody/nothing"
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    (tmp_path / "open_clip_model.safetensors").write_bytes((folder / "open_clip_model.safetensors").read_bytes())
    with pytest.raises(
        ConfigError, match=r"tokenizer of open_clip model .* cannot be opened, and nothing is downloaded"
    ):
        OpenClip(OpenClipConfig(model=str(tmp_path))).embed_texts(["mug"])


def test_weights_of_another_model_and_a_file_cut_off_are_one_line(folder, tmp_path):
    other = tiny_clip(tmp_path / "other", dim=8) / "open_clip_model.safetensors"
    (tmp_path / "open_clip_config.json").write_text((folder / "open_clip_config.json").read_text())
    for weights in (other.read_bytes(), other.read_bytes()[:500]):
        (tmp_path / "open_clip_model.safetensors").write_bytes(weights)
        with pytest.raises(ConfigError, match=r"open_clip model .* cannot be opened") as caught:
            OpenClip(OpenClipConfig(model=str(tmp_path))).embed_texts(["mug"])
        assert "\n" not in str(caught.value)


class Code:
    def __reduce__(self):
        return print, ("ran",)


def test_a_pickle_with_code_is_one_line_that_advises_nothing_unsafe(folder, tmp_path, capsys):
    (tmp_path / "open_clip_config.json").write_text((folder / "open_clip_config.json").read_text())
    for checkpoint in ({"state_dict": Code()}, None):
        path = tmp_path / "open_clip_pytorch_model.bin"
        path.write_bytes(b"") if checkpoint is None else torch.save(checkpoint, path)
        with pytest.raises(ConfigError, match=r"open_clip model .* cannot be opened.* a weights file is") as caught:
            OpenClip(OpenClipConfig(model=str(tmp_path))).embed_texts(["mug"])
        assert "\n" not in str(caught.value) and "weights_only" not in str(caught.value)
    assert "ran" not in capsys.readouterr().out


@pytest.mark.realdata
def test_real_posters_go_through(clip):
    posters = sorted((DATA / "movies" / "images").glob("*.jpg"))[:12]
    if not posters:
        pytest.skip(f"no posters under {DATA}")
    vectors = clip.embed_images([Image.open(path) for path in posters])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    assert len(np.unique(vectors.round(4), axis=0)) == len(posters)
