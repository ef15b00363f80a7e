"""The whole table: every model on movies and beauty, under every protocol, from one resumable command.

    python -m bench.ladder [--data FOLDER] [--stores FOLDER] [--minutes 60] [--jobs 2] [--only movies/mmrec ...]

Three seeds for models with chance in them, one for the others. Every finished cell (model, split, seed) is
kept in its store, so that the command goes on where it was stopped; `--minutes` starts no new cell after
that time, and the table then says what is still missing. Cheap models come first. Labelled *real data,
measured here*; under `temporal` only 19 of the 81 judged users have a history: reported, nothing claimed.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from catalog.errors import DataError
from catalog.splits import ProtocolName, Split, make_split
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from eval.config import EvalConfig
from eval.contenders import contender
from eval.report import report_json, report_markdown
from eval.table import evaluate

SEEDS = (999, 2024, 2025)
METRICS = ("ndcg@20", "recall@20", "hit@10", "coverage@10")
SPACES = {
    "movies": {"picture": "image_feat", "text": "text_feat"},
    "beauty": {"taxonomy": "taxonomy_feat", "text": "text_feat"},
}


@dataclass(frozen=True)
class Setting:
    """One table: a data set under a protocol and one of its own label columns."""

    dataset: str
    protocol: ProtocolName
    label_column: str

    @property
    def title(self) -> str:
        """Short name, as `--only` takes it."""
        return f"{self.dataset}/{self.label_column.removeprefix('x_').replace('label_', '')}"


SETTINGS = (
    Setting("movies", "mmrec", "x_label"),
    Setting("movies", "mmrec", "x_label_last"),
    Setting("movies", "temporal", "x_label_time"),
    Setting("beauty", "mmrec", "x_label"),
    Setting("beauty", "last", "x_label_time"),
)

MODELS = (
    "popularity", "itemknn", "content_knn", "ease", "content_linear", "als", "bprmf", "vbpr", "two_tower", "freedom",
    "lightgcn", "lirdrec", "sasrec", "din", "sequence_linear", "lirdrec-no-transformation", "lirdrec-no-copying",
    "lirdrec-no-item-graph", "lirdrec-with-ids", "sequence_tower", "two_stage", "two_stage-last", "lirdrec-exact",
)  # fmt: skip
"""Rows, in the order they are worked through."""

STATED = ("sequence_linear", "sequence_tower", "two_stage", "two_stage-last")
"""Models that also read what the shop states of its items (role `attributes`); the others read the vectors alone."""


@dataclass(frozen=True)
class Task:
    """One cell to fill."""

    setting: Setting
    model: str
    seed: int


@dataclass(frozen=True)
class Outcome:
    """How a task went: None, or why the model refused."""

    task: Task
    seconds: float
    refused: str | None = None


def main() -> None:
    """Fill cells until all are there or the time is over, then print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("TEST_DATA", "../shared/data")))
    parser.add_argument("--stores", type=Path, default=Path("store/ladder"), help="where cells are kept")
    parser.add_argument("--minutes", type=float, default=60, help="no cell is started after this time")
    parser.add_argument("--jobs", type=int, default=2, help="processes, one thread each")
    parser.add_argument("--only", nargs="+", choices=[s.title for s in SETTINGS], help="these tables alone")
    parser.add_argument("--models", nargs="+", default=MODELS, help="these rows alone")
    given = parser.parse_args()
    if not given.data.is_dir():
        print(f"skipped: {str(given.data)!r} does not exist; --data or TEST_DATA names the folder of the data sets")
        return
    settings = [s for s in SETTINGS if not given.only or s.title in given.only]
    tasks = [Task(s, model, seed) for model in given.models for s in settings for seed in seeds_of(model)]
    for dataset in dict.fromkeys(s.dataset for s in settings):
        prepared(given.data, given.stores, dataset)
    outcomes = filled(tasks, given.stores, given.jobs, time.monotonic() + 60 * given.minutes)
    for setting in settings:
        print(table_text(setting, tasks, outcomes, given.stores))


def seeds_of(model: str) -> tuple[int, ...]:
    """Return the seeds a model is fitted with: one where chance plays no part."""
    return SEEDS[:1] if getattr(contender(model), "deterministic", False) else SEEDS


