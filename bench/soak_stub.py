"""The LLM of a soak, in a process of its own: it may be killed, hang, and answer garbage.

    python -m bench.soak_stub PORT

Lines on standard input choose how it behaves: a persona of `agent.scripted_minds`, or `rubbish`, which is nothing that
a model would answer.
"""

from __future__ import annotations

import random
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from typing import Any, get_args

from agent.scripted_minds import Persona
from agent.scripted_server import ScriptedServer
from catalog.errors import ServiceError

RUBBISH = "rubbish"


class _Rubbish(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer bytes that mean nothing, in the middle of which the connection ends."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"data: {" + random.Random(1).randbytes(2000))
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep quiet."""


class Stub:
    """The process, seen from the driver.

    Args:
        port: Where it listens; 0 takes a free one and keeps it over restarts.
    """

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._process: subprocess.Popen[str] | None = None
        self.start()

    @property
    def base_url(self) -> str:
        """What `agent.llm.base_url` is."""
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        """Start it; back when it listens."""
        command = [sys.executable, "-m", "bench.soak_stub", str(self.port)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ServiceError(f"the LLM stub did not come up on port {self.port}")
        self.port = int(line)

    def behave(self, how: str) -> None:
        """Let it behave so from now on."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(f"{how}\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """Kill it; whoever waits for an answer sees the connection end."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process = None


def main() -> None:
    """Serve until standard input ends."""
    with ScriptedServer("obedient", port=int(sys.argv[1])) as server:
        print(server.server_address[1], flush=True)
        models = server.RequestHandlerClass
        for line in sys.stdin:
            how = line.strip()
            server.RequestHandlerClass = _Rubbish if how == RUBBISH else models
            if how in get_args(Persona):
                server.persona = how  # type: ignore[assignment]


if __name__ == "__main__":
    main()
