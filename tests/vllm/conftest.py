"""Real vLLM on a CPU: servers with tiny models of random weights, and its own interpreter for work in process.

The environment is `.venv-vllm`, made by `make vllm`, or the one whose python `$TEST_VLLM_PYTHON` names.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image, ImageDraw

from agent.prompt import system_prompt
from captioning.tiny_checkpoints import TERSE, build_tiny_checkpoint
from embedding.tiny_models import tiny_decoder
from tools.registry import Registry

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 400.0
"""Seconds; 25 to 40 on two idle cores."""
# Noise that names handles, ends its sentences and its strings.
TALKATIVE = {
    **TERSE, "<|im_end|>": 8.5, "\u0120#": 11.5, "1": 11.5, "2": 10.0, ".": 11.0, '{"query": "': 9.5, '"}': 9.5,
    "{}": -9.0,
}  # fmt: skip
QUIET = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "OMP_NUM_THREADS": "1",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.vllm)
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(900))


_FIGURES: list[str] = []
_TITLE = "vLLM on this CPU, random weights: the plumbing's figures, of no model"


def note(figure: str) -> None:
    """Have a figure printed beside the outcome; none is ever asserted."""
    _FIGURES.append(figure)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):  # one of several processes: another prints
        session.config.workeroutput["figures"] = {_TITLE: _FIGURES}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _FIGURES:
        terminalreporter.section(_TITLE)
        for figure in _FIGURES:
            terminalreporter.write_line(figure)


@pytest.fixture(scope="session")
def figure() -> Callable[[str], None]:
    return note


@pytest.fixture(scope="session")
def vllm_python() -> Path:
    """The interpreter of an environment with vLLM."""
    named = os.environ.get("TEST_VLLM_PYTHON")
    python = Path(named) if named else ROOT / ".venv-vllm" / "bin" / "python"
    reason = ROOT / ".venv-vllm" / "reason.txt"
    if not named and reason.is_file():
        pytest.skip(f"no vLLM here: {reason.read_text().strip()}")
    if not python.is_file() or not (named or (ROOT / ".venv-vllm" / "ready").is_file()):
        pytest.skip(
            f"no vLLM here: {str(python)!r} is not there; `make vllm` makes it, $TEST_VLLM_PYTHON names another"
        )
    return python


@dataclass
class VllmServer:
    """A real server, and what it was told; `kill` and `start` as often as a test likes."""

    python: Path
    model: Path
    log: Path
    options: tuple[str, ...]
    port: int
    max_model_len: int
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    seconds: float = 0.0

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Start it and wait until it answers."""
        # fmt: off
        command = [
            str(self.python), "-m", "vllm.entrypoints.openai.api_server", "--model", str(self.model),
            "--served-model-name", "tiny", "--host", "127.0.0.1", "--port", str(self.port), "--dtype", "bfloat16",
            "--max-model-len", str(self.max_model_len), "--max-num-seqs", "16", "--enforce-eager", *self.options,
        ]
        # fmt: on
        began = time.monotonic()
        with self.log.open("ab") as log:
            # A session of its own: its engine and workers must go with it, whatever happens to the server.
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **QUIET, **self._loud}, start_new_session=True
            )
        while not self._healthy():
            if self.process.poll() is not None:
                pytest.fail(f"vLLM ended with {self.process.returncode}: {self.log.read_text()[-3000:]}")
            if time.monotonic() - began > STARTS_WITHIN:
                self.kill()
                pytest.fail(f"vLLM did not answer within {STARTS_WITHIN} s: {self.log.read_text()[-3000:]}")
            time.sleep(0.5)
        self.seconds = time.monotonic() - began

    def kill(self) -> None:
        """End the server and all of its processes at once, as a crash of the machine would."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
            self.process = None

    def stop(self) -> None:
        """End it in good order, and what is left of it by force."""
        if self.process is not None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(15)
        self.kill()

    def last_prompt(self) -> str:
        """Return the text of the last prompt as the engine got it: what the model was told."""
        from transformers import AutoTokenizer

        *_, ids = re.findall(r"prompt_token_ids: (\[[\d, ]+\])", self.log.read_text())
        text: str = AutoTokenizer.from_pretrained(self.model).decode(json.loads(ids))
        return text

    def answered(self) -> int:
        """Return how many requests it has finished since it was started."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as page:
            found = re.findall(r"^vllm:request_success_total\{.*\} ([\d.]+)$", page.read().decode(), re.MULTILINE)
        return int(sum(map(float, found)))

    @property
    def _loud(self) -> Mapping[str, str]:
        return {"VLLM_LOGGING_LEVEL": "DEBUG"} if "--enable-log-requests" in self.options else {}

    def _healthy(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=2):
            return True
        return False


