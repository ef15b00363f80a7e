"""`compose.yaml` keeps to the Compose specification, and what its services run can be run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from typer.core import TyperGroup
from typer.main import get_command

from vitrine.cli import app
from vitrine.settings import load_settings

ROOT = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "compose.yaml")
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if service["image"].startswith("vitrine:"))


def test_it_keeps_to_the_specification() -> None:
    checker = Path(sys.executable).with_name("check-jsonschema")
    ran = subprocess.run(
        [checker, "--builtin-schema", "vendor.compose-spec", ROOT / "compose.yaml"], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout


def test_the_profiles_are_those_that_are_named() -> None:
    assert {profile for service in SERVICES.values() for profile in service["profiles"]} == {
        "setup", "cpu", "gpu", "postgres", "prometheus",
    }  # fmt: skip


@pytest.mark.parametrize("name", OURS)
def test_our_commands_are_understood(name: str) -> None:
    program, (command, *arguments) = get_command(app), SERVICES[name]["command"]
    assert isinstance(program, TyperGroup)
    context = program.commands[command].make_context(command, list(arguments))
    assert str(context.params["store"]) == "/store"


@pytest.mark.parametrize("name", OURS)
def test_their_environment_holds_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        said = value
        if value.startswith("${"):
            said = value.removeprefix("${").removesuffix("}").partition(":-")[2]
        if key.startswith("VITRINE_"):
            monkeypatch.setenv(key, said)
    settings = load_settings()
    if name != "setup":
        assert (settings.log_level, settings.log_format) == ("INFO", "json")
        assert (settings.agent.llm is not None) == (name == "shop-gpu")


def test_there_is_time_to_drain() -> None:
    api = load_settings().api
    for name in ("shop", "shop-gpu"):
        grace = int(SERVICES[name]["stop_grace_period"].removesuffix("s"))
        assert grace >= api.drain_notice_seconds + api.drain_seconds + 5


def test_postgres_understands_its_command(tmp_path: Path) -> None:
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres")), shutil.which("postgres")]
    if found[0] is None:
        pytest.skip("no PostgreSQL server on this machine")
    (tmp_path / "postgresql.conf").write_text("")
    _, *options = SERVICES["postgres"]["command"]
    for setting in ("max_connections", "synchronous_commit"):
        asked = [str(found[0]), "-C", setting, "-D", str(tmp_path), *options]
        ran = subprocess.run(asked, capture_output=True, text=True)
        assert f"{setting}={ran.stdout.strip()}" in options, ran.stderr


def test_prometheus_understands_its_configuration() -> None:
    config = YAML(typ="safe").load(ROOT / "prometheus.yml")
    [job] = config["scrape_configs"]
    assert job["metrics_path"] == "/metrics" and job["static_configs"] == [{"targets": ["shop:8000"]}]
    if (program := shutil.which("promtool")) is None:
        pytest.skip("no promtool on this machine; the file was read as YAML")
    ran = subprocess.run([program, "check", "config", "--syntax-only", ROOT / "prometheus.yml"], capture_output=True)
    assert ran.returncode == 0, ran.stdout


def test_vllm_understands_its_command() -> None:
    if (program := shutil.which("vllm")) is None:
        pytest.skip("no vllm on this machine")
    ran = subprocess.run([program, "serve", "--help=all"], capture_output=True, text=True)
    for word in SERVICES["vllm"]["command"][1:]:
        assert word.partition("=")[0] in ran.stdout
