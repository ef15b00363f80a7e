import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from batch.ray_address import await_answer, resolved
from batch.ray_engine import RayConfig, RayEngine
from catalog.errors import ConfigError, ServiceError

pytest.importorskip("ray", reason="ray is not installed (pip install -e '.[ray]' -c constraints.txt)")


@pytest.fixture
def silent():
    """The address of a server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_server_that_says_nothing_is_one_line_within_the_time(silent):
    with pytest.raises(ServiceError, match=rf"batch.ray.address='{silent}': no answer of Ray within 1 s") as caught:
        await_answer(silent, 1.0, lambda: False)
    assert "\n" not in str(caught.value)


def test_nobody_at_the_address_is_known_at_once():
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(ServiceError, match=f"no Ray cluster at batch.ray.address='{address}': Connection refused"):
        await_answer(address, 60.0, lambda: False)


def test_waiting_ends_when_somebody_asks_to_stop(silent):
    asked = threading.Event()
    threading.Timer(0.3, asked.set).start()
    await_answer(silent, 60.0, asked.is_set)


def test_auto_is_what_ray_start_noted_and_never_a_private_cluster(monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    private = "-c", "import time; time.sleep(60)", "raylet", "--gcs-address=127.0.0.1:1"
    with subprocess.Popen([sys.executable, *private]) as other:
        try:
            with pytest.raises(ConfigError, match=r"batch.ray.address='auto' finds no cluster"):
                resolved("auto")
        finally:
            other.kill()
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("10.0.0.5:6379\n")
    assert resolved("auto") == "10.0.0.5:6379"
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    assert resolved("auto") == "ray://head:10001"


def test_an_address_without_a_port_is_refused():
    with pytest.raises(ConfigError, match=r"batch.ray.address='head': 'auto', 'host:6379' or"):
        resolved("head")


def test_sigterm_ends_a_job_that_waits_for_its_cluster(silent, tmp_path):
    program = (
        "import sys\n"
        "from batch.diary import DiaryModel, run_squares\n"
        "from batch.job import JobConfig\n"
        "from batch.ray_engine import RayConfig, RayEngine\n"
        "from catalog.errors import JobPaused\n"
        "from pathlib import Path\n"
        "engine = RayEngine(RayConfig(address=sys.argv[1], connect_seconds=300))\n"
        "home = Path(sys.argv[2])\n"
        "try:\n"
        "    run_squares(home / 'store', DiaryModel(home / 'diary'), 8, engine, JobConfig())\n"
        "except JobPaused as pause:\n"
        "    print(pause)\n"
    )
    command = (sys.executable, "-c", program, silent, str(tmp_path))
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True) as job:
        while not _children(job.pid):
            assert job.poll() is None
            time.sleep(0.05)
        os.kill(job.pid, signal.SIGTERM)
        assert job.communicate(timeout=60)[0].startswith("paused: ")


def _children(process: int) -> str:
    return Path(f"/proc/{process}/task/{process}/children").read_text()


def test_an_engine_names_the_address_it_tried(monkeypatch, silent):
    monkeypatch.setattr("ray.is_initialized", lambda: False)
    monkeypatch.setenv("RAY_ADDRESS", silent)
    from batch.base import Steps

    engine = RayEngine(RayConfig(address="auto", connect_seconds=1))
    with pytest.raises(ServiceError, match=silent):
        list(engine.run([1], Steps(str, list), batch_size=1, workers=1, decoders=1))
