"""`vitrine train`: the recommender and the re-ranker that the shop serves, fitted on everything up to a moment.

The newest tenth of the positives is held out once. A scout fitted on the rest finds the number of
epochs and gives the ranker its model score; then the served model is fitted on everything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import polars as pl
from pydantic import BaseModel

from captioning.intents.config import active_intents
from catalog.errors import ConfigError, DataError
from catalog.ids import IdMap
from catalog.log import Interactions, positives
from catalog.progress import SILENT, Progress
from catalog.shop_data import ShopData
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace, content_key
from models.base import FitReport, Recommender, TrainingData, UserScorer
from vitrine.remedies import saying_the_remedy
from vitrine.settings import Settings

if TYPE_CHECKING:
    from models.features import FeatureStore
    from tools.shop import Shop
    from vitrine.shelf import Shelf, Version

HELD_OUT = 0.1
"""Share of the newest positives held out to stop by and to teach the ranker."""

MIN_HELD_OUT = 50
"""Fewer held-out positives than this decide nothing: the model's default number of epochs is used, no ranker."""


Relearn: TypeAlias = "Callable[[Interactions], Mapping[str, EmbeddingTable]]"
"""Train rows -> the tables by role that a model may read which is judged by other rows."""


@dataclass(frozen=True, eq=False)
class Scout:
    """A model that has not seen the newest positives.

    Attributes:
        model: Fitted on what came before `cut`.
        cut: First moment it has not seen.
        epochs: Enough epochs, by validation Recall@20 on the held-out part; None for models without epochs.
        metrics: What it reaches on the held-out part, `recall@20` and `ndcg@20`.
        modalities: What it read; a space learned from takes is learned without the held-out part.
    """

    model: Recommender
    cut: datetime
    epochs: int | None
    metrics: Mapping[str, float]
    modalities: Mapping[str, EmbeddingTable]

    @property
    def recall(self) -> float | None:
        """Validation Recall@20."""
        return self.metrics.get("recall@20")


@dataclass(frozen=True, eq=False)
class Fitted:
    """The served model, how its fit went, and the scout that came before (None: too little to hold out)."""

    model: Recommender
    report: FitReport
    scout: Scout | None


def fit_served(
    settings: Settings,
    log: pl.DataFrame,
    items: IdMap,
    modalities: Mapping[str, EmbeddingTable],
    progress: Progress = SILENT,
    *,
    relearn: Relearn | None = None,
) -> Fitted:
    """Fit the recommender the settings name on every positive of `log`.

    Args:
        settings: Say which recommender.
        log: What it learns from.
        items: The catalogue.
        modalities: Embedding tables by role.
        progress: Told of every epoch.
        relearn: Gives the scout its tables, where some were learned from takes. None: it reads `modalities` too.

    Raises:
        DataError: When the log has no positive of a known item.
    """
    from models.registry import build

    name = settings.models.serve
    overrides = dict(settings.models.overrides.get(name, {}))
    taken = positives(log, settings.positives).sort("timestamp", maintain_order=True)
    everything = _interactions(taken, items)
    with saying_the_remedy():
        scout = _scout(name, overrides, taken, items, relearn or (lambda _: modalities), settings.seed, progress)
    found = getattr(scout.model, "settings_found", None) if scout is not None else None
    if found is not None:
        overrides |= found()
    elif scout is not None and scout.epochs is not None:
        overrides["epochs"] = scout.epochs
    model = build(name, overrides)
    with saying_the_remedy():
        report = model.fit(TrainingData(everything, modalities), seed=settings.seed, progress=progress)
    return Fitted(model, report, scout)


def _scout(
    name: str,
    overrides: Mapping[str, object],
    taken: pl.DataFrame,
    items: IdMap,
    relearn: Relearn,
    seed: int,
    progress: Progress,
) -> Scout | None:
    from eval.cells import Judged
    from eval.fit_progress import FitProgress
    from eval.metrics import parse_metric
    from models.registry import build

    cut = taken["timestamp"][min(len(taken) - 1, int(len(taken) * (1 - HELD_OUT)))]
    before = taken.filter(pl.col("timestamp") < cut)
    if len(taken) - len(before) < MIN_HELD_OUT or len(before) < MIN_HELD_OUT:
        return None
    train = _interactions(before, items)
    held_out = Interactions.from_log(taken.filter(pl.col("timestamp") >= cut), train.users, items)
    judged = Judged.of(held_out, (train,))
    if not len(judged.users):
        return None
    metrics = [parse_metric("recall@20"), parse_metric("ndcg@20")]

    def validate(scorer: UserScorer) -> float:
        values, _ = judged.measure(scorer, metrics[:1])
        return float(values["recall@20"].mean())

    modalities = relearn(train)
    model = build(name, overrides)
    shown = FitProgress(progress, model.name, f"{name} on the older {1 - HELD_OUT:.0%}")
    report = model.fit(TrainingData(train, modalities), validate=validate, seed=seed, progress=shown)
    config = getattr(model, "config", None)
    has_epochs = isinstance(config, BaseModel) and "epochs" in type(config).model_fields
    epochs = int(np.argmax(report.history)) + 1 if has_epochs and report.history else None
    values, _ = judged.measure(model.score_users, metrics)
    return Scout(model, cut, epochs, {metric: float(each.mean()) for metric, each in values.items()}, modalities)


def _interactions(taken: pl.DataFrame, items: IdMap) -> Interactions:
    users = IdMap(dict.fromkeys(taken["user_id"].to_list()), "user")
    rows = Interactions.from_log(taken, users, items)
    if not len(rows):
        raise DataError("the log has no positive of a known item, so there is nothing to train on")
    return rows


