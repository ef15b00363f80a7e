"""Hyper-parameter search: settings are chosen on the validation part; the test part is never passed in.

The sampler is Optuna's TPE, drawn anew for each trial from the seed and the trial's number, and finished trials are
kept as lines of a file. So a search that was killed goes on and ends where the whole one would have ended.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from batch.lock import exclusive
from catalog.errors import ConfigError, DataError
from catalog.log import Interactions
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable
from eval.cells import Judged, as_served
from eval.metrics import parse_metric, parse_selecting
from eval.trials import Found, State, Trial, append_trial, leaf, merged, read_trials
from models.base import TrainingData, UserScorer
from models.registry import build
from models.search_spaces import Choice, Range, Real, Space, nested, search_space

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial as Asked

HOPELESS = 3
"""Trials that fail before any has finished, after which the search gives up."""


class SearchConfig(BaseModel):
    """Options of `vitrine search`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    trials: int = Field(30, ge=1)
    """Trials in all, those of an earlier, interrupted run included; the first is the model's own defaults."""
    seed: int = Field(0, ge=0)
    """Of the sampler and of every fit."""
    timeout: float | None = Field(None, gt=0)
    """Seconds after which no trial is begun and a running one is broken off after its epoch."""
    select_by: str = "recall@20"
    """Metric on the validation part that is maximised, one of what a user took (`eval.metrics.parse_selecting`)."""
    startup_trials: int = Field(8, ge=1)
    """Trials drawn at random before the sampler learns from them."""
    warmup_epochs: int = Field(5, ge=0)
    """Epochs a trial is left alone before it can be pruned for lying below the median of the others."""

    @field_validator("select_by")
    @classmethod
    def _selecting(cls, text: str) -> str:
        parse_selecting(text)
        return text


class _TimeIsUp(Exception):
    """Leaves a fit whose search has no time left."""


class _Pruned(Exception):
    """Leaves a fit that lies below the median of the others."""


def search(
    name: str,
    train: Interactions,
    valid: Interactions,
    modalities: Mapping[str, EmbeddingTable],
    config: SearchConfig,
    *,
    fixed: Mapping[str, Any] | None = None,
    kept: Path | None = None,
    progress: Progress = SILENT,
) -> Found:
    """Look for the settings of a recommender that do best on `valid` when fitted on `train`.

    Args:
        name: Recommender or preset.
        train: What every trial is fitted on.
        valid: What every trial is judged by; rows of `train` are not shown.
        modalities: Embedding tables by role.
        config: Options.
        fixed: Settings that every trial has; they are not searched.
        kept: File of finished trials, one JSON line each; must belong to these inputs. One search at a time holds it.
        progress: Told of every trial.

    Raises:
        BusyError: When another search holds `kept`; the text gives its process id.
        ConfigError: When no space is declared for `name`, or `fixed` leaves nothing to search.
        DataError: When there is no validation user, or no trial finishes.
    """
    given = dict(fixed or {})
    space = {s: span for s, span in search_space(name, modalities).items() if not leaf(given, s)[0]}
    if not space:
        raise ConfigError(f"every searched setting of {name!r} is fixed by models.overrides; nothing is left to search")
    judged = Judged.of(valid, (train,))
    if not len(judged.users):
        raise DataError("the validation part is empty: there is nothing to select by")
    build(name, given)
    began = time.monotonic()
    # The operating system drops the lock of a killed run.
    with exclusive(kept.with_suffix(".lock"), f"search {name}") if kept else nullcontext():
        done = read_trials(kept) if kept else []
        study = _study(config, space, done)
        deadline = began + config.timeout if config.timeout else math.inf
        progress.start(f"search {name}", config.trials, min(len(done), config.trials))
        timed_out = False
        while len(done) < config.trials:
            if time.monotonic() >= deadline:
                timed_out = True
                break
            try:
                trial = _run(name, study, space, given, train, judged, modalities, config, len(done), deadline)
            except _TimeIsUp:
                timed_out = True
                break
            done.append(trial)
            if kept:
                append_trial(kept, trial, done[:-1])
            values = [t.value for t in done if t.state == "finished" and t.value is not None]
            if not values and len(done) >= HOPELESS:
                break
            progress.advance(1, f"best {max(values):.4f}" if values else f"failed: {trial.reason}")
        progress.finish()
    finished = [trial for trial in done if trial.state == "finished"]
    if not finished:
        why = f"; the first said: {done[0].reason}" if done else ": the time was up before one had"
        raise DataError(f"search {name}: no trial of {len(done)} finished{why}")
    best = max(finished, key=lambda trial: (trial.value or -math.inf, -trial.number))
    return Found(name, best, tuple(done), space, given, timed_out)


