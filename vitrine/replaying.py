"""`vitrine eval --replay`: the end of the store's log event by event, by a shop that knows what came before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import polars as pl

from catalog.events import SqliteEventStore
from catalog.progress import SILENT, Progress
from catalog.shop_data import ShopData, load_shop
from catalog.workspace import Workspace, write_text
from eval.replay import Before, ReplayConfig, Replayed, moments_of, replay, start_of
from eval.replay_report import replay_json
from tools.shop import Shop
from vitrine.settings import Settings
from vitrine.training import fit_served, serving_statistics
from vitrine.wiring import choose_spaces, load_modalities, make_embedder, shop_spaces


@dataclass(frozen=True)
class ReplayedStore:
    """The report, every file that was written, and every moment's values by how moments were chosen."""

    report: Mapping[str, Any]
    files: tuple[Path, ...]
    found: Mapping[str, Replayed]


def replay_store(
    settings: Settings, config: ReplayConfig, *, also: Path | None = None, progress: Progress = SILENT
) -> ReplayedStore:
    """Replay the end of the log with the recommender that the settings serve, and write `reports/replay.json`.

    It is fitted afresh, as `vitrine train` does, on the events before the start; a served model is never read.
    Lists are made before the first look at each item that is taken, and once more just before the taking.

    Raises:
        DataError: When nothing lies before the start, or nothing is taken after it.
    """
    workspace = Workspace(settings.store)
    data = load_shop(workspace)
    start = start_of(data.log, config.hours)
    moments = {
        before: moments_of(data.log, start, kinds=settings.positives, before=before) for before in get_args(Before)
    }
    shop = shop_as_of(settings, workspace, data, start, progress)
    live = data.log.filter(pl.col("timestamp") >= start)
    found: dict[str, Replayed] = {}
    try:
        for before, chosen in moments.items():
            found[before] = replay(shop, data.log, chosen, live, config, kinds=settings.positives)
    finally:
        shop.events.close()
    manifest = workspace.manifest("catalog")
    report = replay_json(
        found, metric=config.metric, dataset=data.name, data_key=manifest.key if manifest else None,
        model=settings.models.serve, seed=settings.seed, start=start.isoformat(), hours=config.hours,
        pipeline={name: getattr(settings.pipeline, name) for name in ("visit_share", "second_look")},
    )  # fmt: skip
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    files = tuple(dict.fromkeys([workspace.root / "reports" / "replay.json", *([also] if also else [])]))
    files[0].parent.mkdir(parents=True, exist_ok=True)
    for file in files:
        write_text(file, text)
    return ReplayedStore(report, files, found)


def shop_as_of(
    settings: Settings, workspace: Workspace, data: ShopData, start: datetime, progress: Progress = SILENT
) -> Shop:
    """Return a shop whose model and statistics know the events before `start` alone; it has no indexes."""
    past = replace(data, log=data.log.filter(pl.col("timestamp") < start))
    roles = choose_spaces(settings, workspace, settings.models.serve)
    fitted = fit_served(settings, past.log, data.catalog.ids, load_modalities(workspace, roles), progress)
    shop = Shop(
        name=data.name, catalog=data.catalog, users=data.user_nouns, captions={},
        spaces=shop_spaces(settings, workspace, {}), indexes={}, embedder=make_embedder(settings),
        events=SqliteEventStore(":memory:"), root=workspace.root, recommender=fitted.model, pipeline=settings.pipeline,
    )  # fmt: skip
    return replace(shop, statistics=serving_statistics(settings, past, shop, start))
