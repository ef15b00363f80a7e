"""Every service of `compose.yaml` is started by its own command, asked by its own health check, and stopped.

What a container would have is put in its place: a folder for a volume, loopback for the network, a free port for a
published one. Nothing else of the commands is changed.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from ruamel.yaml import YAML

from agent.scripted_server import ScriptedServer
from catalog.event_cluster import PrivatePostgres, postgres_binaries
from vitrine.client import Client, Unreachable

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[1]
SERVICES: dict[str, Any] = YAML(typ="safe").load(ROOT / "compose.yaml")["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
KEY = "a-key-of-thirty-two-characters-!"
SMALL = {
    "VITRINE_BOUTIQUE__N_ITEMS": "64", "VITRINE_BOUTIQUE__N_USERS": "100", "VITRINE_BOUTIQUE__N_EVENTS": "2500",
    "VITRINE_BOUTIQUE__IMAGE_SIZE": "64", "VITRINE_BOUTIQUE__VIDEO_FRAMES": "2", "VITRINE_BOUTIQUE__VIDEO_SIZE": "64",
    "VITRINE_MODELS__OVERRIDES": '{"lirdrec": {"max_epochs": 3, "epochs": 3, "dim": 8}}',
}  # fmt: skip
"""A demo shop of the same making, in half a minute."""


def placed(text: str, places: Mapping[str, str]) -> str:
    """Return a word of the file with `${NAME:-default}` read from `places` and a container's places replaced."""
    text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: places.get(found[1], found[2]), text)
    for theirs, ours in places.items():
        text = text.replace(theirs, ours)
    return text


def command(service: str, places: Mapping[str, str]) -> list[str]:
    entry = re.search(r"^ENTRYPOINT (\[.*\])$", DOCKERFILE, re.M)
    assert entry is not None and json.loads(entry[1]) == ["vitrine"]
    return [str(Path(sys.executable).with_name("vitrine")), *(placed(w, places) for w in SERVICES[service]["command"])]


def environment(service: str, places: Mapping[str, str]) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("VITRINE_", "PG"))}
    told = {name: placed(value, places) for name, value in SERVICES[service].get("environment", {}).items()}
    return {**ours, **{name: value for name, value in told.items() if value}}


def healthy(port: int) -> bool:
    """Run the HEALTHCHECK of the image."""
    found = re.search(r"^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$", DOCKERFILE, re.M)
    assert found is not None
    program, *words = json.loads(found[1])
    assert program == "python"
    asked = [sys.executable, *(word.replace("127.0.0.1:8000", f"127.0.0.1:{port}") for word in words)]
    try:
        return subprocess.run(asked, capture_output=True, timeout=20).returncode == 0
    except subprocess.TimeoutExpired:  # unhealthy, to a container engine as well
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found: int = probe.getsockname()[1]
        return found


