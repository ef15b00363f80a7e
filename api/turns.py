"""One turn of the agent as a stream that always ends in `Done`, whatever happens inside."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from agent.base import AgentEvent, Answer, ChatRequest, Done, Problem, Recommendations, ShownRecommendation
from api.problems import status_of, told
from api.readiness import Readiness
from api.service import Service
from api.sessions import Sessions
from catalog.errors import ServiceError, VitrineError

log = logging.getLogger("vitrine.api")

APOLOGY = "I am sorry, something went wrong on my side. Please try again."


GOODBYE = "The shop is closing for a moment. Please say that again."


@dataclass(frozen=True)
class _Ending:
    """The server's time is over."""


@dataclass(frozen=True)
class KeepAlive:
    """Nothing happened for a while."""


@dataclass(frozen=True)
class Turns:
    """Runs turns for the chat doors, and keeps conversations with those who hold them."""

    service: Service
    sessions: Sessions
    readiness: Readiness = field(default_factory=Readiness)

    async def stream(self, request: ChatRequest, tenant: str) -> AsyncIterator[AgentEvent | KeepAlive]:
        """Give the events of a turn; the last is `Done`, after a `Problem` too."""
        try:
            admitted, foreign = await self.sessions.admit(request, tenant, self.service.now().agent.owners)
        except ServiceError as error:  # where conversations rest does not answer
            problem = Problem(HTTPStatus(503).phrase, told(error), 503)
            yield problem
            yield _failed(request, problem.detail)
            return
        async for event in self._relayed(admitted):
            if isinstance(event, Done):
                self.sessions.bind(event.answer, admitted, tenant)
                answer = replace(event.answer, recommendations=self._still_sold(event.answer.recommendations))
                yield Done(restarted(answer, request) if foreign else answer)
                return
            if isinstance(event, Recommendations):
                event = replace(event, items=self._still_sold(event.items))
            yield event

    async def answer(self, request: ChatRequest, tenant: str) -> Answer:
        """Give the whole answer of a turn."""
        admitted, foreign = await self.sessions.admit(request, tenant, self.service.now().agent.owners)
        answer = await self.service.now().agent.answer(admitted)
        self.sessions.bind(answer, admitted, tenant)
        answer = replace(answer, recommendations=self._still_sold(answer.recommendations))
        return restarted(answer, request) if foreign else answer

    def _still_sold(self, items: tuple[ShownRecommendation, ...]) -> tuple[ShownRecommendation, ...]:
        """Leave out what was deleted while the answer was thought of."""
        live = self.service.live
        left = [item for item in items if live is None or not live.gone(item.item_id)]
        if len(left) == len(items):
            return items
        return tuple(replace(item, rank=rank) for rank, item in enumerate(left, start=1))

    async def _relayed(self, request: ChatRequest) -> AsyncIterator[AgentEvent | KeepAlive]:
        """Give the events of a turn, and a goodbye in their place when the server has no more time."""
        try:
            async for event in relay(self._events(request), self.service.config.keep_alive_seconds, self.readiness):
                yield event
        except ServiceError as error:
            log.warning("turn ended with the server session_id=%s", request.session_id)
            yield Problem(HTTPStatus(503).phrase, str(error), 503)
            yield _failed(request, str(error))

    async def _events(self, request: ChatRequest) -> AsyncIterator[AgentEvent]:
        try:
            async for event in self.service.now().agent.turn(request):
                yield event
                if isinstance(event, Done):
                    return
            log.error("turn ended without done session_id=%s", request.session_id)
            problem = Problem("Internal Server Error", APOLOGY)
        except VitrineError as error:
            log.warning("turn failed error=%s", type(error).__name__)
            status = status_of(error)
            problem = Problem(HTTPStatus(status).phrase, told(error), status)
        # The turn boundary: a stream that has begun cannot become a 500, so a bug is logged here, once.
        except Exception:
            log.exception("turn failed")
            problem = Problem("Internal Server Error", APOLOGY)
        yield problem
        yield _failed(request, problem.detail)


def _failed(request: ChatRequest, detail: str) -> Done:
    session_id = request.session_id or uuid.uuid4().hex
    return Done(Answer("error", detail, (), session_id, uuid.uuid4().hex, ""))


def restarted(answer: Answer, request: ChatRequest) -> Answer:
    """Return `answer` saying that it begins a new conversation."""
    note = f"The session {request.session_id!r} is not yours to continue, so this is a new conversation."
    return replace(answer, session_restarted=True, disclosures=(*answer.disclosures, note))


async def relay(
    events: AsyncIterator[AgentEvent], seconds: float, readiness: Readiness | None = None
) -> AsyncIterator[AgentEvent | KeepAlive]:
    """Pass events on, with a `KeepAlive` for every `seconds` of silence; closing it stops the source.

    The source runs in one task of its own, so that what it holds (scopes, context) opens and closes in one place.

    Raises:
        ServiceError: When the server stops and waits no longer.
    """
    queue: asyncio.Queue[AgentEvent | _Ending | None] = asyncio.Queue()

    async def pump() -> None:
        try:
            async for event in events:
                queue.put_nowait(event)
        finally:
            queue.put_nowait(None)

    task = asyncio.create_task(pump())
    streams = ExitStack()
    streams.enter_context((readiness or Readiness()).streaming(lambda: queue.put_nowait(_Ending())))
    try:
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), seconds)
            except TimeoutError:
                yield KeepAlive()
                continue
            if isinstance(event, _Ending):
                raise ServiceError(GOODBYE, retryable=True)
            if event is None:
                break
            yield event
        await task
    finally:
        streams.close()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
