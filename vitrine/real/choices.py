"""Who does the three jobs, as the command line names them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from catalog.errors import ConfigError
from vitrine.real.config import Role

Kind = Literal["built in", "server", "folder", "hub"]

BUILT_IN: dict[Role, str] = {"captions": "pixels", "embeddings": "minilm", "agent": "planner"}
"""What each job falls back on by name: no GPU, no download."""
OPTION: dict[Role, str] = {"captions": "--captioner", "embeddings": "--embedder", "agent": "--llm"}

_HUB = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
_SERVER = re.compile(r"(?P<url>https?://[^\s#]+)(?:#(?P<model>\S+))?")


@dataclass(frozen=True, slots=True)
class Choice:
    """One model by name.

    Attributes:
        role: Its job.
        kind: Where it comes from.
        name: The built-in's name, the server's address, the folder, or the name on the hub.
        detail: Model of a server that lists several, or revision on the hub.
    """

    role: Role
    kind: Kind
    name: str
    detail: str | None = None

    @property
    def is_served_here(self) -> bool:
        """Whether a model server is started for it."""
        return self.kind in ("folder", "hub")

    @property
    def folder(self) -> Path:
        """Where a folder lies."""
        return Path(self.name).expanduser().resolve()

    def text(self) -> str:
        """Return it as it was named."""
        mark = {"server": "#", "hub": "@"}.get(self.kind, "")
        return f"{self.name}{mark}{self.detail}" if self.detail else self.name


def choose(role: Role, named: str) -> Choice:
    """Return what `named` says.

    Args:
        role: Which job.
        named: `pixels`, `minilm` or `planner`; `http://host:8000/v1`, with `#model` where the server lists several;
            a folder with config.json and weights; `organisation/model` on the hub, with `@revision` where it matters.

    Raises:
        ConfigError: When it is none of these.
    """
    if named == BUILT_IN[role]:
        return Choice(role, "built in", named)
    if server := _SERVER.fullmatch(named):
        return Choice(role, "server", server["url"].rstrip("/"), server["model"])
    folder = Path(named).expanduser()
    if named.strip() and folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ConfigError(
                f"{OPTION[role]} {named!r} is a folder without config.json; the folder that holds config.json, the "
                "tokenizer and *.safetensors would be valid"
            )
        return Choice(role, "folder", named)
    hub = _HUB.fullmatch(named)
    if hub is None or named.startswith((".", "~")):
        raise ConfigError(
            f"{OPTION[role]} {named!r} is no folder here and no name; {BUILT_IN[role]!r}, a folder with config.json, "
            "'organisation/model' on the hub, or the address of a running server (http://host:8000/v1) would be valid"
        )
    return Choice(role, "hub", hub["repo"], hub["revision"])
