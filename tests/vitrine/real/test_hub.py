"""The hub's real library against a hub on loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from catalog.errors import ConfigError
from vitrine.real.choices import choose
from vitrine.real.hub import bring, look

NAME = "tiny/Qwen-Embedding"


@pytest.fixture
def cache(tmp_path, monkeypatch, hub):
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    # The library reads this once, when it is first imported: whoever did that may have been offline.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    return tmp_path / "cache"


def test_a_model_is_looked_at_then_brought_and_then_here(hub, cache, checkpoints):
    seen = look(choose("embeddings", NAME), cache)
    files = sum(path.stat().st_size for path in checkpoints[NAME].iterdir())
    weights = (checkpoints[NAME] / "model.safetensors").stat().st_size
    assert (seen.size, seen.left, seen.weights, seen.licence, seen.folder) == (
        files,
        files,
        weights,
        "apache-2.0",
        None,
    )
    assert hub.sent < 10_000  # config.json alone
    folder = bring(seen, cache)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in checkpoints[NAME].iterdir()
    }
    sent = hub.sent
    again = look(choose("embeddings", NAME), cache)
    assert (again.left, again.folder, again.commit) == (0, folder, hub.commit(NAME))
    assert bring(again, cache) == folder and hub.sent == sent


DOWNLOAD = """
import sys
from pathlib import Path
import huggingface_hub.constants
huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = 50_000  # ten megabytes otherwise: all of a tiny model
from vitrine.real.choices import choose
from vitrine.real.hub import bring, look
bring(look(choose("embeddings", sys.argv[1]), Path(sys.argv[2])), Path(sys.argv[2]))
"""


def test_a_download_that_broke_off_goes_on_where_it_was(hub, cache, checkpoints):
    hub.cut_on, hub.cut_after = "model.safetensors", 100_000
    environment = {**os.environ, "HF_ENDPOINT": hub.url}
    subprocess.run([sys.executable, "-c", DOWNLOAD, NAME, cache], env=environment, check=True, timeout=60)
    weights = (checkpoints[NAME] / "model.safetensors").stat().st_size
    asked = [path for path in hub.asked if path.endswith("model.safetensors")]
    assert len(asked) == 2
    assert hub.sent == sum(path.stat().st_size for path in checkpoints[NAME].iterdir()) and weights > 100_000


def test_without_the_internet_it_says_how_to_place_the_files(cache, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ConfigError) as refused:
        look(choose("agent", "Qwen/Qwen3-4B"), cache)
    assert str(refused.value) == (
        "--llm 'Qwen/Qwen3-4B' is not in the model cache and http://127.0.0.1:9 cannot be reached: with a network `hf "
        "download Qwen/Qwen3-4B --local-dir Qwen3-4B`, copy that folder whole to this machine and name it in place of "
        "'Qwen/Qwen3-4B'"
    )


def test_a_model_that_is_not_there_or_of_pickles_is_one_line(hub, cache, tmp_path):
    with pytest.raises(ConfigError, match="--llm 'tiny/None' is not on http://127"):
        look(choose("agent", "tiny/None"), cache)
    with pytest.raises(ConfigError, match="'tiny/Qwen-Chat@v9' is not on"):
        look(choose("agent", "tiny/Qwen-Chat@v9"), cache)
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_text(json.dumps({}))
    (pickled / "pytorch_model.bin").write_bytes(b"x")
    hub.models["tiny/Pickle"] = pickled
    with pytest.raises(ConfigError, match=r"no config.json or no \*.safetensors.*pickles are never opened"):
        look(choose("agent", "tiny/Pickle"), cache)


BAD = {
    "nothing": ("captions", "no-such", "is no folder here and no name; 'pixels', a folder with config.json"),
    "another's built-in": ("captions", "minilm", "'pixels', a folder"),
    "a path": ("agent", "./models/m", "is no folder here and no name"),
}


@pytest.mark.parametrize(("role", "named", "said"), BAD.values(), ids=BAD)
def test_what_names_no_model_is_one_line(role, named, said):
    with pytest.raises(ConfigError, match=said):
        choose(role, named)


def test_a_name_is_read_as_what_it_is(tmp_path, monkeypatch):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "config.json").write_text("{}")
    monkeypatch.chdir(tmp_path)
    kinds = {name: choose("agent", name).kind for name in ("planner", "m", "a/b", "a/b@main", "http://h:1/v1#x")}
    assert kinds == {"planner": "built in", "m": "folder", "a/b": "hub", "a/b@main": "hub", "http://h:1/v1#x": "server"}
    assert (choose("agent", "a/b@v1").detail, choose("agent", "http://h:1/v1/#x").name) == ("v1", "http://h:1/v1")
    (Path("e")).mkdir()
    with pytest.raises(ConfigError, match="'e' is a folder without config"):
        choose("agent", "e")
