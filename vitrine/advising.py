"""`vitrine eval --advise` and `--ctr`: judged on the store's own log, into reports on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from catalog.errors import DataError
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.splits import make_split
from catalog.workspace import Workspace, write_text
from eval.advice import Advice, advise
from eval.rungs import RungConfig, Shelf, climb
from vitrine.ctr import undated_free
from vitrine.settings import Settings


def advise_store(settings: Settings, config: RungConfig | None = None, progress: Progress = SILENT) -> Advice:
    """Return which media each category of the store should be ranked by, and what that gains on test.

    The cuts are those of protocol `temporal`.

    Raises:
        DataError: When the store has neither a text nor a picture space, or the log is too short or has no clock.
    """
    config = config or RungConfig()
    workspace = Workspace(settings.store)
    data = load_shop(workspace)
    split = make_split(
        data.log, data.catalog.ids, protocol="temporal", positives=settings.positives, seed=settings.seed
    )  # fmt: skip
    media = {role: table for role, table in undated_free(settings, workspace).items() if role in ("text", "picture")}
    if not media:
        raise DataError("no space of role text or picture in the store: run vitrine embed first")
    shelf = Shelf(data.catalog, data.log, data.user_nouns, media, settings.positives)
    cuts = (datetime.fromisoformat(split.meta[name]) for name in ("valid_from", "test_from"))
    valid_from, test_from = cuts
    return advise(climb(shelf, valid_from, test_from, config, seed=settings.seed, progress=progress), config)


def write_json(workspace: Workspace, name: str, report: Mapping[str, Any], also: Path | None) -> list[Path]:
    """Write a report as `reports/<name>.json`, and to `also`; return the files."""
    manifest = workspace.manifest("catalog")
    whole = {"data_key": manifest.key if manifest else None, **report}
    folder = workspace.root / "reports"
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.json", *([also] if also is not None else [])]
    for path in files:
        write_text(path, json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
    return files
