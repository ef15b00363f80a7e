"""Options that several commands share, and how they become settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from catalog.errors import ConfigError

if TYPE_CHECKING:
    from vitrine.settings import Settings

Store = Annotated[
    Path | None, typer.Option("--store", help="The workspace folder; ./store unless the settings say otherwise.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, e.g. --set agent.max_seconds=10. Repeatable."),
]


def load(store: Path | None, pairs: list[str] | None, more: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of this command and start the logs.

    Args:
        store: `--store`.
        pairs: `--set`.
        more: What options of the command itself say, as nested values; they win.

    Raises:
        ConfigError: When a setting is unknown or has a wrong value.
    """
    from vitrine.logs import configure_logs
    from vitrine.settings import load_settings

    settings = load_settings(_united(overrides(store, pairs), more or {}))
    configure_logs(settings.log_level, settings.log_format)
    return settings


def _united(values: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in more.items():
        known = values.get(name)
        values[name] = _united(known if isinstance(known, dict) else {}, value) if isinstance(value, Mapping) else value
    return values


def overrides(store: Path | None, pairs: list[str] | None) -> dict[str, Any]:
    """Return what the command line says, as nested values.

    Raises:
        ConfigError: When a pair has no `=`.
    """
    values = parse_overrides(pairs or [])
    if store is not None:
        values["store"] = str(store)
    return values


def parse_overrides(pairs: list[str]) -> dict[str, Any]:
    """Return `["a.b=1"]` as `{"a": {"b": 1}}`; values are JSON where they parse as JSON, else text.

    Raises:
        ConfigError: When a pair has no `=`.
    """
    import json

    nested: dict[str, Any] = {}
    for pair in pairs:
        path, equals, raw = pair.partition("=")
        if not equals or not path.strip():
            raise ConfigError(
                f"--set {pair!r} is not of the form KEY=VALUE; '--set agent.max_seconds=10' would be valid"
            )
        try:
            value = json.loads(raw)
        except json.JSONDecodeError:
            value = raw
        *parents, leaf = path.strip().split(".")
        spot = nested
        for parent in parents:
            spot = spot.setdefault(parent, {})
            if not isinstance(spot, dict):
                raise ConfigError(f"--set {pair!r} contradicts an earlier --set of {parent!r}")
        spot[leaf] = value
    return nested


def parse_pairs(pairs: list[str], option: str, example: str) -> dict[str, str]:
    """Return `["title=prod_name"]` as `{"title": "prod_name"}`.

    Raises:
        ConfigError: When a pair has no `=`, or a name on the left stands twice.
    """
    named: dict[str, str] = {}
    for pair in pairs:
        left, equals, right = pair.partition("=")
        if not equals or not left or not right:
            raise ConfigError(f"{option} {pair!r} is not of the form NAME=VALUE; '{example}' would be valid")
        if left in named:
            raise ConfigError(f"{option} {pair!r}: {left!r} is already {named[left]!r}")
        named[left] = right
    return named
