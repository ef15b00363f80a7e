"""The command of the service `vllm` in `compose.yaml`: vLLM's own parser reads it, and a server runs by it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
SERVICE: dict[str, Any] = YAML(typ="safe").load(ROOT / "compose.yaml")["services"]["vllm"]
PARSE = """
import json, sys
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser
found = make_arg_parser(FlexibleArgumentParser()).parse_args(sys.argv[1:])
validate_parsed_serve_args(found)
names = "model_tag served_model_name host port max_model_len enable_auto_tool_choice tool_call_parser".split()
print(json.dumps({name: getattr(found, name) for name in names}))
"""
# `vllm serve`, the image's entry point, looks for a distribution called vllm; the one for a CPU bears another name.
SERVE = """
import os, sys
server = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", sys.argv[1], *sys.argv[2:]]
os.execv(sys.executable, server)
"""
ON_A_CPU = ["--dtype=bfloat16", "--enforce-eager", "--max-num-seqs=4"]
QUIET = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}


def words() -> list[str]:
    """The command with the default of `${VLLM_MODEL:-...}` in its place."""
    return [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in SERVICE["command"]]


def test_its_own_parser_reads_it(vllm_python: Path) -> None:
    ran = subprocess.run(
        [vllm_python, "-c", PARSE, *words()], env={**os.environ, **QUIET}, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "model_tag": "Qwen/Qwen3-VL-8B-Instruct", "served_model_name": ["shopkeeper"], "host": "0.0.0.0",
        "port": 8000, "max_model_len": 16384, "enable_auto_tool_choice": True, "tool_call_parser": "hermes",
    }  # fmt: skip


def test_a_server_runs_by_it(vllm_python: Path, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """A tiny model in the place of the hub's, loopback and a free port in that of the network."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {"--host=0.0.0.0": "--host=127.0.0.1", "--port=8000": f"--port={port}"}
    command = [str(checkpoints["qwen3_vl"]), *(places.get(word, word) for word in words()[1:])]
    log = tmp_path / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [vllm_python, "-c", SERVE, *command, *ON_A_CPU], stdout=out, stderr=out, start_new_session=True,
            # The tiny model was made for 8,192 tokens.
            env={**os.environ, **QUIET, "OMP_NUM_THREADS": "1", "VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"},
        )  # fmt: skip
    how, *check = SERVICE["healthcheck"]["test"]
    assert how == "CMD"
    asked = [word.replace("127.0.0.1:8000", f"127.0.0.1:{port}") for word in check]
    try:
        end = time.monotonic() + 400
        while subprocess.run(asked, capture_output=True).returncode:
            assert server.poll() is None and time.monotonic() < end, log.read_text()[-3000:]
            time.sleep(1)
        tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
        said = {"role": "user", "content": "a vase"}
        body = {"model": "shopkeeper", "messages": [said], "tools": [tool], "max_tokens": 8}
        answer = httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, timeout=120)
        assert answer.status_code == 200 and answer.json()["model"] == "shopkeeper", answer.text
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
