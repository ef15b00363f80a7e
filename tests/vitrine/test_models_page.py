"""docs/models.md: its settings load, its flags exist, its arithmetic holds."""

import re
import tomllib
from pathlib import Path

import pytest

from vitrine.settings import Settings

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")

# Taken from vllm 0.32.0: engine/arg_utils.py and entrypoints/launchers/cli_args.py.
FLAGS = {
    "--api-key", "--chat-template", "--data-parallel-size", "--default-chat-template-kwargs", "--dtype",
    "--enable-auto-tool-choice", "--enable-expert-parallel", "--enable-prefix-caching", "--generation-config",
    "--gpu-memory-utilization", "--language-model-only", "--limit-mm-per-prompt", "--max-model-len",
    "--max-num-batched-tokens", "--max-num-seqs", "--mm-encoder-tp-mode", "--mm-processor-cache-gb", "--port",
    "--reasoning-parser", "--runner", "--served-model-name", "--tensor-parallel-size", "--tool-call-parser",
    "--trust-request-mm-kwargs",
}  # fmt: skip
OURS = {"--probe", "--no-probe", "--local-dir"}
# tool_parsers/__init__.py, reasoning/__init__.py and config/model.py of the same.
VALUES = {
    "--tool-call-parser": {"hermes", "qwen3_xml", "openai"},
    "--reasoning-parser": {"qwen3", "openai_gptoss"},
    "--runner": {"pooling"},
    "--mm-encoder-tp-mode": {"data"},
    "--dtype": {"half"},
    "--generation-config": {"vllm"},
}


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("toml", blocks("toml"))
def test_every_settings_block_loads(toml, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    given = tomllib.loads(toml)
    settings = Settings(**given).model_dump()
    for group, values in given.items():
        for name, value in values.items():
            held = settings[group][name]
            assert (held.items() >= value.items()) if isinstance(value, dict) else held == value


def test_there_is_a_settings_block_for_each_of_the_three_jobs():
    assert [next(iter(tomllib.loads(toml))) for toml in blocks("toml")] == ["captions", "embedding", "agent"]


def test_every_flag_is_one_of_vllm_and_takes_its_value():
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", PAGE)) - OURS <= FLAGS
    for flag, known in VALUES.items():
        assert set(re.findall(rf"{flag} ([a-z]\w+)", PAGE)) <= known


def test_every_command_names_its_model_and_bounds_what_it_reserves():
    commands = [block for block in blocks("sh") if "vllm serve" in block]
    assert len(commands) == 12
    for command in commands:
        assert "--served-model-name" in command and "--max-model-len" in command and "--max-num-seqs" in command
        if "-vl-" in command:
            assert "--limit-mm-per-prompt" in command


def test_the_table_follows_from_layers_and_heads():
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| Qwen")
    ]
    assert len(rows) == 13
    for name, parameters, layers, heads, kib, bf16, fp8, _ in rows:
        assert 2 * int(layers) * int(heads) * 128 * 2 / 1024 == float(kib), name
        assert float(bf16) == pytest.approx(2 * float(parameters.removesuffix(" B")), rel=0.03), name
        assert not fp8 or float(bf16) / 2 < float(fp8) < 0.7 * float(bf16), name


def test_every_sum_of_memory_is_right():
    sums = re.findall(r"([\d.]+) - ([\d.]+) - ([\d.]+) = ([\d.]+) GB", PAGE)
    assert len(sums) >= 12
    for usable, weights, rest, left in sums:
        assert float(usable) - float(weights) - float(rest) == pytest.approx(float(left), abs=0.51)
        assert any(0.92 * size == pytest.approx(float(usable), abs=0.06) for size in (16, 24, 48, 80, 141))
