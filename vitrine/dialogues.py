"""`vitrine eval dialogue`: recorded conversations put to the store's own agent, and such a file made from its log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from catalog.errors import ConfigError, DataError
from catalog.events import SqliteEventStore
from catalog.log import positives
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.workspace import Workspace, write_text
from eval.dialogue.config import DialogueConfig
from eval.dialogue.judging import judge_dialogues
from eval.dialogue.making import MakeConfig, redial_records
from eval.dialogue.reading import read_dialogues
from eval.dialogue.report import dialogue_json, write_dialogue_report
from eval.report import LABELS, commit
from vitrine.published import data_origin
from vitrine.settings import Settings
from vitrine.wiring import make_agent, open_shop


@dataclass(frozen=True)
class JudgedDialogues:
    """The report and every file that was written."""

    report: Mapping[str, Any]
    files: tuple[Path, ...]


def judge_store_dialogues(
    settings: Settings, path: Path, config: DialogueConfig, *, also: Path | None = None, progress: Progress = SILENT
) -> JudgedDialogues:
    """Ask the store's agent at every moment of the dialogues in `path`, and write `reports/dialogue.{json,md}`.

    Nothing of it reaches the store's events, traces or conversations.

    Raises:
        ConfigError: When the agent may show fewer items than the largest cut-off.
        DataError: When the file holds no dialogue that can be judged.
        NotBuiltError: When the store has no catalogue or no index.
    """
    if settings.agent.max_top_n < max(config.ks):
        raise ConfigError(
            f"agent.max_top_n is {settings.agent.max_top_n!r} and the largest cut-off {max(config.ks)!r}; "
            "a smaller cut-off, or to let the agent show as many, would be valid"
        )
    file = read_dialogues(path)
    workspace = Workspace(settings.store)
    data = load_shop(workspace)
    opened = open_shop(settings)
    try:
        with (
            TemporaryDirectory(prefix="vitrine-dialogues-") as folder,
            closing(SqliteEventStore(Path(folder) / "events.sqlite")) as events,
        ):
            shop = replace(opened, events=events)
            popular = _popular(data.log, settings.positives)
            verdict = asyncio.run(
                judge_dialogues(
                    make_agent(settings, shop), shop.catalog, file.dialogues, config, popular=popular, progress=progress
                )
            )
    finally:
        opened.events.close()
    manifest = workspace.manifest("catalog")
    assert manifest is not None
    llm = settings.agent.llm
    provenance = {
        "dataset": data.name, "label": LABELS[data_origin(manifest, data.log)], "data_key": manifest.key,
        "commit": commit(), "mind": llm.model if llm else "planner", "parts": dict(opened.active),
    }  # fmt: skip
    report = dialogue_json(verdict, file, config, provenance)
    return JudgedDialogues(report, tuple(write_dialogue_report(workspace.root / "reports", report, also)))


def make_store_dialogues(settings: Settings, path: Path, config: MakeConfig) -> int:
    """Write dialogues made from the store's log to `path` in ReDial's form, and return how many.

    Raises:
        DataError: When no shopper took enough, or the file cannot be written.
    """
    data = load_shop(Workspace(settings.store))
    records = list(redial_records(data.catalog, positives(data.log, settings.positives), config))
    try:
        write_text(path, "".join(f"{json.dumps(record, ensure_ascii=False)}\n" for record in records))
    except OSError as error:
        raise DataError(f"dialogues {str(path)!r} cannot be written: {error}") from error
    return len(records)


def _popular(log: pl.DataFrame, kinds: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return item ids by how often they were taken, most first."""
    if not len(log):
        return ()
    counts = positives(log, kinds).group_by("item_id").len().sort(["len", "item_id"], descending=[True, False])
    return tuple(counts["item_id"])
