"""The table: models x metrics on one protocol, with intervals and paired tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from catalog.errors import DataError
from catalog.progress import SILENT, Progress
from catalog.splits import Split
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from eval.cells import Cell, cell_key, fit_cell, load_cell, save_cell, shuffled
from eval.config import EvalConfig
from eval.contenders import contender, family, sources_key
from eval.fit_progress import FitProgress
from eval.intervals import Interval, Paired, bootstrap_interval, paired_test
from eval.metrics import Metric, Values, parse_metric
from eval.requirements import require_test_users, unvalidated


@dataclass(frozen=True, eq=False)
class Row:
    """One model of the table, over all its seeds.

    Attributes:
        values: Metric -> per-user values, each the mean over seeds.
        spread: Metric -> least and greatest mean of a single seed.
        histories: Validation value after each epoch, one series a seed.
    """

    name: str
    intervals: Mapping[str, Interval]
    values: Mapping[str, Values]
    seeds: tuple[int, ...]
    epochs: tuple[int, ...]
    fit_seconds: float
    users: tuple[str, ...]
    spread: Mapping[str, tuple[float, float]]
    histories: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, eq=False)
class Comparison:
    """A paired test of two rows on the first metric: mean of (a - b) over users."""

    a: str
    b: str
    metric: str
    paired: Paired


@dataclass(frozen=True, eq=False)
class Table:
    """All rows of one protocol; each model against the first, and against its own controls.

    Attributes:
        cold_users: External ids of the judged users without a train row.
        refused: Row -> why it could not be fitted, such as a size limit, without the model's name.
        unvalidated: Models that validation would have stopped, where no user has a validation row.
    """

    protocol: str
    n_users: int
    n_cold_users: int
    rows: tuple[Row, ...]
    comparisons: tuple[Comparison, ...]
    refused: Mapping[str, str]
    cold_users: frozenset[str] = frozenset()
    unvalidated: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Wanted:
    """A row to be made: a model as it is, with a role's vectors dealt to the wrong items, or without the role."""

    model: str
    role: str | None = None
    change: str = ""

    @property
    def title(self) -> str:
        if self.role is None:
            return self.model
        return f"{self.model} ({self.role} shuffled)" if self.change == "shuffled" else f"{self.model} (no {self.role})"

    def modalities(self, given: Mapping[str, EmbeddingTable], seed: int) -> Mapping[str, EmbeddingTable]:
        if self.role is None:
            return given
        if self.change == "shuffled":
            return {**given, self.role: shuffled(given[self.role], seed=seed)}
        return {role: table for role, table in given.items() if role != self.role}


@dataclass(frozen=True)
class _Place:
    """Where a row's fits stand among all fits of the table."""

    listener: Progress
    before: int
    total: int

    def of(self, wanted: _Wanted, seed: int, number: int) -> FitProgress:
        title = f"{wanted.title}, seed {seed}, {self.before + number} of {self.total}"
        return FitProgress(self.listener, family(wanted.model), title)


def evaluate(
    split: Split,
    modalities: Mapping[str, EmbeddingTable],
    config: EvalConfig,
    *,
    workspace: Workspace | None = None,
    data_key: str = "",
    backdrop: Mapping[str, EmbeddingTable] | None = None,
    progress: Progress = SILENT,
) -> Table:
    """Fit every model afresh and measure it on the test part.

    A model whose fit refuses the data (a size limit, no modality to read) becomes a line of `refused`, as long as
    another row stands.

    Args:
        split: The protocol's parts; a model never sees more than train and, for stopping, valid.
        modalities: Embedding tables by role; models take the roles they know.
        config: Rows, columns and seeds.
        workspace: Where cells are kept so that an interrupted table resumes; None keeps nothing.
        data_key: Content key of the catalogue, part of every cell's key.
        backdrop: Tables in which the variety of a list is measured; None: `modalities`.
        progress: Told of every epoch.

    Raises:
        ConfigError: When a model, metric or modality role is unknown.
        DataError: When no user has a test row, before anything is fitted, or no model could be fitted; the text
            is then the first one's.
    """
    require_test_users(split)
    metrics = [parse_metric(text) for text in config.metrics]
    rows: list[Row] = []
    refused: dict[str, str] = {}
    first: DataError | None = None
    wanted_rows = list(_wanted(config, modalities))
    fits = [len(_seeds(wanted, config)) for wanted in wanted_rows]
    for at, wanted in enumerate(wanted_rows):
        shown = _Place(progress, sum(fits[:at]), sum(fits))
        try:
            row = _row(wanted, split, modalities, metrics, config, workspace, data_key, backdrop, shown)
            rows.append(row)
        except DataError as error:
            refused[wanted.title], first = _reason(wanted.model, error), first or error
    if first is not None and not rows:
        raise first
    return Table(
        split.protocol,
        len(np.unique(split.test.user_rows)),
        len(split.cold_users),
        tuple(rows),
        tuple(_comparisons(rows, config)),
        refused,
        frozenset(split.users.at(split.cold_users)),
        unvalidated(split, config.models),
    )


