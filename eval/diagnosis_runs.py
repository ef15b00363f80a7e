"""The runs behind `--diagnose`: VBPR with its ids alone beside it, and LIRDRec with ids. Loads torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch

from catalog.log import Interactions
from catalog.progress import Progress
from catalog.vectors import EmbeddingTable, Floats
from eval.cells import Judged
from eval.diagnosis import DiagnosisConfig, Half, Trace
from eval.diagnosis_watch import MAX_ITEMS, Watch
from eval.metrics import Metric, Values, parse_metric
from models.base import UserScorer
from models.bprmf import BPRMFConfig
from models.item_features import training_features
from models.pairwise import PairwiseConfig
from models.pairwise_training import Network, train
from models.vbpr import VBPRConfig
from models.vbpr_network import VBPRNetwork

RAW = "vbpr-raw"
BATCH = 2048


def diagnose(
    train_part: Interactions,
    valid: Interactions,
    modalities: Mapping[str, EmbeddingTable],
    config: DiagnosisConfig,
    progress: Progress,
) -> list[Trace]:
    """Run every model of `config` on the train part, once a seed, measured on the validation part.

    Raises:
        DataError: When there is no modality, or one has none of the items.
    """
    judged = Judged.of(valid, (train_part,))
    traces = []
    for name in config.models:
        for seed in config.seeds:
            if name == "lirdrec-with-ids":
                traces.append(_lirdrec(train_part, judged, modalities, config, seed, progress))
            else:
                traces.append(_vbpr(name, train_part, judged, modalities, config, seed, progress))
    return traces


def _vbpr(
    name: str,
    rows: Interactions,
    judged: Judged,
    modalities: Mapping[str, EmbeddingTable],
    config: DiagnosisConfig,
    seed: int,
    progress: Progress,
) -> Trace:
    features = training_features(name, modalities, rows.items)
    settings = VBPRConfig(max_epochs=config.epochs, patience=config.epochs, centred=name != RAW)
    watched: list[tuple[VBPRNetwork, Watch]] = []
    metric = parse_metric(config.metric)
    values = _Halves(judged, metric)

    def build() -> Network:
        network = VBPRNetwork(len(rows.users), features, settings)
        watch = Watch({"ids": [network.items], "features": list(network.reading.parameters())}, _followed(rows, seed))
        watch.begin(_columns(network, settings.dim))
        watched.append((network, watch))
        return network

    def validate(scorer: UserScorer) -> float:
        network, watch = watched[0]
        parts = _columns(network, settings.dim)
        watch.end_epoch(parts)
        users = network.users.detach().numpy()
        halves = {"ids": users[:, : settings.dim], "features": users[:, settings.dim :]}
        return values.add(scorer, {half: _dot(halves[half], parts[half]) for half in parts})

    train(name, build, rows, settings, validate=validate, seed=seed, progress=progress)
    alone, best_alone = _ids_alone(rows, judged, metric, settings, seed, progress)
    watch = watched[0][1]
    return Trace(
        name, seed, watch.gradient, watch.per_parameter, watch.moved(), watch.remaining(), values.curves,
        alone, {"ids": values.best["ids"], "alone": best_alone},
    )  # fmt: skip


def _ids_alone(
    rows: Interactions, judged: Judged, metric: Metric, settings: VBPRConfig, seed: int, progress: Progress
) -> tuple[list[float], Values]:
    """Train the same ids with the same settings and no features beside them."""
    from models.bprmf_network import BPRMFNetwork

    shared = {name: getattr(settings, name) for name in PairwiseConfig.model_fields}
    alone = BPRMFConfig(**shared, regularisation=settings.regularisation)
    values = _Halves(judged, metric)
    train(
        "ids alone",
        lambda: BPRMFNetwork(len(rows.users), len(rows.items), alone),
        rows,
        alone,
        validate=lambda scorer: values.add(scorer, {}),
        seed=seed,
        progress=progress,
    )
    return values.curves["both"], values.best["both"]


def _lirdrec(
    rows: Interactions,
    judged: Judged,
    modalities: Mapping[str, EmbeddingTable],
    config: DiagnosisConfig,
    seed: int,
    progress: Progress,
) -> Trace:
    from models.lirdrec.config import LIRDRecConfig
    from models.lirdrec.learner import build_network
    from models.lirdrec.modalities import IDS, build_features
    from models.lirdrec.network import Branch, IdBranch
    from models.lirdrec.training import dot_scorer, epochs
    from models.triples import TripleSampler

    settings = LIRDRecConfig(ids=True)
    features = build_features(modalities, rows.items)
    network = build_network(rows, features, settings, seed)
    readers = [name for name in network.names if name != IDS]
    ids = network.branch(IDS)
    assert isinstance(ids, IdBranch)
    encoders = {name: branch for name in readers if isinstance(branch := network.branch(name), Branch)}
    learned = [p for branch in encoders.values() for p in (*branch.inner.parameters(), *branch.outer.parameters())]
    watch = Watch({"ids": [ids.items], "features": learned}, _followed(rows, seed))
    values = _Halves(judged, parse_metric(config.metric))

    def parts() -> dict[Half, Floats]:
        with torch.no_grad():
            read = [branch.encode(torch.from_numpy(features.inputs[name])) for name, branch in encoders.items()]
            return {"ids": ids.encode(None).numpy(), "features": torch.cat(read, dim=1).numpy()}

    watch.begin(parts())
    progress.start("lirdrec-with-ids", config.lirdrec_epochs)
    learning = epochs(network, TripleSampler(rows, settings.batch_size or BATCH), settings, np.random.default_rng(seed))
    for epoch in islice(learning, config.lirdrec_epochs):
        watch.end_epoch(parts())
        users, items = epoch.tables.users.numpy(), epoch.tables.items.numpy()
        split = len(readers) * settings.dim  # the ids' columns come last
        halves = {"ids": dot_scorer(users[:, split:], items[:, split:])}
        halves["features"] = dot_scorer(users[:, :split], items[:, :split])
        note = values.add(dot_scorer(users, items), halves)
        progress.advance(1, f"loss {epoch.loss:.4f} valid {note:.4f}")
    progress.finish()
    return Trace(
        "lirdrec-with-ids", seed, watch.gradient, watch.per_parameter, watch.moved(), watch.remaining(),
        values.curves, None, {"ids": values.best["ids"]},
    )  # fmt: skip


class _Halves:
    """Validation of the whole score and of its parts, after every epoch, with per-user values of the best."""

    def __init__(self, judged: Judged, metric: Metric) -> None:
        self._judged, self._metric = judged, metric
        self.curves: dict[str, list[float]] = {}
        self.best: dict[str, Values] = {}

    def add(self, whole: UserScorer, halves: Mapping[str, UserScorer]) -> float:
        """Measure one epoch and return the value of the whole score."""
        for part, scorer in {"both": whole, **halves}.items():
            values = self._judged.measure(scorer, [self._metric])[0][str(self._metric)]
            curve = self.curves.setdefault(part, [])
            if values.mean() > max(curve, default=-1.0):
                self.best[part] = values
            curve.append(float(values.mean()))
        return self.curves["both"][-1]


def _columns(network: VBPRNetwork, dim: int) -> dict[Half, Floats]:
    with torch.no_grad():
        items = network.tables()["items"].numpy()
    return {"ids": items[:, :dim], "features": items[:, dim:]}


def _dot(users: Floats, items: Floats) -> Callable[[npt.NDArray[np.int64]], Floats]:
    def score(rows: npt.NDArray[np.int64]) -> Floats:
        scores: Floats = users[rows] @ items.T
        return scores

    return score


def _followed(rows: Interactions, seed: int) -> npt.NDArray[np.int64]:
    """Return rows of trained items, a sample where there are many."""
    taken = np.unique(rows.item_rows).astype(np.int64)
    if len(taken) > MAX_ITEMS:
        taken = np.sort(np.random.default_rng(seed).choice(taken, MAX_ITEMS, replace=False))
    return taken