def until(true: Callable[[], object], seconds: float, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert process.poll() is None and time.monotonic() < end, log.read_text()[-3000:]
        time.sleep(0.2)


@contextmanager
def serving(service: str, store: Path, folder: Path, **more: str) -> Iterator[Client]:
    """Start a shop, let it be used once it is healthy, stop it as compose does."""
    port, log = free_port(), folder / "log"
    usual = {"VITRINE_API_KEYS": f"shop:{KEY}", "/store": str(store), "0.0.0.0": "127.0.0.1", "8000": str(port)}
    places = {**more, **usual}  # in this order: an address is replaced whole, before the port in it
    assert not healthy(port)
    with log.open("wb") as out:
        process = subprocess.Popen(
            command(service, places), env=environment(service, places), cwd=folder, stdout=out, stderr=out
        )
    try:
        until(lambda: healthy(port), 300, process, log)  # seconds on an idle machine; tests share theirs
        with Client(f"http://127.0.0.1:{port}", key=KEY, retries=0) as shop:
            yield shop
            process.send_signal(signal.SIGTERM)
            grace = float(SERVICES[service]["stop_grace_period"].removesuffix("s"))
            assert process.wait(timeout=grace) == 0, log.read_text()[-3000:]
            with pytest.raises(Unreachable):
                shop.shop()
    finally:
        process.kill()
        process.wait()
    assert all(json.loads(line)["event"] for line in log.read_text().splitlines())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `docker compose run --rm setup` leaves behind."""
    folder = tmp_path_factory.mktemp("volumes") / "store"
    places = {"/store": str(folder)}
    ran = subprocess.run(
        command("setup", places), env={**environment("setup", places), **SMALL, "OMP_NUM_THREADS": "1"},
        cwd=folder.parent, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "Done in" in ran.stdout and "Next:" not in ran.stdout
    return folder


def use(shop: Client) -> str:
    """Look, ask and click; return the id of the event."""
    found = shop.search("vase", top_n=3)
    assert found.items and shop.recommendations(top_n=3).recommendations
    assert shop.ready().access == "keys" and shop.shop().items == 64
    event_id = uuid.uuid4().hex
    click = {"event_id": event_id, "user_id": "kim", "item_id": found.items[0].item_id, "kind": "click"}
    assert shop.put_events([{**click, "request_id": found.request_id}]).accepted == 1
    return event_id


def test_shop(store: Path, tmp_path: Path) -> None:
    with serving("shop", store, tmp_path) as shop:
        event_id = use(shop)
        assert shop.ready().active["mind"] == "planner"
        assert shop.chat("a vase").recommendations
        page = httpx.get(f"{shop._http.base_url}/", timeout=60)
        assert page.status_code == 200 and "</html>" in page.text
        assert shop.forget_event(event_id).forgotten


def test_shop_gpu(store: Path, tmp_path: Path) -> None:
    with (
        ScriptedServer("obedient") as mind,
        serving("shop-gpu", store, tmp_path, **{"http://vllm:8000/v1": mind.base_url}) as shop,
    ):
        assert shop.ready().active["mind"].startswith("LLM shopkeeper")
        assert shop.chat("a vase").text
        assert mind.requests and {each["model"] for each in mind.requests} == {"shopkeeper"}


@pytest.mark.postgres
def test_postgres_and_the_shop_that_writes_to_it(store: Path, tmp_path: Path) -> None:
    import psycopg

    if (binaries := postgres_binaries()) is None:
        pytest.skip("no PostgreSQL on this machine (initdb, pg_ctl)")
    service = SERVICES["postgres"]
    program, *options = service["command"]
    assert program == "postgres"
    with PrivatePostgres(options) as server:
        # The image makes what POSTGRES_USER and POSTGRES_DB name; the cluster's user has the same name already.
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {service['environment']['POSTGRES_DB']}".encode())
            for name, value in (each.split("=") for each in options if "=" in each):
                found = connection.execute(f"SHOW {name}".encode()).fetchone()
                assert found == (value,)
        check = service["healthcheck"]["test"]
        assert check[0] == "CMD"
        at = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(server.port)}
        asked = [binaries / check[1], *check[2:]]
        assert subprocess.run(asked, env=at, capture_output=True).returncode == 0
        address = f"postgresql://vitrine@127.0.0.1:{server.port}/vitrine"
        with serving("shop", store, tmp_path, VITRINE_EVENTS__URL=address) as shop:
            event_id = use(shop)
        with psycopg.connect(address) as connection:
            assert connection.execute("SELECT event_id FROM events").fetchall() == [(event_id,)]
        server.stop()
        assert subprocess.run(asked, env=at, capture_output=True).returncode != 0


def test_prometheus_reads_the_shop(store: Path, tmp_path: Path) -> None:
    if (program := shutil.which("prometheus")) is None:
        pytest.skip("no prometheus on this machine; its configuration is checked in test_compose.py")
    vitrine = str(Path(sys.executable).with_name("vitrine"))
    made = subprocess.run(
        [vitrine, "keys", "add", "--scopes", "metrics", "--store", store], capture_output=True, text=True, check=True
    )
    key = tmp_path / "metrics_key"
    key.write_text(next(word for word in shlex.split(made.stdout) if len(word) >= 32))
    with serving("shop", store, tmp_path) as shop:
        use(shop)
        config, port = tmp_path / "prometheus.yml", free_port()
        places = {
            "shop:8000": f"127.0.0.1:{shop._http.base_url.port}",
            "/run/secrets/metrics_key": str(key),
            "15s": "1s",
        }
        config.write_text(placed((ROOT / "prometheus.yml").read_text(), places))
        places = {"/etc/prometheus/prometheus.yml": str(config), "=/prometheus": f"={tmp_path / 'metrics'}"}
        words = [placed(word, places) for word in SERVICES["prometheus"]["command"]]
        log = tmp_path / "prometheus.log"
        with log.open("wb") as out:
            server = subprocess.Popen(
                [program, *words, f"--web.listen-address=127.0.0.1:{port}"], stdout=out, stderr=out
            )

        def counted() -> list[dict[str, Any]]:
            try:
                answer = httpx.get(
                    f"http://127.0.0.1:{port}/api/v1/query", params={"query": "vitrine_http_requests_total"}
                ).json()
            except (httpx.TransportError, ValueError):
                return []
            found: list[dict[str, Any]] = answer.get("data", {}).get("result", [])
            return found

        try:
            until(counted, 60, server, log)
            told = {each["metric"]["route"]: float(each["value"][1]) for each in counted()}
            assert told["/v1/search"] == 1.0
            assert {each["metric"]["job"] for each in counted()} == {"vitrine"}
        finally:
            server.terminate()
            assert server.wait(30) == 0


def test_every_service_is_run_here() -> None:
    """A service that is added is run as well; `vllm` is in `tests/vllm/test_compose_command.py`."""
    assert set(SERVICES) == {"setup", "shop", "shop-gpu", "vllm", "postgres", "prometheus"}