def before(log: pl.DataFrame, as_of: datetime | None) -> pl.DataFrame:
    """Return the events before `as_of`, or all.

    Raises:
        ConfigError: When none is left.
    """
    if as_of is None:
        return log
    left = log.filter(pl.col("timestamp") < as_of)
    if not len(left):
        first = str(log["timestamp"].min())
        raise ConfigError(f"--as-of {as_of.isoformat()} leaves no event; a moment after {first} would be valid")
    return left


def with_live(log: pl.DataFrame, live: pl.DataFrame) -> pl.DataFrame:
    """Return a log with live events behind it; one that stands in it is not taken twice."""
    new = live.join(log.select("event_id"), on="event_id", how="anti", maintain_order="left")
    return pl.concat([log, new], how="diagonal") if len(new) else log


def serving_statistics(
    settings: Settings,
    data: ShopData,
    shop: Shop,
    as_of: datetime | None = None,
    *,
    spaces: Mapping[str, EmbeddingTable] | None = None,
    sources: tuple[str, ...] | None = None,
    intents: str | None = None,
    scorers: tuple[str, ...] = (),
) -> FeatureStore:
    """Return the look-ups of the ranker's features.

    Args:
        settings: Say which kinds are positives.
        data: The log.
        shop: Its catalogue, spaces and retrieval sources.
        as_of: Nothing at or after it is known; None: just after the last event.
        spaces: Those a ranker was trained with, where there is one; None: the shop's.
        sources: Likewise.
        intents: Name of the intents that become features, `intents/<name>`; None: none do.
        scorers: Names of the small recommenders whose scores become features.

    Raises:
        NotBuiltError: When those intents are not in the store.
    """
    from models.features import FeatureConfig, FeatureStore
    from models.intents.features import IntentFeatures
    from tools.pipeline.training import source_names

    config = FeatureConfig(
        sources=source_names(shop) if sources is None else sources, models=scorers, positives=settings.positives
    )
    moment = as_of or _just_after(data.log)
    said = None
    if intents is not None:
        from captioning.intents.job import load_intents
        from vitrine.intent_meanings import meaning_of

        workspace, half_life = Workspace(settings.store), settings.intents.half_life_days
        rows = load_intents(workspace, intents)
        meaning = meaning_of(shop, workspace, intents, rows)
        said = IntentFeatures(
            rows, shop.catalog, as_of=moment, half_life_days=half_life, name=intents, meaning=meaning
        )  # fmt: skip
    return FeatureStore(
        shop.catalog, data.log, as_of=moment, spaces=shop.spaces if spaces is None else spaces, config=config,
        intents=said, users=data.user_nouns,
    )  # fmt: skip


def ranker_intents(settings: Settings, workspace: Workspace) -> str | None:
    """Return the name of the intents a ranker is taught with; None where they are off, or were never read."""
    chosen = settings.intents
    return active_intents(chosen, workspace) if chosen.ranker else None


def model_key(settings: Settings, workspace: Workspace, roles: Mapping[str, str], as_of: datetime | None) -> str:
    """Return the content key of a trained model: data, vectors, the model's settings and source, and the seed."""
    from models.provenance import code_key
    from vitrine.retrievers import asked_for

    choices: tuple[object, ...]
    inputs = model_inputs(settings, workspace, roles)
    for name in inputs:
        if name.startswith("intents/"):
            inputs[name] = f"{inputs[name]} {settings.intents.half_life_days}"
    name = settings.models.serve
    choices = (name, settings.models.overrides.get(name, {}), code_key(name))
    for beside in asked_for(settings):
        choices = (*choices, beside, settings.models.overrides.get(beside, {}), code_key(beside))
    return content_key(
        "train", inputs, dict(roles), choices, settings.positives, settings.seed, as_of, settings.models.ctr
    )


def model_inputs(settings: Settings, workspace: Workspace, roles: Mapping[str, str]) -> dict[str, str | None]:
    """Return the content key of every artifact that a training reads, by name."""
    names = ["catalog", *(f"embeddings/{space}" for space in roles.values())]
    if settings.models.ranker and (said := ranker_intents(settings, workspace)) is not None:
        names.append(f"intents/{said}")
    return {name: _key(workspace, name) for name in names}


def kept_version(shelf: Shelf, name: str, key: str, ranker_wanted: bool) -> tuple[Version | None, list[str]]:
    """Return the version of these very inputs that is kept and whole, the served one first, and what is damaged.

    Args:
        shelf: Of the store.
        name: Of the recommender.
        key: Of the inputs, `model_key`.
        ranker_wanted: Whether a version that never tried for a ranker is one of other inputs.
    """
    from vitrine.served import fault_of

    promoted, versions = shelf.promoted(name), {version.number: version for version in shelf.versions(name)}
    damaged = []
    if promoted is not None and promoted not in versions:
        gone = shelf.unreadable(name).get(promoted, "its folder or its version.json is missing")
        damaged.append(f"{name}@{promoted} is damaged ({gone})")
    same = [v for v in versions.values() if v.key == key and (v.meta.get("ranker_tried") or not ranker_wanted)]
    for version in sorted(same, key=lambda v: (v.number == promoted, v.number), reverse=True):
        if (fault := fault_of(version)) is None:
            return version, damaged
        damaged.append(f"{version} is damaged ({fault})")
    return None, damaged


def _key(workspace: Workspace, name: str) -> str | None:
    manifest = workspace.manifest(name)
    return manifest.key if manifest else None


def _just_after(log: pl.DataFrame) -> datetime:
    if not len(log):
        return datetime.now(UTC)
    last = log["timestamp"].max()
    assert isinstance(last, datetime)
    return last + timedelta(microseconds=1)
