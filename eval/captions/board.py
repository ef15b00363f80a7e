"""The scoreboard: every contender and control, in each part and on each ground, with tests on the same users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from catalog.errors import DataError
from catalog.progress import SILENT, Progress
from catalog.splits import Split
from catalog.vectors import EmbeddingTable
from eval.captions.config import ScoreboardConfig
from eval.captions.contenders import RANDOM, Contender, random_table
from eval.captions.holm import holm
from eval.captions.lines import Kind, Line, base_line, best_weight, probed_line
from eval.captions.parts import Part, cold_part, warm_part
from eval.captions.probe import Solution
from eval.captions.reading import read
from eval.intervals import Paired, paired_test
from eval.metrics import Metric, parse_metric
from eval.requirements import require_test_users

NOTHING = "no content"


@dataclass(frozen=True, eq=False)
class Tested:
    """A paired test of two lines: mean of (a - b) over users, and p after Holm's correction within its family."""

    a: str
    b: str
    paired: Paired
    corrected: float


@dataclass(frozen=True, eq=False)
class Section:
    """One part on one ground.

    Attributes:
        items: How many are ranked on test.
        ground: What the contenders stand on: `no content`, or the space of what the shop wrote.
        ground_weight: Of that space, chosen as the contenders' are; None without one.
        users: External ids of the judged users, in the order of every line's values.
        lines: The base first, then contenders from the best, each before its control, then random vectors.
        against_base: Each contender, and random vectors, against the base.
        against_control: Each contender against its own vectors on the wrong items.
        between: Each two contenders.
        rows: How many rows test judges by.
        seen: Contender -> how many of those its vectors know of, where there are any; such a gain is no gain.
    """

    part: str
    source: str
    ground: str
    ground_weight: float | None
    users: tuple[str, ...]
    items: int
    lines: tuple[Line, ...]
    against_base: tuple[Tested, ...]
    against_control: tuple[Tested, ...]
    between: tuple[Tested, ...]
    rows: int
    seen: Mapping[str, int]

    def line(self, name: str, kind: Kind = "contender") -> Line:
        """Return the line of a name."""
        return next(line for line in self.lines if line.name == name and line.kind == kind)


@dataclass(frozen=True, eq=False)
class Scoreboard:
    """All sections.

    Attributes:
        absent: Why the cold part is missing; None where it is there.
    """

    sections: tuple[Section, ...]
    regularisation: float
    absent: str | None = None


def scoreboard(
    split: Split,
    contenders: Sequence[Contender],
    config: ScoreboardConfig,
    *,
    ground: EmbeddingTable | None = None,
    progress: Progress = SILENT,
) -> Scoreboard:
    """Probe every contender on nothing and on what the shop wrote, where items are known and where they are not.

    Args:
        split: Its validation part chooses, its test part is read once a line.
        contenders: Spaces; the one that is the ground stands on nothing alone.
        config: Metric, grids, controls.
        ground: What the shop wrote; None leaves that ground out.
        progress: Told of every line.

    Raises:
        DataError: When no user can be judged, there are too many items, or a space has no vector of a known item.
    """
    require_test_users(split)
    metric = parse_metric(config.metric)
    warm, cold = warm_part(split), cold_part(split, share=config.cold_share, seed=config.seed)
    if not len(warm.test.users):
        raise DataError(
            f"protocol {split.protocol!r}: no test row is of an item with a train row, so no contender can be judged"
        )
    absent = None if cold else "no user of the validation part and of the test part took an item without a train row"
    parts = [warm, *([cold] if cold else [])]
    progress.start("caption scoreboard", sum(len(list(_wanted(part, ground, contenders))) for part in parts))
    log, regularisation = _solved(warm, metric, config)
    sections: list[Section] = []
    for part in parts:
        bare = log if part is warm else Solution.of(part.history, regularisation, config.max_items)
        for base, weight, on in _grounds(part, bare, ground, metric, config):
            lines = _lines(part, base, on, split, contenders, metric, config, progress)
            sections.append(_section(part, split, on, weight, lines, contenders, config))
    progress.finish()
    return Scoreboard(tuple(sections), regularisation, absent)


