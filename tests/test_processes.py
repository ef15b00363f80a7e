"""The tests themselves in two processes: what must be alone is alone, a folder stays together, figures are printed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CONFIG = (
    '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\nmarkers = ["alone: as ours", "slow: as ours"]\n'
)
TIMED = """
import os, time, pytest
from pathlib import Path

def stay(seconds):
    began = time.monotonic_ns()
    time.sleep(seconds)
    with (Path(__file__).parent / f"{seconds}-{os.getpid()}-{began}").open("w") as file:
        file.write(f"{began} {time.monotonic_ns()}")
"""
ALONE = TIMED + "\n@pytest.mark.alone\n@pytest.mark.parametrize('n', range(2))\ndef test_alone(n):\n    stay(0.3)\n"
OTHERS = TIMED + "\n@pytest.mark.parametrize('n', range(30))\ndef test_beside_others(n):\n    stay(0.03)\n"
FIGURES = """
def pytest_sessionfinish(session):
    session.config.workeroutput["figures"] = {"what was measured": ["twelve"]}
"""
SAID = """
import os
from pathlib import Path

def test_it():
    (Path(__file__).parent / f"pid-{os.getpid()}").touch()
"""


def test_two_processes_share_the_tests(tmp_path: Path) -> None:
    """The clock is that of the machine, so what both wrote down can be compared."""
    tests = tmp_path / "tests"
    for folder in (tests / "apart", tests / "batch"):
        folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text(CONFIG)
    shutil.copy(Path(__file__).with_name("conftest.py"), tests)
    for name, text in {"conftest": FIGURES, "test_a": OTHERS, "test_b": OTHERS, "test_c": ALONE}.items():
        (tests / "apart" / f"{name}.py").write_text(text)
    for n in range(6):
        (tests / "batch" / f"test_{n}.py").write_text(SAID)
    plugins = ["-p", "no:cacheprovider", "-p", "no:langsmith_plugin", "-p", "no:schemathesis"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", *plugins, "tests"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
    )  # fmt: skip
    assert done.returncode == 0 and "68 passed" in done.stdout.splitlines()[-1], done.stdout + done.stderr
    assert "= what was measured =" in done.stdout and done.stdout.count("\ntwelve") == 2  # one of each process
    stays = [[*map(int, path.read_text().split()), path.name] for path in (tests / "apart").glob("0.*")]
    assert len(stays) == 62
    alone, others = ([stay for stay in stays if stay[2].startswith(seconds)] for seconds in ("0.3-", "0.03-"))
    assert not [(a, b) for a in alone for b in others if a[0] < b[1] and b[0] < a[1]]
    assert len({stay[2].split("-")[1] for stay in others}) == 2  # both processes had work
    assert len(list((tests / "batch").glob("pid-*"))) == 1
