"""What the road needs of the world, on loopback: a category's host, a hub with tiny checkpoints, no real vLLM."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from captioning.tiny_checkpoints import build_tiny_checkpoint
from catalog.media.scripted_host import ScriptedHost
from embedding.tiny_models import tiny_decoder
from vitrine.real.scripted_category import category_host
from vitrine.real.scripted_hub import ScriptedHub

STAND_IN = (sys.executable, "-m", "vitrine.real.scripted_vllm", "serve")
MODELS = ("--captioner", "tiny/Qwen-VL", "--embedder", "tiny/Qwen-Embedding", "--llm", "tiny/Qwen-Chat")
FAST = '{"lirdrec": {"max_epochs": 2, "epochs": 2, "dim": 8}}'

KILLED = """
import os, signal, sys
from vitrine.cli import main
from vitrine.real.state import State

finish, moment = State.finish, os.environ["DIES"]

def deadly(self, step, *rest):
    if moment == f"before {step}":
        os.kill(os.getpid(), signal.SIGKILL)
    finish(self, step, *rest)
    if moment == f"after {step}":
        os.kill(os.getpid(), signal.SIGKILL)

State.finish = deadly
main(sys.argv[1:])
"""
"""The command, killed around the moment a step is noted as done."""


@dataclass
class World:
    """The hosts, and the command that walks among them."""

    folder: Path
    hub: ScriptedHub
    host: ScriptedHost

    @property
    def store(self) -> Path:
        return self.folder / "store"

    @property
    def arguments(self) -> list[str]:
        return [
            "real", "All_Beauty", *MODELS, "--from", self.host.url(""), "--store", str(self.store),
            "--set", f"real.vllm={json.dumps(STAND_IN)}", "--set", "real.device=cpu",
            "--set", f"real.data={self.folder / 'data'}", "--set", f"models.overrides={FAST}",
            "--set", 'media.allow_hosts=["127.0.0.1"]', "--set", f"media.ports=[{self.host.port}]",
        ]  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("VITRINE_", "HF_"))}
        return {**kept, "HF_ENDPOINT": self.hub.url, "HF_HOME": str(self.folder / "hub"), "OMP_NUM_THREADS": "1"}

    def start(self, *more: str, dies: str | None = None) -> subprocess.Popen[str]:
        """Start the command in a process of its own."""
        code = ["-c", KILLED] if dies else ["-m", "vitrine"]
        return subprocess.Popen(
            [sys.executable, *code, *self.arguments, *more], cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**self.environment, "DIES": dies or ""},
        )  # fmt: skip

    def walk(self, *more: str, dies: str | None = None) -> tuple[int, str]:
        """Run the command and return its exit status and what it said."""
        process = self.start(*more, dies=dies)
        said, _ = process.communicate(timeout=240)
        return process.returncode, said

    def logged(self, role: str) -> list[str]:
        """Return what a server of the road has written in all runs."""
        log = self.store / "real" / "logs" / f"{role}.log"
        return log.read_text().splitlines() if log.is_file() else []


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny models of random weights by the name the hub has them under."""
    folder = tmp_path_factory.mktemp("checkpoints")
    return {
        "tiny/Qwen-VL": build_tiny_checkpoint(folder / "vl"),
        "tiny/Qwen-Embedding": tiny_decoder(folder / "embedding"),
        "tiny/Qwen-Chat": build_tiny_checkpoint(folder / "chat", "qwen3_vl"),
    }


@pytest.fixture
def hub(checkpoints: dict[str, Path]) -> Iterator[ScriptedHub]:
    with ScriptedHub(checkpoints) as hub:
        yield hub


@pytest.fixture
def world(tmp_path: Path, hub: ScriptedHub) -> Iterator[World]:
    with category_host("All_Beauty") as host:
        yield World(tmp_path, hub, host)
