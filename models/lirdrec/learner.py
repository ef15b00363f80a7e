"""From interactions and features to the tables that are served; the only door to torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from catalog.errors import ConfigError
from catalog.log import Interactions
from catalog.progress import Progress
from models.base import FitReport, Validate
from models.lirdrec.config import LIRDRecConfig
from models.lirdrec.graphs import bipartite_graph, item_graph
from models.lirdrec.modalities import Features
from models.lirdrec.network import Network
from models.lirdrec.products import Graph
from models.lirdrec.training import Fitted, fit
from models.triples import TripleSampler


def learn(
    train: Interactions,
    features: Features,
    config: LIRDRecConfig,
    *,
    validate: Validate | None,
    seed: int,
    progress: Progress,
) -> tuple[FitReport, dict[str, npt.NDArray[Any]]]:
    """Train and return the report and the named tables (`docs/recommenders.md` lists them)."""
    positives = train.csr()
    network = build_network(train, features, config, seed).place(training_device(config))
    fitted = fit(
        network,
        TripleSampler(train, config.batch_size or equal_batches(len(train))),
        config,
        validate=validate,
        rng=np.random.default_rng(seed),
        progress=progress,
    )
    degrees = np.asarray(positives.sum(axis=0), np.float32)
    arrays = _tables(fitted, degrees)
    arrays["counts"] = degrees
    arrays["user_degrees"] = np.asarray(positives.sum(axis=1), np.int32)
    arrays |= {"history.indices": positives.indices, "history.indptr": positives.indptr}
    arrays |= {f"features.{name}": unit for name, unit in features.units.items()}
    arrays |= {f"mean.{name}": mean for name, mean in features.means.items()}
    arrays |= {f"basis.{name}": basis for name, basis in features.bases.items()}
    return fitted.report, arrays


STEPS, LEAST_TRIPLES = 8, 512


def equal_batches(n_rows: int) -> int:
    """Return a batch size that makes eight steps of an epoch, or fewer of at least 512 triples, all about as large.

    A remainder of a few triples would be a step of full length in a random direction, for Adam forgets how few they
    were: on movies it cost a tenth of the validation value (docs/experiments.md, 2026-11-21).
    """
    steps = max(1, min(STEPS, n_rows // LEAST_TRIPLES))
    return -(-n_rows // steps)


def training_device(config: LIRDRecConfig) -> torch.device:
    """Return where `config` wants the training.

    Raises:
        ConfigError: When a GPU is asked for and torch finds none.
    """
    there = torch.cuda.is_available()
    if config.device == "cuda" and not there:
        raise ConfigError("lirdrec: device 'cuda' is not there; 'cpu' or 'auto' would be valid")
    return torch.device("cuda" if there and config.device != "cpu" else "cpu")


def build_network(train: Interactions, features: Features, config: LIRDRecConfig, seed: int) -> Network:
    """Return a freshly initialised network; torch's own random state is left as it was."""
    alike = (
        Graph(item_graph(list(features.units.values()), config.neighbours, config.graph_weight))
        if config.item_graph
        else None
    )
    precision = torch.bfloat16 if config.precision == "bfloat16" else torch.float32
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        return Network(
            {name: torch.from_numpy(table).to(precision) for name, table in features.inputs.items()},
            Graph(bipartite_graph(train.csr())),
            alike,
            dim=config.dim,
            n_layers=config.n_ui_layers,
            ids=config.ids,
        )


def _tables(fitted: Fitted, degrees: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[Any]]:
    epoch, tables = fitted.epoch, fitted.epoch.tables
    arrays = {"users": tables.users, "items": tables.items, "hidden": tables.hidden, "alpha": tables.alpha}
    out = {name: table.numpy() for name, table in arrays.items()}
    # A new shopper's edge to item i weighs 1 / sqrt(degree of i): fold it into the item's side once.
    out["fold_in"] = tables.fold_in.numpy() / np.sqrt(np.maximum(degrees, 1))[:, None]
    out["epoch_weights"] = np.array([epoch.scorer_weight, epoch.copy_weight], np.float32)
    out["theta_mean"] = fitted.parameters["theta"].mean(0).numpy()
    out |= {
        name.replace("branch_", "branch."): _array(value)
        for name, value in fitted.parameters.items()
        if name.startswith("branch_") and not name.endswith((".users", ".items"))
    }
    return out


def _array(value: Tensor) -> npt.NDArray[Any]:
    return value.numpy()
