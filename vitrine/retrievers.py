"""Recommenders that propose candidates beside the served one: fitted with it, kept in its version, opened with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

import polars as pl

from catalog.errors import ConfigError, NotBuiltError, did_you_mean
from catalog.ids import IdMap
from catalog.vectors import EmbeddingTable
from models.base import Recommender
from vitrine.settings import Settings

FOLDER = "retrievers"
"""Folder of the retrievers inside the version of the model they stand beside."""

OWN = ("liked", "popularity")
"""Retrievers that are no trained model."""


def asked_for(settings: Settings) -> tuple[str, ...]:
    """Return the models that `pipeline.retrievers` names beside the served one.

    Raises:
        ConfigError: When a name is neither a recommender nor `liked`, `liked:<space>` or `popularity`.
    """
    from models.registry import RECOMMENDERS, recommender

    wanted = [name for name in settings.pipeline.retrievers if name.split(":", 1)[0] not in OWN]
    known = list(RECOMMENDERS)
    for name in wanted:
        if name not in known:
            raise ConfigError(
                f"pipeline.retrievers names {name!r}, which proposes nothing. {did_you_mean(name, [*known, *OWN])}"
            )
    return tuple(name for name in wanted if name != recommender(settings.models.serve)[0].name)


def require_trained(settings: Settings, there: Iterable[str], version: str) -> None:
    """Refuse a shop whose version lacks a retriever that the settings name.

    Raises:
        NotBuiltError: Naming it, and the cure.
    """
    if lost := next(iter(set(asked_for(settings)) - set(there)), None):
        raise NotBuiltError(f"pipeline.retrievers names {lost!r}, and {version} was trained without: run vitrine train")


def fitted_beside(
    settings: Settings,
    log: pl.DataFrame,
    items: IdMap,
    modalities: Mapping[str, EmbeddingTable],
    before: datetime | None = None,
) -> dict[str, Recommender]:
    """Fit the further retrievers on what was taken (before a moment: what the ranker learns from must be unseen).

    Args:
        settings: Name them, and their parameters in `models.overrides`.
        log: Events.
        items: The catalogue.
        modalities: Tables by role, for those that read some.
        before: Nothing at or after it is read; None: everything is.
    """
    from catalog.log import Interactions, positives
    from models.base import TrainingData
    from models.registry import build

    wanted = asked_for(settings)
    if not wanted:
        return {}
    past = log if before is None else log.filter(pl.col("timestamp") < before)
    taken = positives(past, settings.positives).sort("timestamp", maintain_order=True)
    rows = Interactions.from_log(taken, IdMap(dict.fromkeys(taken["user_id"].to_list()), "user"), items)
    found: dict[str, Recommender] = {}
    for name in wanted:
        found[name] = build(name, settings.models.overrides.get(name, {}))
        found[name].fit(TrainingData(rows, modalities), seed=settings.seed)
    return found


def save_retrievers(retrievers: Mapping[str, Recommender], folder: Path) -> None:
    """Write each into a folder of its own below `folder`, an existing version's."""
    for name, model in retrievers.items():
        (folder / FOLDER / name).mkdir(parents=True)
        model.save(folder / FOLDER / name)


def load_retrievers(folder: Path, names: Iterable[str]) -> dict[str, Recommender]:
    """Read those of a version.

    Raises:
        DataError: When one cannot be read.
    """
    from models.registry import load

    return {name: load(folder / FOLDER / name) for name in names}
