"""One listener, several processes: connections that come in one moment are shared among them."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable

log = logging.getLogger("vitrine.api")

PAUSE_SECONDS = 0.002
"""From one connection to the next that the same process takes, in which the others wake up and take theirs: an event
loop of its own accord takes a whole burst before another process has even been scheduled."""
SHORT_OF_SECONDS = 1.0
"""From a connection that could not be taken, for want of file descriptors or memory, to the next try."""


class Acceptor:
    """Takes connections from a listener that other processes may share; what uvicorn has as a server.

    A process that is busy or stopped takes none, so they wait where another can take them.

    Args:
        listener: Listening; closed by whoever gave it.
        protocol: Makes the protocol of one connection.
    """

    def __init__(self, listener: socket.socket, protocol: Callable[[], asyncio.Protocol]) -> None:
        self._listener, self._protocol = listener, protocol
        self._loop = asyncio.get_running_loop()
        self._taking: set[asyncio.Task[object]] = set()
        self._timer: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Take no further connection."""
        if self._timer is not None:
            self._timer.cancel()
        self._loop.remove_reader(self._listener)

    async def wait_closed(self) -> None:
        """Wait for connections that are just being taken."""
        await asyncio.gather(*self._taking, return_exceptions=True)

    def _listen(self) -> None:
        self._timer = None
        self._loop.add_reader(self._listener, self._take)

    def _take(self) -> None:
        pause = PAUSE_SECONDS
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was first, or the caller went away
        except OSError as error:
            log.error("connection not taken reason=%r; the next try in %g s", str(error), SHORT_OF_SECONDS)
            pause = SHORT_OF_SECONDS
        else:
            connection.setblocking(False)
            task = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, connection))
            self._taking.add(task)
            task.add_done_callback(self._taking.discard)
        self._loop.remove_reader(self._listener)
        self._timer = self._loop.call_later(pause, self._listen)
