import json
import shutil

import numpy as np
import pytest
from pydantic import ValidationError

from catalog.errors import ConfigError
from embedding.clip import OpenClipConfig
from embedding.decoder import WISH, Decoder, DecoderConfig, pool
from embedding.minilm import MiniLMConfig
from embedding.sentence import Sentence, SentenceConfig
from embedding.tiny_models import tiny_decoder, tiny_sentence

TEXTS = ["a red mug", "", "ein blaues Kleid", "round and blue", "x " * 90]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny_decoder(tmp_path_factory.mktemp("decoder"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return tiny_sentence(tmp_path_factory.mktemp("sentence"))


def decoder(folder, **changes):
    return Decoder(DecoderConfig(**{"model": str(folder), "max_tokens": 128, "batch_size": 1, **changes}))


@pytest.mark.parametrize(("pooling", "theirs"), [("last", "lasttoken"), ("mean", "mean")])
def test_pooling_is_that_of_sentence_transformers(folder, tmp_path, pooling, theirs):
    """Their own pooling module over the same weights, instruction included."""
    whole = Sentence(SentenceConfig(model=str(tiny_sentence(tmp_path, pooling=theirs, prompts={"query": WISH}))))
    ours = decoder(folder, pooling=pooling)
    assert ours.embed(TEXTS) == pytest.approx(whole.embed(TEXTS), abs=1e-6)
    assert ours.embed_queries(TEXTS) == pytest.approx(whole.embed_queries(TEXTS), abs=1e-6)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_neither_padding_nor_company_moves_a_vector(folder, side, pooling):
    alone = decoder(folder, pooling=pooling).embed(TEXTS)
    together = decoder(folder, pooling=pooling, padding_side=side, batch_size=5).embed(TEXTS)
    assert np.abs(together - alone).max() < 1e-5


def test_pooling_by_hand():
    import torch

    states = torch.arange(12, dtype=torch.float32).reshape(2, 3, 2)  # rows [0 1][2 3][4 5] and [6 7][8 9][10 11]
    right = torch.tensor([[1, 1, 0], [1, 1, 1]])
    left = torch.tensor([[0, 1, 1], [0, 0, 1]])
    assert pool(states, right, "last").tolist() == [[2, 3], [10, 11]]
    assert pool(states, left, "last").tolist() == [[4, 5], [10, 11]]
    assert pool(states, right, "mean").tolist() == [[1, 2], [8, 9]]
    assert pool(states, left, "mean").tolist() == [[3, 4], [10, 11]]


def test_the_end_of_text_token_stands_last_where_the_model_wants_it(tmp_path):
    plain = tiny_decoder(tmp_path / "plain", eos_last=False)
    ended = tiny_decoder(tmp_path / "ended", eos_last=True)
    own = decoder(ended).embed(TEXTS)
    assert decoder(plain, append_eos=True).embed(TEXTS) == pytest.approx(own, abs=1e-6)
    assert decoder(ended, append_eos=True).embed(TEXTS) == pytest.approx(own, abs=1e-6), "it is there once"
    without = decoder(plain).embed(TEXTS)
    assert decoder(ended, append_eos=False).embed(TEXTS) == pytest.approx(without, abs=1e-6)
    assert np.abs(without - own).max() > 0.01


@pytest.mark.parametrize("append_eos", [None, True])
def test_a_text_too_long_is_cut_keeps_its_end_token_and_is_counted(folder, append_eos):
    short = decoder(folder, max_tokens=16, append_eos=append_eos)
    found = short.embed_counted(["x " * 90, "red"])
    assert found.cut == (True, False) and found.tokens[0] == 16
    ids, _ = short._tokens(["x " * 90])
    assert ids[0][-1] == short._tokenizer.eos_token_id


def test_leading_columns_alone_are_kept_at_length_one(folder):
    whole, head = decoder(folder).embed(TEXTS), decoder(folder, dim=8).embed(TEXTS)
    cut = whole[:, :8] / np.linalg.norm(whole[:, :8], axis=1, keepdims=True)
    assert head.shape == (5, 8) and head == pytest.approx(cut, abs=1e-6)


def test_half_width_weights_give_float32_vectors_nearby(folder):
    half = decoder(folder, dtype="bfloat16").embed(TEXTS)
    assert half.dtype == np.float32
    assert (half * decoder(folder).embed(TEXTS)).sum(axis=1).min() > 0.98


def test_an_instruction_is_read_and_part_of_the_provenance(folder):
    plain, asked = decoder(folder), decoder(folder, instruction="passage: ")
    assert plain.model != asked.model and "passage" in asked.model
    assert np.array_equal(asked.embed(["mug"]), plain.embed(["passage: mug"]))
    assert np.array_equal(plain.embed_queries(["mug"]), plain.embed([WISH + "mug"]))


def test_other_weights_are_another_model(folder, tmp_path):
    other = tiny_decoder(tmp_path, dim=16)
    assert decoder(folder).model.split()[0] != decoder(other).model.split()[0]
    config = json.loads((other / "config.json").read_text())
    before = decoder(other).model
    (other / "config.json").write_text(json.dumps({**config, "rope_theta": 5.0}))
    assert decoder(other).model != before


def test_what_is_not_here_is_one_line_that_says_how_to_place_it(tmp_path, monkeypatch):
    with pytest.raises(
        ConfigError, match=r"'Qwen/None': no such folder, and not in the hub cache .*Nothing is downloaded"
    ):
        Decoder(DecoderConfig(model="Qwen/None"))
    with pytest.raises(ConfigError, match=r"embedding.sentence.model is '/no/such one'.*name that folder"):
        Sentence(SentenceConfig(model="/no/such one"))
    with pytest.raises(ConfigError, match=r"holds no config\.json"):
        Decoder(DecoderConfig(model=str(tmp_path)))
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ConfigError, match=r"holds no \.safetensors file.*a pickle can run code"):
        Decoder(DecoderConfig(model=str(tmp_path)))
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match="says no hidden_size"):
        Decoder(DecoderConfig(model=str(tmp_path)))