def _run(
    name: str,
    study: Study,
    space: Space,
    fixed: Mapping[str, Any],
    train: Interactions,
    judged: Judged,
    modalities: Mapping[str, EmbeddingTable],
    config: SearchConfig,
    number: int,
    deadline: float,
) -> Trial:
    """Fit and judge one set of parameters."""
    from optuna.trial import TrialState

    asked = _ask(study, space, name, fixed, config, number)
    metric = parse_metric(config.select_by)
    served = as_served(train)
    history: list[float] = []

    def validate(scorer: UserScorer) -> float:
        if history and time.monotonic() >= deadline:  # a fit of a single step is let through
            raise _TimeIsUp
        values, _ = judged.measure(served(scorer), [metric])
        value = float(values[str(metric)].mean())
        asked.report(value, len(history))
        history.append(value)
        if asked.should_prune():
            raise _Pruned
        return value

    started = time.perf_counter()
    state: State = "finished"
    reason = None
    try:
        model = build(name, merged(fixed, nested(asked.params)))
        model.fit(TrainingData(train, modalities), validate=validate, seed=config.seed)
        if not history:
            validate(model.score_users)
    except _Pruned:
        state = "pruned"
    except DataError as error:  # a loss that is no longer finite, a size limit
        state, reason = "failed", str(error)
    value = max(history) if history and state != "failed" else None
    if state == "failed":
        study.tell(asked, state=TrialState.FAIL)
    elif state == "pruned":
        study.tell(asked, state=TrialState.PRUNED)
    else:
        study.tell(asked, value)
    return Trial(number, dict(asked.params), state, value, tuple(history), time.perf_counter() - started, reason)


def _study(config: SearchConfig, space: Space, done: Sequence[Trial]) -> Study:
    """Return a study in memory that knows the finished trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=config.warmup_epochs),
    )
    states = {"finished": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}
    for trial in done:
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState[states[trial.state]],
                value=trial.value if trial.state == "finished" else None,
                params=dict(trial.parameters),
                distributions=_distributions(space),
                intermediate_values=dict(enumerate(trial.history)),
            )
        )
    return study


def _ask(study: Study, space: Space, name: str, fixed: Mapping[str, Any], config: SearchConfig, number: int) -> Asked:
    import optuna

    if number == 0:
        study.enqueue_trial(_defaults(name, fixed, space))
    drawn = int(np.random.SeedSequence([config.seed, number]).generate_state(1)[0])
    study.sampler = optuna.samplers.TPESampler(seed=drawn, n_startup_trials=config.startup_trials)
    return study.ask(_distributions(space))


def _distributions(space: Space) -> dict[str, Any]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    def of(span: Range) -> CategoricalDistribution | FloatDistribution | IntDistribution:
        if isinstance(span, Choice):
            return CategoricalDistribution(span.options)
        if isinstance(span, Real):
            return FloatDistribution(span.low, span.high, log=span.log)
        return IntDistribution(span.low, span.high, log=span.log)

    return {setting: of(span) for setting, span in space.items()}


def _defaults(name: str, fixed: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Return the model's own settings as far as the space holds them."""
    config = getattr(build(name, fixed), "config", None)
    tree = config.model_dump() if isinstance(config, BaseModel) else {}
    begin = {}
    for setting, span in space.items():
        known, value = leaf(tree, setting)
        if not known and isinstance(span, Real):
            value = span.start
        if span.contains(value):
            begin[setting] = value
    return begin
