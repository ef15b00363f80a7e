"""What the `Dockerfile` copies is a package with every file of ours that runs, and nothing that should stay out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
KEPT = {line.removeprefix("!") for line in IGNORED if line.startswith("!")}


def tracked() -> list[str]:
    return subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def test_nothing_goes_in_but_what_is_named() -> None:
    assert IGNORED[0] == "*" and {line for line in IGNORED if line[0] not in "*!"} == set()
    assert {*PACKAGES, "LICENSE", "README.md", "constraints.txt", "pyproject.toml"} == KEPT
    assert not any(name.startswith((".env", "secrets", ".git", ".venv", "store")) for name in KEPT)


def test_what_is_copied_builds_into_a_package_with_every_file_that_runs(tmp_path: Path) -> None:
    """As `pip install .` does it, of the files that `COPY . .` brings."""
    pytest.importorskip("hatchling", reason="hatchling, the build backend, is not installed here")
    context = tmp_path / "context"
    copied = [name for name in tracked() if name.partition("/")[0] in KEPT and (ROOT / name).is_file()]
    for name in copied:
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, context / name)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "made")]
    built = subprocess.run(command, cwd=context, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    [wheel] = (tmp_path / "made").glob("vitrine-*.whl")
    with zipfile.ZipFile(wheel) as file:
        there = set(file.namelist())
        [entry] = [name for name in there if name.endswith("entry_points.txt")]
        assert "vitrine = vitrine.cli:main" in file.read(entry).decode()
    wanted = {name for name in copied if name.partition("/")[0] in PACKAGES}
    start = "vitrine/vitrine_torchvision.pth"  # an interpreter reads it beside the packages
    assert wanted - there == {start} and Path(start).name in there
    assert {"api/page/index.html", "api/page/app.js", "api/page/inter.woff2"} <= there
    assert {name.partition("/")[0] for name in there} == {*PACKAGES, "vitrine_torchvision.pth", entry.partition("/")[0]}
