"""Secrets come by environment alone: one that stands in a settings file, or on a command line, is refused by name.

Files are copied, committed and backed up, and command lines stand in histories and in lists of processes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError
from vitrine.origins import read_toml

SECRET = re.compile(
    r"(^|[_-])(api_?keys?|keys?|pass(word|wd|phrase)?|secrets?|tokens?|credentials?|bearer)$", re.IGNORECASE
)

_ADDRESS = re.compile(r"(^|_)(url|endpoint|address)$")
_USER = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#]*@", re.IGNORECASE)


def refuse_secrets(files: Iterable[Path], overrides: Mapping[str, Any], known: Collection[str]) -> None:
    """Look for names of secrets; what they hold is never repeated.

    Args:
        files: Settings files, which need not exist.
        overrides: What the command line says.
        known: Names of real settings, none of which holds a secret.

    Raises:
        ConfigError: On the first one.
    """
    sources = [*((str(path), read_toml(path)) for path in files), ("the command line", overrides)]
    for origin, values in sources:
        for name in _names(values):
            if name not in known and SECRET.search(name.rpartition(".")[2]):
                raise ConfigError(
                    f"{name!r} from {origin} is named like a secret, which comes by environment alone; the variable "
                    "VITRINE_API_KEYS, VITRINE_..._API_KEY of a server, or VITRINE_EVENTS__URL would be valid"
                )


def addresses_with_names(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the dotted names of settings whose address begins with somebody's name or password (`http://me:pw@host`).

    They would stand in logs and in lines that say which server did not answer.
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{inner}" for inner in addresses_with_names(value))
        elif isinstance(value, str) and _ADDRESS.search(name) and _USER.match(value):
            yield name


def _names(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in values.items():
        place = f"{before}{name}"
        if isinstance(value, Mapping):
            yield from _names(value, f"{place}.")
        elif isinstance(value, str | list):
            yield place