@contextlib.contextmanager
def serving(python: Path, model: Path, log: Path, *options: str, max_model_len: int = 4096) -> Iterator[VllmServer]:
    """A server that has started, and that is gone afterwards."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = VllmServer(python, model, log, options, port, max_model_len)
    try:
        server.start()
        note(f"a server with {model.name} answered after {server.seconds:.0f} s")
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def checkpoints(vllm_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of tiny models by name; none is made where nothing would read it."""
    folder = tmp_path_factory.mktemp("tiny")
    # What begins a tool call is likely as well: what follows it is held to the tool's schema.
    calling = {**TERSE, "<tool_call>": 11.0}
    return {
        "qwen2_5_vl": build_tiny_checkpoint(folder / "qwen2_5_vl", "qwen2_5_vl", leaning=calling),
        "qwen3_vl": build_tiny_checkpoint(folder / "qwen3_vl", "qwen3_vl", leaning=TERSE),
        "qwen3_embedding": tiny_decoder(folder / "qwen3_embedding"),
    }


@pytest.fixture(scope="module", params=["qwen2_5_vl", "qwen3_vl"])
def vision_server(
    request: pytest.FixtureRequest,
    vllm_python: Path,
    checkpoints: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[VllmServer]:
    """A server that takes pictures and videos; one at a time, since each takes about 3 GB."""
    log = tmp_path_factory.mktemp("vision") / "server.log"
    # fmt: off
    options = (
        "--enable-auto-tool-choice", "--tool-call-parser", "hermes", "--trust-request-mm-kwargs",
        "--limit-mm-per-prompt", '{"image": 12, "video": 1}', "--enable-log-requests",
        # On a CPU a request with a seed of its own ends the engine when its prompt is read in two parts
        # ("CPU Generator does not use offset").
        "--no-enable-chunked-prefill", "--max-num-batched-tokens", "4096",
    )
    # fmt: on
    with serving(vllm_python, checkpoints[request.param], log, *options) as server:
        yield server


@pytest.fixture(scope="module")
def embedding_server(
    vllm_python: Path, checkpoints: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    """A server of text vectors."""
    log = tmp_path_factory.mktemp("embedding") / "server.log"
    options = ("--runner", "pooling", "--convert", "embed")
    with serving(vllm_python, checkpoints["qwen3_embedding"], log, *options, max_model_len=128) as server:
        yield server


@pytest.fixture(scope="module")
def agent_server(
    vllm_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Registry], VllmServer]]:
    """Return what starts the server of an agent's LLM, once, for a shop whose tools its tokenizer was made of.

    With a tokenizer of letters the schemas of the tools would take more tokens than anybody wants to wait for.
    """
    folder = tmp_path_factory.mktemp("agent")
    # fmt: off
    options = (
        "--enable-auto-tool-choice", "--tool-call-parser", "hermes", "--trust-request-mm-kwargs",
        "--limit-mm-per-prompt", '{"image": 4}', "--enable-log-requests",
        # A seed of its own and a prompt read in two parts end the engine on a CPU.
        "--no-enable-chunked-prefill", "--max-num-batched-tokens", "16384",
    )
    # fmt: on
    with contextlib.ExitStack() as stack:

        def start(registry: Registry) -> VllmServer:
            shop = registry.shop
            read = [json.dumps(registry.openai_tools()), system_prompt(shop.name, shop.catalog)]
            model = build_tiny_checkpoint(folder / "qwen3_vl", "qwen3_vl", leaning=TALKATIVE, read=read)
            log = folder / "server.log"
            return stack.enter_context(serving(vllm_python, model, log, *options, max_model_len=16384))

        yield start


@pytest.fixture
def in_process(vllm_python: Path, tmp_path: Path) -> Callable[[str, Mapping[str, Any]], dict[str, Any]]:
    """Return what runs a program of this folder in vLLM's own interpreter: JSON in, JSON out."""

    def run(program: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        # A file beside the log of the engine, whose processes write to standard output as they like.
        answer = tmp_path / "answer.json"
        path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        ran = subprocess.Popen(
            [str(vllm_python), str(Path(__file__).with_name(program)), str(answer)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env={**os.environ, **QUIET, "PYTHONPATH": os.pathsep.join(path)},
        )  # fmt: skip
        try:
            said, _ = ran.communicate(json.dumps(asked), timeout=600)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(ran.pid, signal.SIGKILL)
        # vLLM now and then aborts while it ends itself: the answer, which is written last, is what counts.
        assert ran.returncode in (0, -signal.SIGABRT) and answer.is_file(), said[-4000:]
        answered: dict[str, Any] = json.loads(answer.read_text())
        return answered

    return run


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Eight drawn posters."""
    folder = tmp_path_factory.mktemp("posters")
    for k in range(8):
        poster = Image.new("RGB", (200, 300), (30 * k, 200 - 20 * k, 90))
        draw = ImageDraw.Draw(poster)
        draw.ellipse((20, 40 + 10 * k, 140, 160 + 10 * k), fill=(250, 30 * k, 20))
        draw.text((20, 260), f"FILM {k}", fill="white")
        poster.save(folder / f"{k}.png")
    return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds at 25 frames a second: red, and from the second second on blue."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for at in range(100):
            picture = Image.new("RGB", (160, 120), "red" if at < 50 else "blue")
            ImageDraw.Draw(picture).rectangle((at, 40, at + 20, 60), fill="white")
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())
    return path
