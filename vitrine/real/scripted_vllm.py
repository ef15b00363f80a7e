"""A stand-in for `vllm serve`: the same command line, the servers of the package's doubles behind it.

`real.vllm = ["python", "-m", "vitrine.real.scripted_vllm", "serve"]` puts it in vLLM's place. It reads the folder's
config.json as vLLM would, and writes a line for each request, so that a test can count what was asked.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from batch.scripted_http import ScriptedServer
from captioning.seeing_server import SeeingServer, pictures_of
from embedding.scripted_server import EmbeddingServer

DIES = "SCRIPTED_VLLM_DIES"
"""Environment variable: the server ends at once with this as its last word."""


class _Seeing(SeeingServer):
    def next_act(self, request: dict[str, Any]) -> str:
        _note(f"chat {len(pictures_of(request))} pictures {'caption' if _asks_caption(request) else 'other'}")
        return super().next_act(request)


class _Embedding(EmbeddingServer):
    def next_act(self, request: dict[str, Any]) -> str:
        _note(f"embed {len(request['input'])} texts")
        return super().next_act(request)


def main(arguments: Sequence[str]) -> None:
    """Serve until told to end."""
    if last_word := os.environ.get(DIES):
        sys.exit(f"RuntimeError: {last_word}")
    word, folder, *flags = arguments
    if word != "serve":
        sys.exit(f"no such command: {word}")
    given = dict(pairwise(flags))
    config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    width = int((config.get("text_config") or config)["hidden_size"])
    kind: type[ScriptedServer] = _Embedding if given.get("--runner") == "pooling" else _Seeing
    name, at = given["--served-model-name"], {"port": int(given["--port"]), "models": (given["--served-model-name"],)}
    placed = type(kind.__name__, (kind,), at)
    with placed(width) if kind is _Embedding else placed(model=name):
        _note(f"serving {name} on {given['--port']}")
        while True:
            time.sleep(3600)


def _asks_caption(request: dict[str, Any]) -> bool:
    form = request.get("response_format") or {}
    return "caption" in form.get("json_schema", {}).get("schema", {}).get("properties", {})


def _note(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