def test_a_model_in_the_hub_cache_is_found_by_name(folder, tmp_path, monkeypatch):
    from huggingface_hub import constants

    snapshot = tmp_path / "models--tiny--qwen" / "snapshots" / "abc"
    snapshot.parent.mkdir(parents=True)
    snapshot.symlink_to(folder)
    (tmp_path / "models--tiny--qwen" / "refs").mkdir()
    (tmp_path / "models--tiny--qwen" / "refs" / "main").write_text("abc")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.HF_HUB_CACHE", str(tmp_path))
    found = decoder("tiny/qwen")
    assert found.model.startswith("tiny/qwen@") and found.dim == 32


def test_prompts_of_a_sentence_model_are_chosen_by_name(tmp_path):
    model = str(tiny_sentence(tmp_path, prompts={"passage": "passage: ", "query": "query: "}))
    bare = Sentence(SentenceConfig(model=model, batch_size=1))
    named = Sentence(SentenceConfig(model=model, batch_size=1, document_prompt="passage"))
    assert np.array_equal(named.embed(["mug"]), bare.embed(["passage: mug"]))
    assert np.array_equal(bare.embed_queries(["mug"]), bare.embed(["query: mug"]))
    given = Sentence(SentenceConfig(model=model, batch_size=1, query_prompt="wish", prompts={"wish": "wish: "}))
    assert np.array_equal(given.embed_queries(["mug"]), bare.embed(["wish: mug"]))
    with pytest.raises(ConfigError, match=r"no prompt 'pasage'. Did you mean 'passage'"):
        Sentence(SentenceConfig(model=model, document_prompt="pasage"))


def test_a_sentence_model_is_cut_to_columns_and_tokens(tmp_path):
    model = str(tiny_sentence(tmp_path))
    whole = Sentence(SentenceConfig(model=model, batch_size=1))
    short = Sentence(SentenceConfig(model=model, batch_size=1, truncate_dim=8, max_tokens=12))
    assert (whole.dim, short.dim) == (32, 8)
    head = whole.embed(["red"])[:, :8]
    assert short.embed(["red"]) == pytest.approx(head / np.linalg.norm(head), abs=1e-6)
    found = short.embed_counted(["red " * 40, "red"])
    assert found.cut == (True, False) and found.tokens[0] == 12
    assert short.counter().limit == 10


def cut_off(folder):
    weights = next(folder.rglob("model.safetensors"))
    weights.write_bytes(weights.read_bytes()[:500])


def empty(folder):
    next(folder.rglob("model.safetensors")).write_bytes(b"")


def told(**changes):
    def change(folder):
        config = folder / "config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), **changes}))

    return change


def without_tokenizer(folder):
    for file in folder.rglob("tokenizer*"):
        file.unlink()


BROKEN = {
    "cut off": (cut_off, "a weights file is cut off or damaged"),
    "empty": (empty, "a weights file is cut off or damaged"),
    "code": (told(model_type="odd", auto_map={"AutoConfig": "m.C", "AutoModel": "m.M"}), "code of its own, which is"),
    "unknown": (told(model_type="odd"), "model type `odd`"),
    "shapes": (told(intermediate_size=96), "the shapes of the weights are not those that config.json says"),
    "words": (without_tokenizer, "has no vocabulary of a tokenizer"),
}


@pytest.mark.parametrize("kind", ["decoder", "sentence"])
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_checkpoint_is_one_line(folder, whole, tmp_path, kind, fault):
    broken = shutil.copytree(folder if kind == "decoder" else whole, tmp_path / "broken")
    harm, line = BROKEN[fault]
    harm(broken)
    model = decoder(broken) if kind == "decoder" else Sentence(SentenceConfig(model=str(broken)))
    with pytest.raises(ConfigError, match=line) as caught:
        model.embed(["a red mug"])
    text = str(caught.value)
    assert f"embedding.{kind}.model" in text and str(broken) in text and "would be valid" in text
    assert "\n" not in text and "trust_remote_code" not in text


@pytest.mark.parametrize("config", [DecoderConfig, SentenceConfig, MiniLMConfig, OpenClipConfig])
def test_threads_that_would_end_the_process_are_refused(config):
    with pytest.raises(ValidationError, match="less than or equal to 256"):
        config(model="m", threads=100_000) if config is not MiniLMConfig else config(threads=100_000)
