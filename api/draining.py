"""A server that says it is going before it goes, and lets running answers end."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from types import FrameType

import uvicorn

from api.accepting import Acceptor
from api.config import ApiConfig
from api.readiness import Readiness
from api.wire_head import BoundedHead

log = logging.getLogger("vitrine.api")


class DrainingServer(uvicorn.Server):
    """On SIGTERM: `/health/ready` says 503, requests are taken a moment longer, then running answers end in time.

    Args:
        config: Uvicorn's.
        readiness: Told of the phase; ends the streams.
        limits: How long each step may take.
    """

    def __init__(self, config: uvicorn.Config, readiness: Readiness, limits: ApiConfig) -> None:
        super().__init__(config)
        self._readiness, self._limits = readiness, limits
        self._notice = 0.0

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; whoever presses Ctrl-C wants no notice given."""
        if sig == signal.SIGTERM and not self.should_exit:
            self._notice = self._limits.drain_notice_seconds
        elif self.should_exit:
            self._notice = 0.0
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the shop, then take connections, in turn with whoever else listens there."""
        await super().startup(sockets=[])

        def protocol() -> asyncio.Protocol:
            return BoundedHead(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

        # Uvicorn does nothing with its servers but close them, and wait for that.
        self.servers = [Acceptor(each, protocol) for each in sockets or []]  # type: ignore[misc]

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Give notice, take nothing more, wait for what runs, and end what does not end."""
        loop, seconds = asyncio.get_running_loop(), self._limits.drain_seconds
        if self._readiness.phase == "ready":
            self._readiness.phase = "draining"
            until = loop.time() + self._notice
            while loop.time() < until and self._notice and not self.force_exit:
                await asyncio.sleep(0.05)
        goodbye = loop.call_later(seconds - min(1.0, seconds / 4), self._end_streams)
        try:
            await super().shutdown(sockets)
        finally:
            goodbye.cancel()

    def _end_streams(self) -> None:
        if ended := self._readiness.end_streams():
            log.warning("streams ended by the server count=%d", ended)
