"""Whether a model that is trained in full ranks the contenders as the probe does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from catalog.errors import ConfigError
from catalog.progress import SILENT, Progress
from catalog.splits import Split
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from eval.captions.board import NOTHING, Scoreboard, Section
from eval.captions.config import ScoreboardConfig
from eval.captions.contenders import RANDOM, Contender, random_table
from eval.captions.lines import Kind
from eval.config import EvalConfig
from eval.intervals import Interval
from eval.metrics import Values
from eval.table import Row, evaluate
from models.registry import build

Correlation = Literal["kendall", "spearman"]
PICTURE, TEXT = "picture", "text"


class Entry(NamedTuple):
    """Who is compared: a line of the scoreboard."""

    name: str
    kind: Kind


@dataclass(frozen=True, eq=False)
class Agreement:
    """The probe's and the model's ranking of the same entries, on one ground, over items with train rows.

    Attributes:
        entries: Contenders, each with its control; random vectors; and the ground where it is a space.
        probe, model: Mean of the metric, (n_entries,).
        kendall, spearman: Of all entries; intervals over users drawn anew. NaN where all of one side are equal.
        among_contenders: Kendall's of the contenders alone, NaN where there is one.
        clear_pairs: Pairs of contenders, or of one and the ground, that the probe tells apart (corrected p < .05).
        clear_alike: How many of those the model puts in the same order.
        seconds: Of the fits that were made, those of earlier runs as they were then.
    """

    ground: str
    entries: tuple[Entry, ...]
    probe: Values
    model: Values
    kendall: Interval
    spearman: Interval
    among_contenders: Interval
    clear_pairs: int
    clear_alike: int
    seconds: float


def require_reader(model: str) -> None:
    """Refuse a model that could not tell contenders apart.

    Raises:
        ConfigError: When the model is unknown, or reads no vectors.
    """
    if not hasattr(build(model), "modalities"):
        raise ConfigError(f"--check {model!r} reads no vectors; 'lirdrec' or another model that does would be valid")


def agreements(
    split: Split,
    board: Scoreboard,
    contenders: Sequence[Contender],
    config: ScoreboardConfig,
    *,
    ground: EmbeddingTable | None,
    workspace: Workspace | None = None,
    data_key: str = "",
    progress: Progress = SILENT,
) -> tuple[Agreement, ...]:
    """Train `config.check` on every contender and control, on each ground of the scoreboard, and compare the orders.

    Every fit is a cell of `eval.table`: what was finished before is not fitted again.

    Raises:
        DataError: When the model refuses the data.
    """
    assert config.check is not None
    found = []
    for section in board.sections:
        if section.part == "warm":
            on = None if section.ground == NOTHING else ground
            rows = _trained(section, on, split, contenders, config, workspace, data_key, progress)
            found.append(_agreement(section, rows, config))
    return tuple(found)


def _trained(
    section: Section,
    on: EmbeddingTable | None,
    split: Split,
    contenders: Sequence[Contender],
    config: ScoreboardConfig,
    workspace: Workspace | None,
    data_key: str,
    progress: Progress,
) -> Mapping[Entry, Row]:
    below = {} if on is None else {TEXT: on}

    def trained(tables: Mapping[str, EmbeddingTable], control: bool) -> tuple[Row, ...]:
        assert config.check is not None
        wanted = EvalConfig(
            models=(config.check,),
            metrics=(config.metric,),
            seeds=config.check_seeds,
            shuffle=(PICTURE,) if control else (),
            resamples=config.resamples,
        )
        return evaluate(split, tables, wanted, workspace=workspace, data_key=data_key, progress=progress).rows

    rows: dict[Entry, Row] = {}
    if on is not None:
        rows[Entry(section.ground, "base")] = trained(below, control=False)[0]
    for each in contenders:
        if each.name != section.ground:
            own, dealt = trained({PICTURE: each.table, **below}, control=True)
            rows[Entry(each.name, "contender")], rows[Entry(each.name, "shuffled")] = own, dealt
    drawn = random_table(split.items, config.seed)
    rows[Entry(RANDOM, "random")] = trained({PICTURE: drawn, **below}, control=False)[0]
    return rows


def _agreement(section: Section, rows: Mapping[Entry, Row], config: ScoreboardConfig) -> Agreement:
    entries = tuple(rows)
    probe = np.stack([section.line(*entry).values for entry in entries])
    users = {user: at for at, user in enumerate(next(iter(rows.values())).users)}
    judged = [users[user] for user in section.users]
    model = np.stack([rows[entry].values[config.metric][judged] for entry in entries])
    own = [at for at, entry in enumerate(entries) if entry.kind == "contender"]
    means = {
        entry.name: float(row.mean()) for entry, row in zip(entries, model, strict=True) if entry.kind != "shuffled"
    }
    clear = [
        each
        for each in (*section.between, *section.against_base)
        if each.corrected < 0.05 and each.a in means and each.b in means
    ]
    alike = [each for each in clear if (means[each.a] - means[each.b]) * each.paired.difference.mean > 0]
    return Agreement(
        section.ground,
        entries,
        probe.mean(axis=1),
        model.mean(axis=1),
        rank_agreement(probe, model, "kendall", config),
        rank_agreement(probe, model, "spearman", config),
        rank_agreement(probe[own], model[own], "kendall", config),
        len(clear),
        len(alike),
        sum(row.fit_seconds for row in rows.values()),
    )


def rank_agreement(a: Values, b: Values, kind: Correlation, config: ScoreboardConfig) -> Interval:
    """Return how alike two tables of values (n_entries, n_users) order their entries' means, -1 to 1.

    The interval draws users anew, the same for both; NaN where there are fewer than two entries, or all are equal.

    Source:
        Kendall's tau-b and Spearman's rho as in scipy.stats.
    """
    from scipy.stats import kendalltau, spearmanr

    correlation: Any = kendalltau if kind == "kendall" else spearmanr

    def alike(x: Values, y: Values) -> float:
        if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
            return float("nan")
        return float(correlation(x, y).statistic)

    rng = np.random.default_rng(config.seed)
    drawn = []
    for _ in range(config.resamples):
        users = rng.integers(0, a.shape[1], a.shape[1])
        drawn.append(alike(a[:, users].mean(axis=1), b[:, users].mean(axis=1)))
    known = np.asarray(drawn)[np.isfinite(drawn)]
    low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (float("nan"), float("nan"))
    return Interval(alike(a.mean(axis=1), b.mean(axis=1)), float(low), float(high))
