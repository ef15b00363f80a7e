"""Small linear recommenders beside the served one, quick enough to be fitted as of many moments.

Their scores are features of the ranker and of the click model: `taken` learns from what shoppers took, `opened` from
every page they opened as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.log import Interactions, positives
from catalog.vectors import EmbeddingTable
from models.base import Recommender, TrainingData
from models.impressions import OPENED_KINDS
from models.item_statistics import before

TAKEN, OPENED = "taken", "opened"
SCORERS = (TAKEN, OPENED)
FOLDER = "scorers"
"""Folder of the scorers inside the version of the model they stand beside."""

LARGEST = 2000
"""Items up to which content is read too: beyond it a fit takes longer than a quick one may."""


@dataclass(frozen=True)
class Lessons:
    """What scorers are fitted from.

    Attributes:
        log: Events of all times; those at or after the moment are not looked at.
        items: The catalogue.
        modalities: Tables by role, none of them learned from the log; empty: takes alone are read.
        kinds: What counts as taking; as in `catalog.log.positives`.
    """

    log: pl.DataFrame
    items: IdMap
    modalities: Mapping[str, EmbeddingTable]
    kinds: tuple[str, ...] | None = None

    @property
    def model(self) -> str:
        """Which recommender scores: `content_linear`, or `itemknn` where there are no vectors or too many items."""
        return "content_linear" if self.modalities and len(self.items) <= LARGEST else "itemknn"

    def fitted(self, as_of: datetime | None = None) -> dict[str, Recommender]:
        """Return the scorers as of a moment (None: of the whole log); {} where nobody took anything by then."""
        past = self.log if as_of is None else before(self.log, as_of)
        taken = positives(past, self.kinds)
        opened = past.filter(pl.col("kind").is_in(list(OPENED_KINDS)))
        columns = ["user_id", "item_id", "timestamp"]
        rows = {TAKEN: taken.select(columns), OPENED: pl.concat([taken.select(columns), opened.select(columns)])}
        try:
            return {name: self._fit(each.sort("timestamp", maintain_order=True)) for name, each in rows.items()}
        except DataError:
            return {}  # too little has happened yet; their columns are unknown

    def _fit(self, rows: pl.DataFrame) -> Recommender:
        from models.registry import build

        users = IdMap(dict.fromkeys(rows["user_id"].to_list()), "user")
        model = build(self.model)
        model.fit(TrainingData(Interactions.from_log(rows, users, self.items), self.modalities))
        return model


def save_scorers(scorers: Mapping[str, Recommender], folder: Path) -> None:
    """Write each into a folder of its own below `folder`, an existing version's."""
    for name, scorer in scorers.items():
        (folder / FOLDER / name).mkdir(parents=True)
        scorer.save(folder / FOLDER / name)


def load_scorers(folder: Path) -> dict[str, Recommender]:
    """Read what `save_scorers` wrote; {} where there is none.

    Raises:
        DataError: When one cannot be read.
    """
    from models.registry import load

    return {each.name: load(each) for each in sorted((folder / FOLDER).glob("*"))}
