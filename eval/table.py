"""The table: models x metrics on one protocol, with intervals and paired tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from catalog.progress import SILENT, Progress
from catalog.splits import Split
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from eval.cells import Cell, cell_key, fit_cell, load_cell, save_cell, shuffled
from eval.config import EvalConfig
from eval.intervals import Interval, Paired, bootstrap_interval, paired_test
from eval.metrics import Metric, Values, parse_metric
from models.registry import build


@dataclass(frozen=True, eq=False)
class Row:
    """One model of the table, over all its seeds."""

    name: str
    intervals: Mapping[str, Interval]
    values: Mapping[str, Values]
    seeds: tuple[int, ...]
    epochs: tuple[int, ...]
    fit_seconds: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """A paired test of two rows on the first metric: mean of (a - b) over users."""

    a: str
    b: str
    metric: str
    paired: Paired


@dataclass(frozen=True, eq=False)
class Table:
    """All rows of one protocol, and each row against the first (and against its own shuffled control)."""

    protocol: str
    n_users: int
    n_cold_users: int
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]


def evaluate(
    split: Split,
    modalities: Mapping[str, EmbeddingTable],
    config: EvalConfig,
    *,
    workspace: Workspace | None = None,
    data_key: str = "",
    progress: Progress = SILENT,
) -> Table:
    """Fit every model afresh and measure it on the test part.

    Args:
        split: The protocol's parts; a model never sees more than train and, for stopping, valid.
        modalities: Embedding tables by role; models take the roles they know.
        config: Rows, columns and seeds.
        workspace: Where cells are kept so that an interrupted table resumes; None keeps nothing.
        data_key: Content key of the catalogue, part of every cell's key.
        progress: Told of every epoch.

    Raises:
        ConfigError: When a model, metric or modality role is unknown.
    """
    metrics = [parse_metric(text) for text in config.metrics]
    rows = []
    for name in config.models:
        controls = [role for role in config.shuffle if role in modalities and _reads_modalities(name)]
        for role in (None, *controls):
            rows.append(_row(name, role, split, modalities, metrics, config, workspace, data_key, progress))
    return Table(
        split.protocol,
        len(np.unique(split.test.user_rows)),
        len(split.cold_users),
        tuple(rows),
        tuple(_comparisons(rows, config)),
    )


def _row(
    name: str,
    role: str | None,
    split: Split,
    modalities: Mapping[str, EmbeddingTable],
    metrics: list[Metric],
    config: EvalConfig,
    workspace: Workspace | None,
    data_key: str,
    progress: Progress,
) -> Row:
    """Fit one model once a seed; with `role`, that modality's vectors are dealt anew for each seed."""
    overrides = dict(config.overrides.get(name, {}))
    cells: list[Cell] = []
    for seed in config.seeds:
        read = modalities if role is None else {**modalities, role: shuffled(modalities[role], seed=seed)}
        key = cell_key(data_key, split, read, name, overrides, config.metrics, config.select_by, seed)
        cell = load_cell(workspace, key) if workspace else None
        if cell is None:
            cell = fit_cell(
                name,
                split,
                read,
                metrics,
                select_by=parse_metric(config.select_by),
                overrides=overrides,
                seed=seed,
                progress=progress,
            )
            if workspace:
                save_cell(workspace, key, cell)
        cells.append(cell)
    values = {m: np.mean([cell.values[m] for cell in cells], axis=0) for m in cells[0].values}
    intervals = {m: bootstrap_interval(v, seed=0, resamples=config.resamples) for m, v in values.items()}
    for metric in cells[0].whole:
        mean = float(np.mean([cell.whole[metric] for cell in cells]))
        intervals[metric] = Interval(mean, mean, mean)
    ordered = {str(metric): intervals[str(metric)] for metric in metrics if str(metric) in intervals}
    epochs = tuple(cell.epochs for cell in cells)
    title = name if role is None else f"{name} ({role} shuffled)"
    return Row(title, ordered, values, config.seeds, epochs, sum(cell.fit_seconds for cell in cells))


def _comparisons(rows: list[Row], config: EvalConfig) -> list[Comparison]:
    """Every row against the first, and every model against its shuffled controls."""
    metric = next((m for m in config.metrics if not m.startswith("coverage")), None)
    if metric is None:
        return []
    pairs = [(row, rows[0]) for row in rows[1:]]
    pairs += [(row, control) for row in rows for control in rows if control.name.startswith(f"{row.name} (")]
    return [
        Comparison(a.name, b.name, metric, paired_test(a.values[metric], b.values[metric], seed=0)) for a, b in pairs
    ]


def _reads_modalities(name: str) -> bool:
    return hasattr(build(name), "modalities")
