from __future__ import annotations

import socket

import httpx
import pytest

from api.server import listen, opened, serve
from catalog.errors import ConfigError


def test_it_answers_and_stops(make, service):
    with make.running(service) as address:
        assert httpx.get(f"{address}/health/live").json() == {"status": "live"}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{address}/health/live")


def test_with_keys_it_asks_for_them(make, service):
    with make.running(service, {"VITRINE_API_KEYS": "acme:a-key-of-some-length"}) as address:
        assert httpx.get(f"{address}/v1/shop").status_code == 401
        headers = {"Authorization": "Bearer a-key-of-some-length", "Host": "shop.example"}
        assert httpx.get(f"{address}/v1/shop", headers=headers).status_code == 200


def test_open_it_answers_to_loopback_names_only(make, service):
    with make.running(service) as address:
        assert httpx.get(f"{address}/v1/shop").status_code == 200
        assert httpx.get(f"{address}/v1/shop", headers={"Host": "rebound.example"}).status_code == 403


def test_a_taken_port_is_one_clear_line(service):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1: already in use"):
            opened(service, "127.0.0.1", port, environment={})


def test_an_address_of_another_machine_is_one_clear_line():
    with pytest.raises(ConfigError, match=r"port 0 on 192\.0\.2\.1"):
        listen("192.0.2.1", 0)
    with pytest.raises(ConfigError, match=r"host 'no\.such\.invalid'"):
        listen("no.such.invalid", 0)


def test_outside_loopback_it_refuses_to_start_without_keys(service):
    with pytest.raises(ConfigError, match=r"'0\.0\.0\.0'.*no key is set"):
        serve(service, "0.0.0.0", 0, environment={})


def test_a_connection_rests_longer_than_its_callers_keep_it(service):
    """A proxy that keeps connections for a minute must not write to one that is just being closed."""
    ready = opened(service, "127.0.0.1", 0, environment={})
    ready.listener.close()
    assert ready.server.config.timeout_keep_alive > 60
