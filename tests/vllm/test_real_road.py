"""The road to reality with the real vLLM: three servers of tiny models, started, used and ended by the road itself."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from vitrine.real.scripted_category import category_host
from vitrine.real.scripted_hub import ScriptedHub

FLAGS = ["--dtype", "bfloat16", "--enforce-eager"]
# A seed of its own and a prompt read in two parts end the engine on a CPU.
WHOLE = ["--no-enable-chunked-prefill", "--max-num-batched-tokens", "8192"]
# `vllm serve` looks for a distribution called vllm, and the one for a CPU bears another name; the server is the same.
SERVE = """
import os, sys
server = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", sys.argv[1], *sys.argv[2:]]
os.execv(sys.executable, server)
"""
FAST = '{"lirdrec": {"max_epochs": 2, "epochs": 2, "dim": 8}}'


def test_the_whole_road_with_real_servers(vllm_python: Path, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    models = {
        "tiny/eyes": checkpoints["qwen3_vl"],
        "tiny/words": checkpoints["qwen3_embedding"],
        "tiny/mind": checkpoints["qwen2_5_vl"],
    }
    command = [str(vllm_python), "-c", SERVE]
    flags = {"captions": [*FLAGS, *WHOLE], "embeddings": FLAGS, "agent": [*FLAGS, *WHOLE]}
    with ScriptedHub(models) as hub, category_host("All_Beauty", items=8, users=16, each=6) as host:
        settings = [
            f"real.vllm={json.dumps(command)}", "real.device=cpu", f"real.flags={json.dumps(flags)}",
            f"real.data={tmp_path / 'data'}", f"models.overrides={FAST}", "captions.probe=off",
            # Random weights say no captions: what they say is kept and reported.
            "captions.mllm.checks=report", "captions.mllm.max_tokens=1500", "captions.openai.temperature=1.0",
            "captions.openai.seed=3", "captions.openai.max_pixels=16384", "captions.openai.frame_pixels=4096",
            'media.allow_hosts=["127.0.0.1"]', f"media.ports=[{host.port}]",
        ]  # fmt: skip
        ran = subprocess.run(
            [
                sys.executable, "-m", "vitrine", "real", "All_Beauty", "--captioner", "tiny/eyes", "--embedder",
                "tiny/words", "--llm", "tiny/mind", "--from", host.url(""), "--store", str(tmp_path / "store"),
                "--yes", "--no-serve", *(word for each in settings for word in ("--set", each)),
            ],
            cwd=tmp_path, text=True, capture_output=True, timeout=850,
            env={**os.environ, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hub"), "VLLM_CPU_KVCACHE_SPACE": "1",
                 "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0, said[-4000:]
    assert said.count(" server: answers after ") == 4 and said.count(" server: ended") == 4
    assert "captions/eyes: 8 done, 0 reused" in said
    assert "embeddings/caption-eyes-words: 8 done" in said
    assert "health: ready, 8 items" in said
    assert re.search(r"^recommended to 'U\d+': .+\n  \S+", said, re.MULTILINE)
