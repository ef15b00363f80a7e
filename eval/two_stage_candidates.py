"""The union of what the retrievers propose, with what each of them says of every candidate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from catalog.log import Interactions
from catalog.vectors import Floats, Mask
from eval.selection import top_k
from models.base import UserScorer

Rows = npt.NDArray[np.int64]

BATCH = 256
LIST = 20
"""Place of the list whose score the column `behind` counts from."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Candidates of several shoppers, shopper by shopper, best mean score first.

    Attributes:
        users: (g,) rows of the shoppers.
        sizes: (g,) candidates of each.
        items: (n,) item rows.
        values: (n, f) what the retrievers say.
        names: Names of those columns.
    """

    users: Rows
    sizes: Rows
    items: Rows
    values: Floats
    names: tuple[str, ...]

    @property
    def starts(self) -> Rows:
        """Where each shopper's rows begin, and where the last one's end, (g + 1,)."""
        return np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)

    def column(self, name: str) -> Floats:
        """Return the (n,) column called `name`."""
        return self.values[:, self.names.index(name)]


def candidates(
    scorers: Mapping[str, UserScorer], train: Interactions, users: Rows, *, depth: int, pool: int
) -> Candidates:
    """Return what is proposed to each of `users`, nothing they have in `train`.

    Columns: `score.<retriever>`, standardised over what may be shown to the shopper; `rank.<retriever>`, log(1 + place)
    or NaN beyond `depth`; `behind.<retriever>`, the score less that of its 20th item; `proposals`, by how many;
    `mean_score`.

    Args:
        scorers: Retrievers by name.
        train: Rows that may not be shown.
        users: (g,) rows.
        depth: Best items of each that are proposed.
        pool: Most candidates of a shopper; those of the lowest mean score are left out.
    """
    names = tuple(f"{what}.{name}" for name in scorers for what in ("score", "rank", "behind"))
    taken = train.csr()
    sizes: list[int] = []
    items: list[Rows] = []
    values: list[Floats] = []
    for start in range(0, len(users), BATCH):
        rows = users[start : start + BATCH]
        hidden = taken[rows]
        said = [_said(scorer(rows), hidden.toarray() > 0, depth) for scorer in scorers.values()]
        proposals = np.sum([np.isfinite(rank) for _, rank, _ in said], axis=0)
        mean = np.mean([score for score, _, _ in said], axis=0)
        order = np.argsort(np.where(proposals > 0, -mean, np.inf), axis=1, kind="stable")[:, :pool]
        for at in range(len(rows)):
            chosen = order[at, : min(pool, int((proposals[at] > 0).sum()))]
            columns = [column[at, chosen] for each in said for column in each]
            values.append(np.stack([*columns, proposals[at, chosen], mean[at, chosen]], axis=1).astype(np.float32))
            items.append(chosen.astype(np.int64))
            sizes.append(len(chosen))
    return Candidates(
        users,
        np.array(sizes, np.int64),
        np.concatenate(items),
        np.concatenate(values),
        (*names, "proposals", "mean_score"),
    )


def _said(scores: Floats, hidden: Mask, depth: int) -> tuple[Floats, Floats, Floats]:
    """Return standard scores, log places and distances from the list's last, each (b, n_items)."""
    standard = standardised(scores, hidden)
    rank = np.full(scores.shape, np.nan, np.float32)
    best = top_k(standard, depth, None)
    rows = np.arange(len(scores))[:, None]
    places = np.where(hidden[rows, best], np.nan, np.log1p(np.arange(1, best.shape[1] + 1)))
    rank[rows, best] = places
    last = standard[np.arange(len(scores)), best[:, min(LIST, best.shape[1]) - 1]]
    return standard, rank, standard - last[:, None]


def standardised(scores: Floats, hidden: Mask) -> Floats:
    """Return scores with mean 0 and deviation 1 over what may be shown; what may not stands far below."""
    shown = (~hidden).sum(axis=1, keepdims=True).clip(1)
    centre = np.where(hidden, 0, scores).sum(axis=1, keepdims=True, dtype=np.float64) / shown
    apart = np.where(hidden, 0, scores - centre)
    spread = np.sqrt((apart * apart).sum(axis=1, keepdims=True) / shown)
    return np.where(hidden, -1e3, apart / np.maximum(spread, 1e-9)).astype(np.float32)
