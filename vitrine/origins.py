"""Where a setting came from: the command line, an environment variable or a settings file."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError


def read_toml(path: Path) -> dict[str, Any]:
    """Return the values of a settings file, none where there is no such file.

    Raises:
        ConfigError: When it cannot be read or is not TOML.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would be waited for
            raise ConfigError(f"settings file {str(path)!r} is no regular file")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"settings file {str(path)!r} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"settings file {str(path)!r} is not valid TOML: {error}") from error


def origin_of(
    place: tuple[str | int, ...], overrides: Mapping[str, Any], prefix: str, files: Iterable[Path]
) -> str | None:
    """Return who named a setting, the strongest source first; None where nobody did.

    Args:
        place: Path of the setting, e.g. `("agent", "max_seconds")`.
        overrides: What the command line says.
        prefix: Of environment variables.
        files: Settings files, the strongest first.
    """
    if _holds(overrides, place):
        return "the command line"
    keys = [str(part).upper() for part in place]
    chosen = {prefix + "__".join(keys[:depth]) for depth in range(1, len(keys) + 1)}
    inside = prefix + "__".join([*keys, ""])
    for name in os.environ:
        if name.upper() in chosen or name.upper().startswith(inside):
            return name
    return next((str(path) for path in files if _holds(read_toml(path), place)), None)


def _holds(values: object, place: tuple[str | int, ...]) -> bool:
    for part in place:
        if isinstance(values, Mapping) and part in values:
            values = values[part]
        else:
            # A list is named as a whole: its entries have no setting of their own.
            return isinstance(part, int) and isinstance(values, list | tuple)
    return bool(place)
