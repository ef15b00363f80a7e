"""The application: every door of the house, behind one guard."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from api.addresses import WholeSegments, know_ids
from api.audio import audio_routes
from api.audit import AUDIT_FOLDER, AuditLog
from api.bodies import WholeBodies
from api.chat import chat_routes
from api.completions import completion_routes
from api.document import add_document
from api.events import event_routes
from api.facets import facet_routes
from api.guard import SECURITY_HEADERS, Guard
from api.item_writes import item_write_routes
from api.items import item_routes
from api.keys import Doorkeeper, Keys
from api.limits import RATE_FILE, RateLimit
from api.load import Bounded
from api.mcp_routes import McpDoor
from api.metrics import Metrics
from api.observed import Observed
from api.operations import operation_routes
from api.pictures import Pictures
from api.pinned import Pinned
from api.problems import add_problem_handlers, takes
from api.quota import QUOTA_FILE, DailyQuota
from api.readiness import Readiness
from api.scopes import door_of
from api.search import search_routes
from api.service import Service
from api.sessions import Sessions
from api.tool_routes import tool_routes
from api.tracing import tracing_of
from api.turns import Turns
from api.users import user_routes
from api.window import window_routes

VERSION = "1.0.0"
"""Of the wire, not of the package: the first number changes when a field is taken away."""


def create_app(
    service: Service, *, keys: Doorkeeper | None = None, check_host: bool = False, readiness: Readiness | None = None
) -> FastAPI:
    """Put a shop on the wire.

    Args:
        service: The open shop.
        keys: Who may enter; none leaves it open, which only `api.server` may do, and only on loopback.
        check_host: Whether an open service answers only to the names in `service.config.hosts`.
        readiness: The phase of the server it runs in; None: always ready.
    """
    readiness, metrics = readiness or Readiness(), Metrics()
    keys = Keys() if keys is None else keys
    mcp = McpDoor(service)
    know_ids()
    app = FastAPI(title="Vitrine", version=VERSION, docs_url=None, redoc_url=None, lifespan=mcp.open)
    turns = Turns(service, Sessions(), readiness)
    for router in (
        chat_routes(service, turns),
        completion_routes(service, turns),
        audio_routes(service),
        search_routes(service),
        facet_routes(service),
        item_write_routes(service, keys),
        item_routes(service, Pictures(service.shop.root, service.config.picture_sizes)),
        event_routes(service),
        user_routes(service),
        tool_routes(service),
        operation_routes(service, readiness, metrics, keys),
        window_routes(service),
    ):
        app.include_router(router)
    app.router.routes.append(mcp.route())
    add_document(app, service.config, keys)
    add_problem_handlers(app, SECURITY_HEADERS)
    app.add_middleware(WholeSegments)
    app.add_middleware(Pinned, service=service)  # inside the guard: what it refuses reads no shop
    app.add_middleware(Bounded, config=service.config.load, metrics=metrics)
    app.add_middleware(WholeBodies)  # outside the lanes: a slow sender holds no place
    app.add_middleware(
        Guard,
        config=service.config,
        keys=keys,
        check_host=check_host,
        takes=partial(takes, app),
        rate=RateLimit(service.config.rate_per_minute, service.shop.root / RATE_FILE),
        quota=DailyQuota(service.shop.root / QUOTA_FILE),
        audit=AuditLog(service.shop.root / AUDIT_FOLDER, service.config.audit_days),
        door=partial(door_of, app),
    )
    app.add_middleware(Observed, metrics=metrics, tracing=tracing_of(service.config.tracing))
    return app
