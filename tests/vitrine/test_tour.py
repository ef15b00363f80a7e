"""What the demo says, and how it ends."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from vitrine.cli.commands import commands
from vitrine.cli.tour import next_steps
from vitrine.settings import Settings

ROOT = Path(__file__).parents[2]


def typed(settings: Settings) -> list[list[str]]:
    head, *lines = next_steps(settings).strip().splitlines()
    assert head == "Next:"
    return [shlex.split(line.strip().split("  ")[0]) for line in lines]


def test_every_next_step_is_a_command_of_this_store(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    steps = typed(Settings(store=tmp_path / "my shop"))
    assert steps[0] == ["vitrine", "serve", "--store", str(tmp_path / "my shop")]
    names = [tuple(name) for name in commands()]
    assert all(tuple(step[1:2]) in names or tuple(step[1:3]) in names for step in steps), steps
    assert "http://127.0.0.1:8000" in next_steps(Settings())


def test_a_program_that_is_not_on_the_path_is_named_where_it_stands(tmp_path, monkeypatch):
    """After `make demo SERVE=0` nothing is activated: `vitrine` alone would not be found."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(tmp_path / ".venv" / "bin" / "vitrine")])
    assert {step[0] for step in typed(Settings())} == {".venv/bin/vitrine"}


@pytest.mark.skipif(shutil.which("make") is None, reason="no make")
@pytest.mark.parametrize("serve", [0, 1])
def test_make_demo_serves_or_says_how(serve):
    done = subprocess.run(
        ["make", "-n", "demo", f"SERVE={serve}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ("vitrine serve" in done.stdout) == ("--no-next" in done.stdout) == bool(serve)
