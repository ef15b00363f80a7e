"""Which server gets which part of which GPU; figures by hand, from the table of docs/models.md."""

from __future__ import annotations

import pytest

from catalog.errors import ConfigError
from vitrine.real.checkpoints import checkpoint
from vitrine.real.memory import CAPTION, EMBED, SHOP, Gpus, lay_out, need_gb

GB = 1_000_000_000


def qwen(name, weights, layers, kv_heads, **more):
    """A model as the table of docs/models.md has it: heads of 128."""
    config = {"num_hidden_layers": layers, "num_attention_heads": 32, "hidden_size": 4096, "head_dim": 128,
              "num_key_value_heads": kv_heads, "max_position_embeddings": 262144, "model_type": "qwen3",
              "dtype": "bfloat16", **more}  # fmt: skip
    return checkpoint(name, config, int(weights * GB))


EYES = qwen("Qwen3-VL-8B", 17.5, 36, 8, vision_config={})
WORDS = qwen("Qwen3-Embedding-0.6B", 1.2, 28, 8)
MIND = qwen("Qwen3-4B", 8.0, 36, 8)
BIG = qwen("Qwen3-VL-32B", 66.7, 64, 8, vision_config={})
ALL = {"captions": EYES, "embeddings": WORDS, "agent": MIND}


def test_a_token_takes_what_the_table_says():
    assert EYES.token_bytes == 144 * 1024 and WORDS.token_bytes == 112 * 1024 and BIG.token_bytes == 256 * 1024


def test_a_server_needs_weights_work_and_the_least_of_cache():
    # 1.02 x 17.5 GB, 8 pictures of 1,100 tokens of 147,456 bytes, 3 GB of work.
    assert need_gb("captions", EYES) == pytest.approx(17.85 + 8 * 1100 * 147456 / 1e9 + 3.0)


def test_what_fits_together_runs_side_by_side_within_the_gpu():
    layout = lay_out(ALL, Gpus(1, 80))
    assert layout.together
    places = {role: place for phase in layout.places.values() for role, place in phase.items()}
    assert 0.85 < sum(place.share for place in places.values()) <= 0.92
    for role, place in places.items():
        assert place.share * 80 >= need_gb(role, ALL[role]) - 0.8  # rounded down to a hundredth of 80 GB
    assert places["captions"].share > places["agent"].share > places["embeddings"].share


def test_what_does_not_fit_together_runs_one_after_the_other():
    layout = lay_out(ALL, Gpus(1, 26))
    assert not layout.together
    assert layout.places[CAPTION]["captions"].share == 0.92
    assert layout.places[EMBED]["embeddings"].share == 0.92
    shop = layout.places[SHOP]
    assert shop["embeddings"].share + shop["agent"].share <= 0.92


def test_a_shop_that_needs_more_than_the_gpu_has_is_refused_with_figures():
    with pytest.raises(
        ConfigError, match=r"Qwen3-Embedding-0.6B \d\.\d GB and Qwen3-4B 1\d\.\d GB .* 12 GB gives 11\.0"
    ):
        lay_out({"embeddings": WORDS, "agent": MIND}, Gpus(1, 12))


def test_several_gpus_are_replicas_where_a_model_fits_one_and_slices_where_not():
    captions = lay_out({"captions": EYES}, Gpus(4, 80)).places[CAPTION]["captions"]
    assert (captions.replicas, captions.slices, captions.devices) == (4, 1, (0, 1, 2, 3))
    captions = lay_out({"captions": BIG}, Gpus(4, 48)).places[CAPTION]["captions"]
    assert (captions.replicas, captions.slices) == (2, 2)
    with pytest.raises(ConfigError, match=r"Qwen3-VL-32B needs 7\d\.\d GB of GPU memory, and 1 of 48 GB give 44\.2"):
        lay_out({"captions": BIG}, Gpus(1, 48))


def test_in_the_open_shop_of_two_gpus_each_model_has_its_own():
    shop = lay_out({"captions": BIG, "embeddings": WORDS, "agent": MIND}, Gpus(2, 80)).places[SHOP]
    assert (shop["embeddings"].devices, shop["agent"].devices) == ((0,), (1,))


def test_without_a_gpu_nothing_is_reckoned():
    places = lay_out(ALL, Gpus(0, 0)).places
    assert [sorted(each) for each in places.values()] == [["captions"], ["embeddings"], ["agent", "embeddings"]]


def test_experts_count_for_speed_and_not_for_memory():
    config = {"num_experts": 128, "num_experts_per_tok": 8}
    mixture = qwen("Qwen3-30B-A3B", 61.1, 48, 4, **config)
    assert mixture.parameters == pytest.approx(30.55e9)
    assert mixture.active == pytest.approx(30.55e9 * (0.05 + 0.95 / 16))  # about three billion
