"""Rows of the table by name: every recommender, and what is judged here but served elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from catalog.errors import ConfigError, did_you_mean
from catalog.progress import SILENT, Progress
from catalog.vectors import Floats
from models import registry
from models.base import FitReport, TrainingData, Validate
from models.provenance import code_key

TWO_STAGE = "two_stage"
STAGED: Mapping[str, Mapping[str, Any]] = MappingProxyType({TWO_STAGE: {}, "two_stage-last": {"holdout": "last"}})
"""Rows of two stages and how they differ from the defaults: which rows teach the ranker. The shop itself is served in
two stages by `tools/pipeline`."""

READS_AS = "sequence_tower"
"""Whose modality roles the rows of two stages read: those of their widest reader."""


class Contender(Protocol):
    """What can be a row: it is fitted and scores known users."""

    name: str

    def fit(
        self, data: TrainingData, *, validate: Validate | None = None, seed: int = 0, progress: Progress = SILENT
    ) -> FitReport:
        """Learn from `data`; see `models.base.Recommender.fit`."""

    def score_users(self, user_rows: npt.NDArray[np.int64]) -> Floats:
        """Return (b, n_items) float32 for known users; nothing is masked."""


def names() -> list[str]:
    """Return every name that can be a row."""
    return [*registry.names(), *STAGED]


def contender(name: str, overrides: Mapping[str, Any] | None = None) -> Contender:
    """Return an unfitted row, with its settings but for `overrides`.

    Raises:
        ConfigError: When the name or a setting is unknown, or a value is out of range.
    """
    if name not in STAGED:
        if name not in registry.names():
            raise ConfigError(f"unknown model {name!r}. {did_you_mean(name, names())}")
        return registry.build(name, overrides)
    from eval.two_stage import TwoStage
    from eval.two_stage_config import TwoStageConfig

    try:
        config = TwoStageConfig.model_validate({**STAGED[name], **(overrides or {})})
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(map(str, fault["loc"]))
        raise ConfigError(f"{name}: {field} = {fault['input']!r}: {fault['msg']}") from error
    return TwoStage(config)


def family(name: str) -> str:
    """Return the name under which a row's model speaks of itself."""
    return TWO_STAGE if name in STAGED else registry.recommender(name)[0].name


def reads_as(name: str) -> str:
    """Return the recommender whose modality roles a row reads."""
    return READS_AS if name in STAGED else name


def sources_key(name: str) -> str:
    """Return a hash over the sources a row is made of; two stages could retrieve with every recommender.

    Raises:
        ConfigError: When the name is unknown.
    """
    if name not in STAGED:
        return code_key(name)
    from models import boosting

    whole = hashlib.sha256("".join(code_key(each) for each in registry.RECOMMENDERS).encode())
    for path in (*sorted(Path(__file__).parent.glob("two_stage*.py")), Path(boosting.__file__)):
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]
