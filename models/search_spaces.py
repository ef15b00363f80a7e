"""Where to look for each recommender's settings, as typed ranges; no search library is named here.

What is not listed is left at its default: widths of tables that only cost time, patience, size limits, and
settings of serving alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from catalog.errors import ConfigError, did_you_mean
from models.registry import PRESETS

Value = float | int | str | bool | None
ROLE = "{role}"
"""Stands in a name for each modality role: `weights.{role}` becomes `weights.picture` and `weights.text`."""


@dataclass(frozen=True)
class Real:
    """A real number between two ends, both included.

    Attributes:
        log: Whether every order of magnitude is tried alike.
        start: Where a search begins when the config has no default of that very name.
    """

    low: float
    high: float
    log: bool = True
    start: float | None = None

    def contains(self, value: Any) -> bool:
        """Whether a value lies inside."""
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True)
class Whole:
    """A whole number between two ends, both included."""

    low: int
    high: int
    log: bool = False

    def contains(self, value: Any) -> bool:
        """Whether a value lies inside."""
        return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high


@dataclass(frozen=True)
class Choice:
    """One of a few."""

    options: tuple[Value, ...]

    def contains(self, value: Any) -> bool:
        """Whether a value is among them."""
        return value in self.options


Range = Real | Whole | Choice
Space = Mapping[str, Range]

RATE = Real(1e-4, 3e-2)
DIMS = Choice((32, 64, 128, 256))

SPACES: Mapping[str, Space] = MappingProxyType(
    {
        "popularity": {"half_life_days": Choice((None, 7.0, 14.0, 30.0, 60.0, 120.0, 365.0, 1000.0))},
        "itemknn": {"neighbours": Whole(5, 500, log=True), "shrinkage": Real(0.1, 1000)},
        "content_knn": {"neighbours": Whole(5, 500, log=True)},
        "ease": {"regularisation": Real(1, 10_000)},
        "content_linear": {"regularisation": Real(1, 10_000), "weights.{role}": Real(0.1, 3000, start=30.0)},
        # It chooses its own lambda and weights on validation; these two stand still meanwhile.
        "sequence_linear": {"reach": Real(0.3, 30), "activity_power": Real(0, 1.5, log=False)},
        "sequence_tower": {
            "dim": DIMS,
            "learning_rate": Real(1e-4, 1e-2),
            "dropout": Real(0.2, 0.8, log=False),
            "temperature": Real(0.03, 0.5),
            "id_scale": Real(0.03, 1),
        },
        "als": {"dim": Choice((16, 32, 64, 128)), "regularisation": Real(0.1, 300), "alpha": Real(0.3, 100)},
        "bprmf": {"dim": DIMS, "learning_rate": RATE, "regularisation": Real(1e-5, 1)},
        "lightgcn": {
            "dim": DIMS,
            "learning_rate": RATE,
            "regularisation": Real(1e-6, 1e-1),
            "n_ui_layers": Whole(1, 4),
        },
        "vbpr": {
            "dim": DIMS,
            "learning_rate": RATE,
            "regularisation": Real(1e-5, 1),
            "centred": Choice((True, False)),
        },
        "freedom": {
            "dim": DIMS,
            "learning_rate": RATE,
            "regularisation": Choice((0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)),
            "n_ui_layers": Whole(1, 4),
            "neighbours": Whole(3, 50, log=True),
            "graph_weight": Real(0, 1, log=False),
            "edge_dropout": Real(0, 0.95, log=False),
        },
        "two_tower": {
            "dim": DIMS,
            "hidden": Choice((64, 128, 256)),
            "temperature": Real(0.02, 0.5),
            "learning_rate": Real(1e-4, 1e-2),
            "weight_decay": Real(1e-7, 1e-2),
        },
        "sasrec": {
            "dim": Choice((32, 64, 128)),
            "length": Choice((20, 50, 100, 200)),
            "layers": Whole(1, 3),
            "dropout": Real(0, 0.6, log=False),
            "learning_rate": Real(1e-4, 1e-2),
        },
        "din": {
            "dim": Choice((16, 32, 64)),
            "length": Choice((10, 20, 50)),
            "hidden": Choice((8, 16, 32, 64)),
            "negatives": Whole(1, 10),
            "learning_rate": Real(1e-4, 1e-2),
        },
        "lirdrec": {
            "learning_rate": Real(3e-5, 1e-2),
            "regularisation": Real(1e-6, 1),
            "n_ui_layers": Whole(1, 4),
            "neighbours": Whole(3, 50, log=True),
            "graph_weight": Real(0, 1, log=False),
            "copy_decay": Real(0.5, 1, log=False),
        },
    }
)
"""By recommender; a preset is searched in the space of the recommender it varies."""


def search_space(name: str, roles: Iterable[str] = ()) -> dict[str, Range]:
    """Return the ranges of a recommender or preset by setting; nested settings are dotted.

    Args:
        name: As `models.registry.build` takes it.
        roles: The modalities, for settings there is one of for each.

    Raises:
        ConfigError: When no space is declared for it.
    """
    base, fixed = PRESETS.get(name, (name, {}))
    if base not in SPACES:
        raise ConfigError(f"no search space is declared for {name!r}. {did_you_mean(base, list(SPACES))}")
    named: dict[str, Range] = {}
    for setting, span in SPACES[base].items():
        if setting.split(".")[0] in fixed:
            continue
        if ROLE in setting:
            named |= {setting.replace(ROLE, role): span for role in roles}
        else:
            named[setting] = span
    return named


def nested(parameters: Mapping[str, Value]) -> dict[str, Any]:
    """Return dotted settings as a config takes them: `{"weights.text": 3.0}` -> `{"weights": {"text": 3.0}}`."""
    out: dict[str, Any] = {}
    for name, value in parameters.items():
        *parents, leaf = name.split(".")
        spot = out
        for parent in parents:
            spot = spot.setdefault(parent, {})
        spot[leaf] = value
    return out
