import json
import shutil

import pytest
import torch

from captioning.checkpoints import CheckpointConfig, checkpoint_folder, fingerprint
from captioning.transformers_vision import TransformersVision, TransformersVisionConfig
from captioning.vision import Ask
from catalog.errors import ConfigError, ServiceError


def folder_of(model, **changes):
    return checkpoint_folder(CheckpointConfig(model=model, **changes), "captions.transformers")


def test_a_folder_is_taken_as_it_is(tiny_checkpoints):
    folder = tiny_checkpoints["qwen3_vl"]
    assert folder_of(str(folder)) == folder.resolve()
    assert CheckpointConfig(model=str(folder)).model_name == folder.name


def test_a_model_that_is_not_here_is_one_line_that_says_what_to_do(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ConfigError, match="'Nobody/Tiny-VL'") as caught:
        folder_of("Nobody/Tiny-VL")
    line = str(caught.value)
    assert "captions.transformers.local_files_only=false" in line and "hf download Nobody/Tiny-VL" in line
    assert "\n" not in line
    with pytest.raises(ConfigError, match="HF_HUB_OFFLINE=0"):
        folder_of("Nobody/Tiny-VL", local_files_only=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert folder_of("Nobody/Tiny-VL", local_files_only=False) is None  # may be downloaded


@pytest.mark.parametrize("name", ["no such folder/at all", "../gone", "a/b/c"])
def test_a_name_that_the_hub_does_not_know_is_no_traceback(name):
    with pytest.raises(ConfigError, match=r"no folder here"):
        folder_of(name)


@pytest.mark.parametrize("path", ["/models/none", "./none", "~/none", "a/b/c"])
def test_a_path_is_not_offered_for_download(path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    for local in (True, False):
        with pytest.raises(ConfigError) as caught:
            folder_of(path, local_files_only=local)
        assert "hf download" not in str(caught.value) and "a name on the hub such as" in str(caught.value)


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"without config\.json"):
        folder_of(str(tmp_path))


def test_other_weights_in_the_same_folder_are_another_model(tiny_checkpoints, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_checkpoints["qwen2_5_vl"], folder)
    config = CheckpointConfig(model=str(folder))
    before = fingerprint(config, folder)
    (folder / "README.md").write_text("a card")
    assert fingerprint(config, folder) == before
    settings = json.loads((folder / "generation_config.json").read_text())
    (folder / "generation_config.json").write_text(json.dumps({**settings, "repetition_penalty": 1.2}))
    assert fingerprint(config, folder) != before


def test_damaged_weights_are_one_line(tiny_checkpoints, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_checkpoints["qwen2_5_vl"], folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    vision = TransformersVision(TransformersVisionConfig(model=str(folder)))
    with pytest.raises(ServiceError, match="cannot be loaded on 'cpu'") as caught:
        vision.answer([Ask(system="s", instruction="i")])
    assert "\n" not in str(caught.value)


class Code:
    def __reduce__(self):
        return print, ("ran",)


def test_a_pickle_with_code_is_not_advised_to_be_run(tiny_checkpoints, tmp_path, capsys):
    folder = shutil.copytree(tiny_checkpoints["qwen2_5_vl"], tmp_path / "model")
    (folder / "model.safetensors").unlink()
    torch.save({"w": Code()}, folder / "pytorch_model.bin")
    vision = TransformersVision(TransformersVisionConfig(model=str(folder)))
    with pytest.raises(
        ServiceError, match="cannot be loaded on 'cpu': a weights file is damaged, or a pickle"
    ) as caught:
        vision.answer([Ask(system="s", instruction="i")])
    assert "\n" not in str(caught.value) and "weights_only" not in str(caught.value)
    assert "ran" not in capsys.readouterr().out