def _solved(part: Part, metric: Metric, config: ScoreboardConfig) -> tuple[Solution, float]:
    """Return the log's own solution at the lambda that validation chooses without content."""
    grid = config.regularisations if len(part.valid.users) else _middle(config.regularisations)
    best: tuple[float, Solution, float] | None = None
    for each in grid:
        solution = Solution.of(part.history, each, config.max_items)
        value = float(part.judge(part.valid, solution.scores, metric).mean()) if len(grid) > 1 else 0.0
        if best is None or value > best[0]:
            best = (value, solution, each)
    assert best is not None
    return best[1], best[2]


def _middle(grid: tuple[float, ...]) -> tuple[float, ...]:
    return grid[len(grid) // 2 :][:1]


def _grounds(
    part: Part, bare: Solution, ground: EmbeddingTable | None, metric: Metric, config: ScoreboardConfig
) -> Iterator[tuple[Solution, float | None, str]]:
    yield bare, None, NOTHING
    if ground is not None:
        weight = best_weight(part, bare, ground, config.weights, metric)[0]
        yield bare.folded(read(ground, part.known, part.new), weight), weight, ground.space


def _wanted(part: Part, ground: EmbeddingTable | None, contenders: Sequence[Contender]) -> Iterator[tuple[str, str]]:
    for on in (NOTHING, *([ground.space] if ground is not None else [])):
        yield on, RANDOM
        yield from ((on, each.name) for each in contenders if each.name != on)


def _lines(
    part: Part,
    base: Solution,
    on: str,
    split: Split,
    contenders: Sequence[Contender],
    metric: Metric,
    config: ScoreboardConfig,
    progress: Progress,
) -> list[Line]:
    seeds = [config.seed + deal for deal in range(config.deals)]

    def probed(tables: Sequence[EmbeddingTable], name: str, kind: Kind) -> Line:
        return probed_line(part, base, tables, config.weights, metric, name=name, kind=kind)

    pairs: list[tuple[Line, Line]] = []
    for each in contenders:
        if each.name != on:
            own = probed([each.table], each.name, "contender")
            pairs.append((own, probed([each.dealt(seed) for seed in seeds], each.name, "shuffled")))
            progress.advance(1, f"{part.name} items on {on}: {each.name} {own.values.mean():.4f}")
    pairs.sort(key=lambda pair: -pair[0].values.mean())
    random = probed([random_table(split.items, seed) for seed in seeds], RANDOM, "random")
    progress.advance()
    return [base_line(part, base, on, metric, config.seed), *(line for pair in pairs for line in pair), random]


def _section(
    part: Part,
    split: Split,
    on: str,
    weight: float | None,
    lines: Sequence[Line],
    contenders: Sequence[Contender],
    config: ScoreboardConfig,
) -> Section:
    base, random = lines[0], lines[-1]
    own = [line for line in lines if line.kind == "contender"]
    controls = {line.name: line for line in lines if line.kind == "shuffled"}
    judged = part.judged_pairs()
    seen = {each.name: len(judged & each.learned_from) for each in contenders}
    return Section(
        part.name,
        part.source,
        on,
        weight,
        tuple(split.users.at(part.test.users)),
        part.ranked,
        tuple(lines),
        _tested([(line, base) for line in (*own, random)], config.seed),
        _tested([(line, controls[line.name]) for line in own], config.seed),
        _tested(list(combinations(own, 2)), config.seed),
        len(judged),
        {name: count for name, count in seen.items() if count},
    )


def _tested(pairs: Sequence[tuple[Line, Line]], seed: int) -> tuple[Tested, ...]:
    found = [paired_test(a.values, b.values, seed=seed) for a, b in pairs]
    corrected = holm([each.p for each in found])
    return tuple(Tested(a.name, b.name, each, p) for (a, b), each, p in zip(pairs, found, corrected, strict=True))


def mean_of(line: Line) -> float:
    """Return the mean over users."""
    return float(np.mean(line.values))
