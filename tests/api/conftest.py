from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.config import ApiConfig
from api.doubles import ScriptedAgent
from api.keys import Keys
from api.server import opened
from api.service import Agent, Service
from tools.doubles import toy_shop
from tools.registry import Registry
from tools.shop import Shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Events come and go in it; the catalogue never changes."""
    shop = toy_shop(tmp_path_factory.mktemp("shop"), pictures=True)
    yield shop
    shop.events.close()


@pytest.fixture(scope="session")
def registry(shop: Shop) -> Registry:
    return Registry(shop)


@pytest.fixture
def service(shop: Shop, registry: Registry) -> Service:
    return make_service(shop, registry)


@pytest.fixture
def client(service: Service) -> TestClient:
    return client_of(service)


@pytest.fixture(scope="session")
def make():
    """The helpers below, for test modules (which import nothing from each other)."""

    class Make:
        service = staticmethod(make_service)
        client = staticmethod(client_of)
        running = staticmethod(running)

    return Make


def make_service(
    shop: Shop, registry: Registry, agent: Agent | None = None, config: ApiConfig | None = None, **active: str
) -> Service:
    return Service(shop, registry, agent or ScriptedAgent(shop), config or ApiConfig(), {"mind": "planner", **active})


def client_of(service: Service, keys: Keys | None = None, *, check_host: bool = False) -> TestClient:
    app = create_app(service, keys=keys, check_host=check_host)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


@contextmanager
def running(service: Service, environment: dict[str, str] | None = None) -> Iterator[str]:
    """Serve on a free port in a thread and give the address."""
    shop_window = opened(service, "127.0.0.1", 0, environment=environment or {})
    thread = threading.Thread(target=shop_window.run)
    thread.start()
    try:
        yield shop_window.address
    finally:
        shop_window.stop()
        thread.join(20)
        assert not thread.is_alive()