def _reason(model: str, error: DataError) -> str:
    """Return why a model refused, without its name, which stands before it already."""
    return str(error).removeprefix(f"{model}: ").removeprefix(f"{family(model)}: ")


def _wanted(config: EvalConfig, modalities: Mapping[str, EmbeddingTable]) -> Iterator[_Wanted]:
    for model in config.models:
        yield _Wanted(model)
        if not hasattr(contender(model), "modalities"):
            continue
        read = _of(model, modalities, config)
        yield from (_Wanted(model, role, "shuffled") for role in config.shuffle if role in read)
        if config.ablate and len(read) > 1:
            yield from (_Wanted(model, role, "without") for role in read)


def _of(model: str, modalities: Mapping[str, EmbeddingTable], config: EvalConfig) -> Mapping[str, EmbeddingTable]:
    """Return the modalities a model is to read."""
    roles = config.roles.get(model, tuple(modalities))
    return {role: table for role, table in modalities.items() if role in roles}


def _row(
    wanted: _Wanted,
    split: Split,
    modalities: Mapping[str, EmbeddingTable],
    metrics: list[Metric],
    config: EvalConfig,
    workspace: Workspace | None,
    data_key: str,
    backdrop: Mapping[str, EmbeddingTable] | None,
    shown: _Place,
) -> Row:
    """Fit one model once a seed; shuffled vectors are dealt anew a seed."""
    overrides = dict(config.overrides.get(wanted.model, {}))
    seeds = _seeds(wanted, config)
    cells: list[Cell] = []
    for number, seed in enumerate(seeds, start=1):
        read = wanted.modalities(_of(wanted.model, modalities, config), seed)
        asked = (wanted.model, sources_key(wanted.model), overrides, config.metrics, config.select_by, seed)
        key = cell_key(data_key, split, read, *asked)
        cell = load_cell(workspace, key) if workspace else None
        if cell is None:
            cell = fit_cell(
                wanted.model,
                split,
                read,
                metrics,
                select_by=parse_metric(config.select_by),
                overrides=overrides,
                seed=seed,
                progress=shown.of(wanted, seed, number),
                backdrop=modalities if backdrop is None else backdrop,
            )
            if workspace:
                save_cell(workspace, key, cell)
        cells.append(cell)
    return _over_seeds(wanted.title, cells, metrics, seeds, config.resamples)


def _seeds(wanted: _Wanted, config: EvalConfig) -> tuple[int, ...]:
    """Return the seeds of a row: the first alone where chance plays no part."""
    alike = getattr(contender(wanted.model), "deterministic", False) and wanted.change != "shuffled"
    return config.seeds[:1] if alike else config.seeds


def _over_seeds(title: str, cells: list[Cell], metrics: list[Metric], seeds: tuple[int, ...], resamples: int) -> Row:
    values = {m: np.mean([cell.values[m] for cell in cells], axis=0) for m in cells[0].values}
    intervals = {m: bootstrap_interval(v, seed=0, resamples=resamples) for m, v in values.items()}
    means = {m: [_mean(cell.values[m]) for cell in cells] for m in values}
    for metric in cells[0].whole:
        means[metric] = [cell.whole[metric] for cell in cells]
        mean = float(np.mean(means[metric]))
        intervals[metric] = Interval(mean, mean, mean)
    return Row(
        title,
        {str(metric): intervals[str(metric)] for metric in metrics if str(metric) in intervals},
        values,
        seeds,
        tuple(cell.epochs for cell in cells),
        sum(cell.fit_seconds for cell in cells),
        cells[0].users,
        {metric: (min(each), max(each)) for metric, each in means.items()},
        tuple(cell.history for cell in cells),
    )


def _mean(values: Values) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")


def _comparisons(rows: list[Row], config: EvalConfig) -> list[Comparison]:
    """Every model against the first, and against its own controls; a control is held against its model alone."""
    metric = next((m for m in config.metrics if rows and m in rows[0].values), None)
    models = [row for row in rows if row.name in config.models]
    if metric is None or not models:
        return []
    pairs = [(row, models[0]) for row in models[1:]]
    pairs += [(row, control) for row in models for control in rows if control.name.startswith(f"{row.name} (")]
    return [
        Comparison(a.name, b.name, metric, paired_test(a.values[metric], b.values[metric], seed=0)) for a, b in pairs
    ]
