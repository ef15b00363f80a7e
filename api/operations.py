"""Health, metrics and traces: for those who run the shop."""

from __future__ import annotations

from typing import Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Response
from pydantic import BaseModel

from agent.explanation_trace import explained_in
from api.fields import ExternalId
from api.keys import Doorkeeper
from api.metrics import CONTENT_TYPE, Metrics
from api.readiness import Readiness
from api.service import Service


class Ready(BaseModel):
    """Whether the shop can answer, and what is at work behind each default."""

    status: str
    shop: str
    items: int
    active: dict[str, str]
    access: str


def operation_routes(service: Service, readiness: Readiness, metrics: Metrics, keys: Doorkeeper) -> APIRouter:
    """Return the router of health, metrics and traces.

    Health asks for no thread, and metrics have one of their own: those that answers share may all wait for a database.
    """
    router, own = APIRouter(tags=["operations"]), CapacityLimiter(1)

    @router.get("/health/live", summary="Whether the process answers")
    async def live() -> dict[str, str]:
        """Answer without looking at anything."""
        return {"status": "live"}

    @router.get("/health/ready", summary="Whether the shop can answer, and with what")
    async def ready(response: Response) -> Ready:
        """Say which implementation of every default is active; `access` is `open` when no key is asked for.

        503 with the status `draining` once the server was told to stop: send it nothing more.
        """
        if readiness.phase != "ready":
            response.status_code = 503
            response.headers["Retry-After"] = "1"
        now = service.now()
        return Ready(
            status=readiness.phase,
            shop=service.shop.name,
            items=len(now.shop.catalog),
            active={**now.shop.active, **now.active},
            access="keys" if keys else "open",
        )

    @router.get("/metrics", include_in_schema=False)
    async def told() -> Response:
        """Tell Prometheus, of all workers."""
        return Response(await to_thread.run_sync(metrics.text, limiter=own), media_type=CONTENT_TYPE)

    @router.get("/v1/traces/{trace_id:id}", summary="How an answer came about")
    def trace(trace_id: ExternalId) -> dict[str, Any]:
        """Return intent, tool calls, candidates by source, features and drops of one answer."""
        return service.shop.events.trace(trace_id)

    @router.get("/v1/traces/{trace_id:id}/items/{item_id:id}", summary="Why an item stood in an answer")
    def evidence(trace_id: ExternalId, item_id: ExternalId) -> dict[str, Any]:
        """Return the whole evidence of one item: signals from 0 to 1, words with their positions, dated events,
        features of the ranker.
        """
        shop = service.now().shop
        return explained_in(shop, shop.events.trace(trace_id), item_id)

    return router
