"""The commands of the model servers are those of docs/models.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vitrine.real.checkpoints import checkpoint
from vitrine.real.commands import server_command, server_environment
from vitrine.real.config import RealConfig
from vitrine.real.memory import Placement

PAGE = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
ADDED = {"--host"}
BASE = {"num_hidden_layers": 36, "num_attention_heads": 32, "hidden_size": 4096, "num_key_value_heads": 8}


def model(name="m", template="", **more):
    return checkpoint(name, {**BASE, "max_position_embeddings": 262144, **more}, 10**9, template)


def words(role, *, place=None, config=None, **more):
    found = server_command(role, model(**more), Path("/models/m"), place or Placement(), config or RealConfig(), 8000)
    return found, " ".join(found)


@pytest.mark.parametrize("role", ["captions", "embeddings", "agent"])
def test_every_flag_stands_in_the_documentation(role):
    found, _ = words(role, place=Placement((0, 1, 2, 3), 0.5, 2, 2, 8), vision_config={}, template="enable_thinking")
    assert found[:3] == ["vllm", "serve", "/models/m"]
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", PAGE))
    assert {word for word in found if word.startswith("--")} - ADDED <= documented


def test_a_caption_server_is_bounded_in_pictures_and_keeps_the_samplers_defaults_out():
    _, text = words("captions", vision_config={})
    assert '--limit-mm-per-prompt {"image": 12, "video": 0} --mm-processor-cache-gb 0 --generation-config vllm' in text
    assert "--max-model-len 8192 --max-num-seqs 16 --max-num-batched-tokens 8192" in text


def test_an_embedding_server_pools_and_reads_no_more_than_its_model():
    assert "--max-model-len 128 " in words("embeddings", max_position_embeddings=128)[1]
    assert "--runner pooling" in words("embeddings")[1] and "--runner" not in words("agent")[1]


@pytest.mark.parametrize(
    ("kind", "parser"),
    [("qwen3", "hermes"), ("qwen3_vl_text", "hermes"), ("gpt_oss", "openai"), ("llama", "llama3_json")],
)
def test_the_agents_tools_are_read_in_the_models_own_dialect(kind, parser):
    _, text = words("agent", model_type=kind)
    assert f"--enable-auto-tool-choice --tool-call-parser {parser} " in text


def test_a_model_that_may_think_is_told_not_to():
    _, text = words("agent", template="{% if enable_thinking %}")
    assert '--reasoning-parser qwen3 --default-chat-template-kwargs {"enable_thinking": false}' in text


def test_settings_name_another_program_parser_and_flags_which_come_last():
    config = RealConfig(vllm=("podman", "run", "vllm"), tool_parser="mistral", flags={"agent": ("--dtype", "half")})
    found, text = words("agent", config=config)
    assert found[:4] == ["podman", "run", "vllm", "/models/m"] and "--tool-call-parser mistral" in text
    assert found[-2:] == ["--dtype", "half"]


def test_nothing_is_fetched_or_told_by_a_server_and_it_sees_its_own_gpus():
    assert server_environment(Placement((1, 2))) == {
        "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "CUDA_VISIBLE_DEVICES": "1,2",
    }  # fmt: skip
    assert "CUDA_VISIBLE_DEVICES" not in server_environment(Placement())
