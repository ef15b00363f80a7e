"""Runs one command in a session of its own and ends all of it when its parent is gone, however that ended.

Started as a file (`python -I keeper.py SECONDS COMMAND ...`), so it imports nothing of ours. Its standard input is a
pipe that the parent holds open: the end of it, by a clean stop or by SIGKILL of the parent, ends the command.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

LOOK_SECONDS = 0.2


def main(arguments: list[str]) -> int:
    """Run `arguments[1:]`, give it `arguments[0]` seconds to end when told to, and return its exit status."""
    patience, command = float(arguments[0]), arguments[1:]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the pipe alone says when it is over
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_as_usual)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127
    while child.poll() is None:
        readable, _, _ = select.select([sys.stdin], [], [], LOOK_SECONDS)
        if readable and not os.read(sys.stdin.fileno(), 1):
            end(child, patience)
    end(child, 0)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def end(child: subprocess.Popen[bytes], patience: float) -> None:
    """End a command and every process of its session: asked first, by force when it takes too long."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        until = time.monotonic() + patience
        while child.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)  # engine and workers that a crash of the server left
    child.wait()


def _as_usual() -> None:
    """Undo for the command what the keeper ignores."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
