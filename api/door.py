"""An application that answers from the first moment: it says that the shop is being opened, until it is the shop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api import opening_page
from api.problems import problem, problem_response
from api.readiness import Readiness
from api.request_ids import HEADER, request_id_from
from api.service import Service

LATER = {"Retry-After": str(opening_page.SECONDS)}


@dataclass
class Door:
    """An ASGI application; `readiness` goes from `starting` to `ready` when models and indexes are loaded and warm.

    Attributes:
        load: Opens the shop; runs in a thread.
        make: Puts it on the wire.
        readiness: Told when it is ready.
        opened: Called with the shop when it is ready.
        failed: Called when it cannot be opened; `failure` then says why.
        quiet: Let the server listen only when the shop is open: others answer at this address meanwhile.
    """

    load: Callable[[], Service]
    make: Callable[[Service], FastAPI]
    readiness: Readiness
    opened: Callable[[Service], None]
    failed: Callable[[], None]
    quiet: bool = False
    service: Service | None = None
    failure: BaseException | None = None
    _app: ASGIApp | None = field(init=False, default=None)
    _settled: asyncio.Event = field(init=False, default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or say that the shop is not open yet."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._not_yet(Request(scope), receive, send)

    async def _not_yet(self, request: Request, receive: Receive, send: Send) -> None:
        answer: Response
        request.state.request_id = request_id_from(request.headers.get(HEADER, ""))
        if request.url.path == "/health/live":
            answer = JSONResponse({"status": "live"})
        elif request.url.path == "/health/ready":
            answer = JSONResponse({"status": self.readiness.phase}, 503, LATER)
        elif opening_page.is_for(request.url.path, request.headers.get("accept", "")):
            answer = Response(opening_page.PAGE, 503, opening_page.HEADERS)
        else:
            answer = problem_response(request, problem(503, "the shop is being opened; try again in 2 s"), LATER)
        answer.headers[HEADER] = request.state.request_id
        await answer(request.scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Open the shop beside the server and close it after; one task holds what the application opens."""
        await receive()
        stop = asyncio.Event()
        task = asyncio.create_task(self._open(stop))
        if self.quiet:
            await self._settled.wait()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        stop.set()
        if self._app is None:
            task.cancel()  # still loading: its thread ends with the process
        await asyncio.gather(task, return_exceptions=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def _open(self, stop: asyncio.Event) -> None:
        try:
            self.service = await _in_thread(self.load)
            await self.service.agent.warm()
            app = self.make(self.service)
            async with app.router.lifespan_context(app):
                self._app = app
                self._settled.set()
                if self.readiness.phase == "starting":
                    self.readiness.phase = "ready"
                    self.opened(self.service)
                await stop.wait()
        except asyncio.CancelledError:
            raise
        # Whatever it is, it is raised again where the server was started.
        except BaseException as error:  # noqa: BLE001
            self._app, self.failure = None, error
            self.failed()
            self._settled.set()


async def _in_thread(load: Callable[[], Service]) -> Service:
    """Run `load` in a thread that nobody waits for when the process is told to stop."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[Service] = loop.create_future()

    def settle(service: Service | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        elif service is not None:
            result.set_result(service)

    def run() -> None:
        service, failure = None, None
        try:
            service = load()
        except BaseException as error:  # noqa: BLE001
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, service, failure)

    threading.Thread(target=run, name="open-shop", daemon=True).start()
    return await result
