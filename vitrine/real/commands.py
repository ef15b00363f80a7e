"""The exact command of each model server, as docs/models.md has them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from vitrine.real.checkpoints import Checkpoint
from vitrine.real.config import RealConfig, Role
from vitrine.real.memory import USABLE, Placement

WINDOW: dict[Role, int] = {"captions": 8_192, "embeddings": 4_096, "agent": 16_384}
"""Tokens of one request, `--max-model-len`, unless the model reads fewer."""
BATCHED: dict[Role, int] = {"captions": 8_192, "embeddings": 16_384, "agent": 8_192}
PICTURES = 12
"""Pictures a request may hold: the frames of a video."""
QUIET = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1"}
"""Environment of every server: nothing is fetched and nothing is told to anybody."""


def program(config: RealConfig) -> str | None:
    """Return the program that starts a server: beside this Python or on the PATH; None where it is neither."""
    named = config.vllm[0]
    beside = Path(sys.executable).parent / named
    return str(beside) if "/" not in named and beside.is_file() else shutil.which(named)


def window(role: Role, model: Checkpoint) -> int:
    """Return how many tokens a request may hold."""
    return min(WINDOW[role], model.positions)


def server_command(
    role: Role, model: Checkpoint, folder: Path, place: Placement, config: RealConfig, port: int
) -> list[str]:
    """Return the words of a server's command.

    Args:
        role: Its job.
        model: What it serves.
        folder: The model's files.
        place: Which part of which GPUs.
        config: Names the program and further flags.
        port: Of loopback, where it is to listen.
    """
    named = [program(config) or config.vllm[0], *config.vllm[1:], str(folder), "--served-model-name", model.name]
    words = [
        *named, "--host", "127.0.0.1", "--port", str(port),
        "--max-model-len", str(window(role, model)), "--max-num-seqs", str(place.sequences),
    ]  # fmt: skip
    if config.device == "gpu":  # a vLLM for processors has defaults of its own
        words += ["--max-num-batched-tokens", str(max(BATCHED[role], window(role, model)))]
    if role == "captions":
        limit = json.dumps({"image": PICTURES, "video": 0})
        words += ["--limit-mm-per-prompt", limit, "--mm-processor-cache-gb", "0", "--generation-config", "vllm"]
    if role == "embeddings":
        words += ["--runner", "pooling"]
    if role == "agent":
        words += [
            "--enable-prefix-caching", "--enable-auto-tool-choice", "--tool-call-parser",
            config.tool_parser or model.tool_parser, "--generation-config", "vllm",
        ]  # fmt: skip
        if model.sees:
            words += ["--limit-mm-per-prompt", json.dumps({"image": 0, "video": 0})]
        if model.thinks:  # a shopper would wait for it
            no_thinking = json.dumps({"enable_thinking": False})
            words += ["--reasoning-parser", "qwen3", "--default-chat-template-kwargs", no_thinking]
        if "gpt_oss" in model.kind:
            words += ["--reasoning-parser", "openai_gptoss"]
    if place.share != USABLE:
        words += ["--gpu-memory-utilization", f"{place.share:.2f}"]
    if place.replicas > 1:
        words += ["--data-parallel-size", str(place.replicas)]
    if place.slices > 1:
        words += ["--tensor-parallel-size", str(place.slices)]
    return [*words, *config.flags.get(role, ())]


def server_environment(place: Placement) -> dict[str, str]:
    """Return what is added to the environment of a server."""
    devices = {"CUDA_VISIBLE_DEVICES": ",".join(map(str, place.devices))} if place.devices else {}
    return {**QUIET, **devices}
