"""Recommenders by name: build one from settings, or load whichever a folder holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

from catalog.errors import ConfigError, did_you_mean
from models.als import ALS, ALSConfig
from models.artifact import read_head
from models.base import Recommender
from models.bprmf import BPRMF, BPRMFConfig
from models.content_knn import ContentKNN, ContentKNNConfig
from models.content_linear import ContentLinear, ContentLinearConfig
from models.din import DIN, DINConfig
from models.ease import EASE, EASEConfig
from models.freedom import FREEDOM, FREEDOMConfig
from models.itemknn import ItemKNN, ItemKNNConfig
from models.lightgcn import LightGCN, LightGCNConfig
from models.lirdrec.config import LIRDRecConfig
from models.lirdrec.model import LIRDRec
from models.popularity import Popularity, PopularityConfig
from models.sasrec import SASRec, SASRecConfig
from models.sequence_linear.config import SequenceLinearConfig
from models.sequence_linear.model import SequenceLinear
from models.sequence_tower.config import SequenceTowerConfig
from models.sequence_tower.model import SequenceTower
from models.two_tower import TwoTower, TwoTowerConfig
from models.vbpr import VBPR, VBPRConfig

RECOMMENDERS: Mapping[str, tuple[type[Recommender], type[BaseModel]]] = MappingProxyType(
    {
        "popularity": (Popularity, PopularityConfig),
        "itemknn": (ItemKNN, ItemKNNConfig),
        "content_knn": (ContentKNN, ContentKNNConfig),
        "ease": (EASE, EASEConfig),
        "content_linear": (ContentLinear, ContentLinearConfig),
        "sequence_linear": (SequenceLinear, SequenceLinearConfig),
        "sequence_tower": (SequenceTower, SequenceTowerConfig),
        "als": (ALS, ALSConfig),
        "bprmf": (BPRMF, BPRMFConfig),
        "lightgcn": (LightGCN, LightGCNConfig),
        "vbpr": (VBPR, VBPRConfig),
        "freedom": (FREEDOM, FREEDOMConfig),
        "two_tower": (TwoTower, TwoTowerConfig),
        "sasrec": (SASRec, SASRecConfig),
        "din": (DIN, DINConfig),
        "lirdrec": (LIRDRec, LIRDRecConfig),
    }
)
"""Class and config class by name; a class takes its config as its one argument."""

PRESETS: Mapping[str, tuple[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "lirdrec-exact": ("lirdrec", {"reduction": "none", "batch_size": 2048, "learning_rate": 1e-4}),
        "lirdrec-no-transformation": ("lirdrec", {"transformation": False}),
        "lirdrec-no-copying": ("lirdrec", {"copying": False}),
        "lirdrec-no-item-graph": ("lirdrec", {"item_graph": False}),
        "lirdrec-with-ids": ("lirdrec", {"ids": True}),
    }
)
"""Variants with a name of their own, as rows of a table: the recommender and what differs from its defaults."""

ASKED_FOR: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"sequence_linear": ("attributes",), "sequence_tower": ("attributes",)}
)
"""Roles a recommender was made to read beside the usual ones, each from the space of that name where there is one."""


def names() -> list[str]:
    """Return every name `build` takes: recommenders, then presets."""
    return [*RECOMMENDERS, *PRESETS]


def recommender(name: str) -> tuple[type[Recommender], type[BaseModel], Mapping[str, Any]]:
    """Return the class, its config class and the preset's settings ({} for a recommender itself).

    Raises:
        ConfigError: When the name is neither a recommender nor a preset.
    """
    base, settings = PRESETS.get(name, (name, {}))
    if base not in RECOMMENDERS:
        raise ConfigError(f"unknown recommender {name!r}. {did_you_mean(name, names())}")
    return (*RECOMMENDERS[base], settings)


def asked_roles(name: str) -> tuple[str, ...]:
    """Return the roles that a recommender or preset asks for beside the usual ones.

    Raises:
        ConfigError: When the name is neither a recommender nor a preset.
    """
    return ASKED_FOR.get(recommender(name)[0].name, ())


def build(name: str, overrides: Mapping[str, Any] | None = None) -> Recommender:
    """Return an unfitted recommender, by its name or a preset's, with its settings but for `overrides`.

    Raises:
        ConfigError: When the name or a setting is unknown, or a value is out of range.
    """
    kind, config_kind, preset = recommender(name)
    try:
        config = config_kind.model_validate({**preset, **(overrides or {})})
    except ValidationError as error:
        raise ConfigError(_first_fault(name, config_kind, error)) from error
    return kind(config)  # type: ignore[call-arg]  # a Protocol says nothing of constructors


def load(folder: Path) -> Recommender:
    """Return the recommender saved in `folder`, by the name in its `model.json`.

    Raises:
        NotBuiltError: When there is none.
        ConfigError: When its name is unknown.
        DataError: When what is stored cannot be read.
    """
    return recommender(read_head(folder)["name"])[0].load(folder)


def _first_fault(name: str, config_kind: type[BaseModel], error: ValidationError) -> str:
    fault = error.errors()[0]
    field = ".".join(map(str, fault["loc"]))
    if fault["type"] == "extra_forbidden":
        return f"{name}: unknown setting {field!r}. {did_you_mean(field, list(config_kind.model_fields))}"
    return f"{name}: {field} = {fault['input']!r}: {fault['msg']}"
