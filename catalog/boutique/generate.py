"""`generate`: the boutique's one door. A config in; a shop, its pictures and its hidden truth out."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.drawing_room import filled_folder
from catalog.boutique.pictures import shoot_all
from catalog.boutique.plan import FOLDER, plan
from catalog.boutique.truth import Truth
from catalog.errors import ConfigError
from catalog.progress import SILENT, Progress
from catalog.shop_data import ShopData, load_shop, save_shop
from catalog.workspace import Workspace, content_key

EDITION = 1
"""Raise it when the generator changes what it makes; stores made by another edition are rebuilt."""

LABEL = "boutique.key"
"""File among the pictures that says which shop they belong to."""

TRUTH = "truth"
"""Name of the artifact that keeps the hidden truth."""


@dataclass(frozen=True, eq=False)
class Boutique:
    """A generated shop: `shop` is what everyone may read, `truth` what only judges may."""

    shop: ShopData
    truth: Truth


def generate(
    config: BoutiqueConfig, media_root: Path, progress: Progress = SILENT, *, workers: int | None = None
) -> Boutique:
    """Make the shop of `config`; pictures and films are written below `media_root`/boutique.

    Items refer to them as `media/boutique/<item_id>.jpg` and `.mp4`, relative to the workspace root, so
    `media_root` is the workspace's `media` folder. The pictures appear all at once: a killed run leaves the old
    folder or none. The same config gives the same bytes, however many `workers` draw (None: one a core).
    """
    made = plan(config)
    with filled_folder(media_root, FOLDER) as folder:
        shoot_all(made.pieces, folder, config, progress, workers)
        (folder / LABEL).write_text(boutique_key(config) + "\n", encoding="utf-8")
    return Boutique(made.shop, made.truth)


def boutique_key(config: BoutiqueConfig) -> str:
    """Return the content key of a generated shop."""
    return content_key("boutique", EDITION, config.model_dump())


def save_boutique(
    workspace: Workspace, config: BoutiqueConfig, progress: Progress = SILENT, *, workers: int | None = None
) -> Boutique:
    """Make the shop of `config` in a workspace: pictures, the `catalog` artifact and the `truth` artifact.

    When the workspace holds this very shop already, with every picture in place, it is only read.
    """
    key = boutique_key(config)
    if _current(workspace, key):
        return Boutique(load_shop(workspace), load_truth(workspace))
    made = generate(config, workspace.root / "media", progress, workers=workers)
    with workspace.writing(TRUTH, key, {"config": config.model_dump()}) as folder:
        made.truth.save(folder)
    save_shop(workspace, made.shop, {"generated": True, "boutique": key, "config": config.model_dump()})
    return made


def require_same_shop(workspace: Workspace, config: BoutiqueConfig) -> None:
    """Refuse a store that holds another shop, which `save_boutique` would replace.

    Raises:
        ConfigError: When it holds a catalogue that was brought along, or a shop of other settings; the text names them.
    """
    standing = workspace.manifest("catalog")
    if standing is None:
        return
    where = f"the store {str(workspace.root)!r}"
    anew = "or vitrine generate --again, which replaces it; what was made of it is stale then"
    if not standing.meta.get("generated"):
        raise ConfigError(
            f"{where} holds {standing.meta.get('name')!r}, which was not generated; another --store would be valid, "
            f"{anew}"
        )
    kept = standing.meta.get("config") or {}
    given = config.model_dump()
    differing = [name for name in given if name in kept and kept[name] != given[name]]
    if differing:
        made = " ".join(f"--set boutique.{name}={kept[name]}" for name in differing)
        now = ", ".join(str(given[name]) for name in differing)
        raise ConfigError(
            f"{where} holds a shop of other settings: {made} (now {now}); those again would be valid, another --store, "
            f"{anew}"
        )


def load_truth(workspace: Workspace) -> Truth:
    """Read the `truth` artifact of a generated shop; only evaluation may.

    Raises:
        NotBuiltError: When the store holds no generated shop.
    """
    return Truth.load(workspace.path(TRUTH))


def _current(workspace: Workspace, key: str) -> bool:
    manifest = workspace.manifest("catalog")
    if manifest is None or manifest.meta.get("boutique") != key or not workspace.has(TRUTH, key):
        return False
    label = workspace.root / "media" / FOLDER / LABEL
    if not label.is_file() or label.read_text(encoding="utf-8").strip() != key:
        return False
    items = load_shop(workspace).items
    wanted = [path for column in ("images", "videos") for paths in items[column].to_list() for path in paths]
    return all(os.path.exists(workspace.root / path) for path in wanted)  # noqa: PTH110 (a thousand files: keep it quick)