def prepared(data: Path, stores: Path, dataset: str) -> None:
    """Import a data set into its store, once."""
    from catalog.readers.importing import save_import
    from catalog.readers.mmrec import read_mmrec
    from catalog.readers.rejects import Rejects

    workspace = Workspace(stores / dataset)
    if not workspace.has("catalog"):
        print(save_import(workspace, read_mmrec(data / dataset, rejects=Rejects())).text(), flush=True)


def filled(tasks: list[Task], stores: Path, jobs: int, deadline: float) -> dict[Task, Outcome]:
    """Return the outcome of every task finished in time; cells that stand already take no time."""
    outcomes: dict[Task, Outcome] = {}
    waiting = iter(tasks)
    running: set[Future[Outcome]] = set()
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_alone) as pool:
        while True:
            while len(running) < jobs and time.monotonic() < deadline and (task := next(waiting, None)):
                running.add(pool.submit(fill, task, stores))
            if not running:
                return outcomes
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = future.result()
                outcomes[outcome.task] = outcome
                note = outcome.refused or f"{outcome.seconds:.0f} s"
                print(f"{outcome.task.setting.title} {outcome.task.model} {outcome.task.seed}: {note}", flush=True)


def _alone() -> None:
    """Keep a worker to one thread: two processes with two threads each are slower than two with one."""
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)


def fill(task: Task, stores: Path) -> Outcome:
    """Fit and measure one cell, unless it stands already."""
    started = time.monotonic()
    config = _config((task.model,), (task.seed,), task.setting, resamples=100)
    split, modalities, key = inputs(stores, task.setting)
    workspace = Workspace(stores / task.setting.dataset)
    try:
        evaluate(split, modalities, config, workspace=workspace, data_key=key)
    except DataError as error:
        return Outcome(task, time.monotonic() - started, str(error))
    return Outcome(task, time.monotonic() - started)


def _config(models: tuple[str, ...], seeds: tuple[int, ...], setting: Setting, resamples: int = 2000) -> EvalConfig:
    vectors = tuple(SPACES[setting.dataset])
    roles = {model: vectors for model in models if model not in STATED}
    return EvalConfig(models=models, metrics=METRICS, seeds=seeds, roles=roles, resamples=resamples)


@lru_cache(maxsize=2)
def inputs(stores: Path, setting: Setting) -> tuple[Split, dict[str, EmbeddingTable], str]:
    """Return the split, the vectors by role and the content key of the data."""
    from catalog.shop_data import load_shop
    from embedding.attribute_table import attribute_table
    from vitrine.wiring import load_modalities

    workspace = Workspace(stores / setting.dataset)
    data = load_shop(workspace)
    split = make_split(
        data.log, data.catalog.ids, protocol=setting.protocol, label_column=setting.label_column, seed=SEEDS[0]
    )
    manifest = workspace.manifest("catalog")
    assert manifest is not None
    modalities = load_modalities(workspace, SPACES[setting.dataset])
    return split, {**modalities, "attributes": attribute_table(list(data.catalog))}, manifest.key


def table_text(setting: Setting, tasks: list[Task], outcomes: dict[Task, Outcome], stores: Path) -> str:
    """Return the Markdown table of a setting: finished rows, and a line for each that refused or is missing."""
    rows, notes = [], []
    for model in dict.fromkeys(task.model for task in tasks):
        mine = [task for task in tasks if task.setting == setting and task.model == model]
        refused = next((o.refused for t in mine if (o := outcomes.get(t)) and o.refused), None)
        if refused:
            notes.append(f"- {model}: refused: {refused}")
        elif not all(task in outcomes for task in mine):
            notes.append(f"- {model}: not yet measured ({sum(t in outcomes for t in mine)} of {len(mine)} seeds)")
        else:
            rows.append(model)
    if not rows:
        return "\n".join([f"## {setting.title}", "", *notes, ""])
    split, modalities, key = inputs(stores, setting)
    workspace = Workspace(stores / setting.dataset)
    config = _config(tuple(rows), SEEDS, setting)
    table = evaluate(split, modalities, config, workspace=workspace, data_key=key)
    report = report_json(
        table,
        dataset=setting.title,
        origin="published",
        data_key=key,
        modalities={**SPACES[setting.dataset], "attributes": "attributes"},
        config=config,
    )
    return "\n".join([report_markdown(report), *notes, *_claim(setting), ""])


def _claim(setting: Setting) -> Iterator[str]:
    if setting.protocol == "temporal":
        yield "- Too few users with a history for a claim: reported only."


if __name__ == "__main__":
    main()
