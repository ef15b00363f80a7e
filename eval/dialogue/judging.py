"""Recall@k and NDCG@k of answers to dialogues, with intervals over dialogues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from agent.loop import Agent
from catalog.errors import DataError
from catalog.items import Catalog
from catalog.progress import SILENT, Progress
from eval.dialogue.asking import Reply, replies
from eval.dialogue.config import TOP_N, DialogueConfig
from eval.dialogue.moments import Mapped, Moment, judged_dialogue
from eval.dialogue.nouns import Dialogue
from eval.dialogue.titles import TitleIndex
from eval.intervals import Interval
from eval.metrics import Values, parse_metric, per_user

METRICS = ("recall", "ndcg")
BATCH = 200
"""Resamples in memory at once."""

POPULARITY = "popularity"


@dataclass(frozen=True, eq=False)
class Row:
    """One contender.

    Attributes:
        values: (n_moments, n_metrics), in the order of `Verdict.metrics`.
        outcomes: How its answers ended.
        shown: Items an answer had on average, those mentioned before removed.
    """

    name: str
    values: Values
    outcomes: Counter[str]
    shown: float


@dataclass(frozen=True, eq=False)
class Verdict:
    """What came of an evaluation.

    Attributes:
        metrics: Names of the columns, `recall@1` and so on.
        rows: Contenders.
        dialogues: (n_moments,) which dialogue each moment belongs to, from 0.
        turns: (n_moments,) which of the shopper's turns it is, from 1.
        told: What could not be mapped or judged.
    """

    metrics: tuple[str, ...]
    rows: tuple[Row, ...]
    dialogues: npt.NDArray[np.int64]
    turns: npt.NDArray[np.int64]
    told: Mapped


async def judge_dialogues(
    agent: Agent,
    catalog: Catalog,
    dialogues: Sequence[Dialogue],
    config: DialogueConfig,
    *,
    popular: Sequence[str] = (),
    progress: Progress = SILENT,
) -> Verdict:
    """Ask the agent at every moment of every dialogue, and judge what it shows.

    Args:
        agent: Who answers, of a shop whose events nobody needs: every answer is logged there.
        catalog: Its items.
        dialogues: In the order of the file.
        config: What is asked and measured.
        popular: Items by how often they were taken, most first: the answer to beat, the same to every message.
        progress: Told of every dialogue.

    Raises:
        DataError: When no dialogue has a moment; the text says why.
    """
    titles, told = TitleIndex(catalog), Mapped()
    judged = [judged_dialogue(each, titles, config.targets, told) for each in dialogues[: config.limit]]
    judged = [each for each in judged if each.moments]
    if not judged:
        raise DataError(f"none of {len(dialogues):,} dialogues can be judged: {why_not(told)}")
    moments = [moment for each in judged for moment in each.moments]
    found: dict[str, list[Reply]] = {POPULARITY: [_popular(popular, each) for each in moments]} if popular else {}
    asked: dict[str, list[Reply]] = {f"agent, history {history}": [] for history in config.history}
    progress.start("dialogues", len(judged))
    for each in judged:
        for history, kept in zip(config.history, asked.values(), strict=True):
            kept += await replies(agent, each, history)
        progress.advance()
    progress.finish()
    names = tuple(f"{metric}@{k}" for metric in METRICS for k in config.ks)
    return Verdict(
        names,
        tuple(_row(name, each, moments, names) for name, each in {**asked, **found}.items()),
        np.repeat(np.arange(len(judged)), [len(each.moments) for each in judged]),
        np.array([moment.number for moment in moments], np.int64),
        told,
    )


def why_not(told: Mapped) -> str:
    """Return why turns were not judged, and which targets the shop has not, in one line."""
    skipped = [f"{count:,} {reason}" for reason, count in told.skipped.most_common()]
    missed = [f"{count:,} targets {reason}" for reason, count in told.missed.most_common()]
    return ", ".join([*skipped, *missed]) or "no turn of a recommender names an item"


def intervals(values: Values, dialogues: npt.NDArray[np.int64], *, seed: int, resamples: int) -> list[Interval]:
    """Return the mean of each column of `values` (n_moments, m) with its 95% interval, dialogues drawn anew.

    Moments of one dialogue hang together, so it is dialogues that are drawn, each with all its moments.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 8 and 13.
    """
    _, code = np.unique(dialogues, return_inverse=True)
    n = int(code.max()) + 1
    sums = np.zeros((n, values.shape[1]))
    np.add.at(sums, code, values)
    counts = np.bincount(code).astype(np.float64)
    rng = np.random.default_rng(seed)
    means = []
    for first in range(0, resamples, BATCH):
        drawn = rng.multinomial(n, np.full(n, 1 / n), size=min(BATCH, resamples - first)).astype(np.float64)
        means.append((drawn @ sums) / (drawn @ counts)[:, None])
    low, high = np.quantile(np.concatenate(means), [0.025, 0.975], axis=0)
    return [Interval(*map(float, each)) for each in zip(values.mean(axis=0), low, high, strict=True)]


def _row(name: str, answers: Sequence[Reply], moments: Sequence[Moment], metrics: Sequence[str]) -> Row:
    hit = np.zeros((len(moments), TOP_N), np.bool_)
    shown = 0
    for at, (answer, moment) in enumerate(zip(answers, moments, strict=True)):
        left = [item for item in dict.fromkeys(answer.item_ids) if item not in moment.mentioned][:TOP_N]
        hit[at, : len(left)] = [item in moment.targets for item in left]
        shown += len(left)
    relevant = np.array([len(moment.targets) for moment in moments], np.int64)
    values = np.stack([per_user(parse_metric(metric), hit, relevant) for metric in metrics], axis=1)
    return Row(name, values, Counter(answer.outcome for answer in answers), shown / len(moments))


def _popular(popular: Sequence[str], moment: Moment) -> Reply:
    return Reply(tuple(popular[: TOP_N + len(moment.mentioned)]), "recommended")
