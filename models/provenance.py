"""Which code a model is made of, so that a kept result is never taken for that of a changed model."""

from __future__ import annotations

import ast
import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from models.registry import recommender

FOLLOWED = ("models", "catalog")
"""Packages whose sources count; libraries are pinned elsewhere."""


@lru_cache(maxsize=64)
def code_key(name: str) -> str:
    """Return a hash over the sources of a recommender: its module, its package, and what they import of ours.

    Comments count too: a needless refit costs time, a stale result costs trust.

    Raises:
        ConfigError: When the name is unknown.
    """
    kind = recommender(name)[0]
    waiting, sources = [*_neighbours(kind.__module__)], {}
    while waiting:
        module = waiting.pop()
        path = _source(module)
        if module in sources or path is None:
            continue
        sources[module] = path.read_bytes()
        waiting += [found for found in _imported(sources[module]) if found.split(".")[0] in FOLLOWED]
    whole = hashlib.sha256()
    for module in sorted(sources):
        whole.update(f"{module}\0".encode() + sources[module] + b"\0")
    return whole.hexdigest()[:16]


def _neighbours(module: str) -> list[str]:
    """Return the module, and with it every module of a package that belongs to one model alone."""
    package = module.rpartition(".")[0]
    if package in FOLLOWED:
        return [module]
    folder = _source(package)
    assert folder is not None
    return [f"{package}.{path.stem}" for path in sorted(folder.parent.glob("*.py")) if path.stem != "__init__"]


def _imported(source: bytes) -> set[str]:
    """Return the modules a source names in its imports, late ones included; names of a package count as modules."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def _source(module: str) -> Path | None:
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # a name inside a module, not a module
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None
