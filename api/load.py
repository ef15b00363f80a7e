"""Back-pressure: so many requests at once, so many that wait a moment, and a clear refusal for the others."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass, field
from typing import Literal, get_args

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.load_config import LaneConfig, LoadConfig
from api.metrics import Metrics
from api.problems import problem, problem_response

LaneName = Literal["chat", "events", "writes", "answers"]
CHAT_DOORS = ("/v1/chat", "/v1/audio/")


def lane_of(path: str, method: str = "POST") -> LaneName | None:
    """Return which room a request takes; the page, health and metrics take none, so they answer under any load."""
    if path.startswith(CHAT_DOORS):
        return "chat"
    if path.startswith("/v1/events"):
        return "events"
    if path.startswith("/v1/items/") and method in ("PUT", "DELETE"):
        return "writes"
    return "answers" if path.startswith(("/v1/", "/mcp")) else None


class Lane:
    """The room of one kind of request; first come, first served. Used in one event loop."""

    def __init__(self, config: LaneConfig) -> None:
        self._config = config
        self.at_work = 0
        self._line: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._line)

    async def enter(self) -> Literal["", "full", "waited"]:
        """Take a place; return why there was none."""
        if self.at_work < self._config.at_once:
            self.at_work += 1
            return ""
        if len(self._line) >= self._config.waiting:
            return "full"
        place = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            # Who leaves hands the place on; it is counted all the while.
            await asyncio.wait_for(place, self._config.seconds)
        except TimeoutError:
            return "waited"
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()  # the place was given in the moment its taker went
            raise
        finally:
            if place in self._line:
                self._line.remove(place)
        return ""

    def leave(self) -> None:
        """Give the place to whoever waits longest, or free it."""
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_result(None)
                return
        self.at_work -= 1


@dataclass
class Bounded:
    """An ASGI layer.

    Attributes:
        app: What answers once there is room.
        config: How much room.
        metrics: Told how full the lanes are.
    """

    app: ASGIApp
    config: LoadConfig
    metrics: Metrics
    lanes: dict[LaneName, Lane] = field(init=False)

    def __post_init__(self) -> None:
        self.lanes = {name: Lane(getattr(self.config, name)) for name in get_args(LaneName)}
        for name in self.lanes:
            self.metrics.expect(name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on when there is room, or refuse it."""
        name = lane_of(scope["path"], scope["method"]) if scope["type"] == "http" else None
        if name is None:
            await self.app(scope, receive, send)
            return
        lane = self.lanes[name]
        if lane.at_work >= getattr(self.config, name).at_once:
            self.metrics.occupied(name, lane.at_work, lane.waiting + 1)
        reason = await lane.enter()
        if reason:
            self.metrics.refused(name, reason)
            await self._refuse(name, Request(scope), receive, send)
            return
        self.metrics.occupied(name, lane.at_work, lane.waiting)
        try:
            await self.app(scope, receive, send)
        finally:
            lane.leave()
            self.metrics.occupied(name, lane.at_work, lane.waiting)

    async def _refuse(self, name: LaneName, request: Request, receive: Receive, send: Send) -> None:
        seconds = max(1, math.ceil(getattr(self.config, name).seconds))
        body = problem(503, f"too much is asked at once; try again in {seconds} s")
        await problem_response(request, body, {"Retry-After": str(seconds)})(request.scope, receive, send)
