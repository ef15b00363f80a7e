"""Serving LIRDRec from its tables alone: numpy in, numpy out, no torch and no training set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from catalog.vectors import Floats
from models.lirdrec.config import LIRDRecConfig
from models.lirdrec.graphs import graph_weights
from models.lirdrec.modalities import IDS, Features
from models.nearest import nearest
from models.sparse_rows import csr_from_edges
from models.taken import Taken

LEAK = np.float32(0.01)
"""Slope of torch's leaky ReLU below zero."""

Arrays = Mapping[str, npt.NDArray[Any]]
"""The tables of `model.safetensors` by name; `docs/recommenders.md` lists them."""


def encode(arrays: Arrays, features: Features) -> Floats:
    """Return item rows before any propagation, (n, B * d), each branch of length 1."""
    rows = []
    for name, table in features.inputs.items():
        inner = table @ arrays[f"branch.{name}.inner.weight"].T + arrays[f"branch.{name}.inner.bias"]
        outer = np.where(inner > 0, inner, inner * LEAK) @ arrays[f"branch.{name}.outer.weight"].T
        rows.append(_unit(outer))
    if f"branch.{IDS}.scorer.0.weight" in arrays:  # nobody took it yet: its learned row is zero
        rows.append(np.zeros_like(rows[0]))
    return np.concatenate(rows, axis=1).astype(np.float32, copy=False)


def new_item_rows(arrays: Arrays, features: Features, own: Floats, config: LIRDRecConfig) -> Floats:
    """Return final rows (n, B * d) of items nobody took yet, exactly as training would have placed them.

    Without interactions the user-item graph adds nothing, so such a row is its own encoding plus what its
    kNN rows gather from the trained items' rows.

    Args:
        arrays: The model's tables.
        features: The new items' features.
        own: What `encode` gave for them.
        config: The model's settings.
    """
    rows = own.copy()
    if not config.item_graph:
        return rows
    shares = graph_weights(len(features.units), config.graph_weight)
    for share, (name, unit) in zip(shares, features.units.items(), strict=True):
        corpus = arrays[f"features.{name}"]
        degree = min(config.neighbours, int(corpus.any(axis=1).sum()) + 1)  # of a trained neighbour
        found = nearest(unit, corpus, config.neighbours - 1)
        at, place = np.nonzero(found >= 0)
        edges = csr_from_edges(at, found[at, place], (len(own), len(corpus)))
        size = 1 + np.asarray(edges.sum(axis=1), np.float32)[:, None]
        gathered = own / size + (edges @ arrays["hidden"]) / np.sqrt(size * degree)
        rows += (share * gathered).astype(np.float32)
    return rows


def propagated_anew(arrays: Arrays, user: int, taken: Taken) -> Floats | None:
    """Return the row (B * d,) of a trained shopper whose history goes on with `taken`; None in an older saved model.

    A branch of a user's row is its own layer 0 and the sum over its items of `fold_in / sqrt(degree)`, times its alpha:
    the sum and the degree become those of the longer history, an edge to an item spoken against is negative, and the
    items' layers and alpha stay as trained.
    """
    if "history.indptr" not in arrays:
        return None
    start, stop = arrays["history.indptr"][user : user + 2]
    before = arrays["history.indices"][start:stop].astype(np.int64)
    whole = taken.after(before)
    passed = arrays["fold_in"][before].sum(axis=0) / np.sqrt(np.float32(max(len(before), 1)))
    passing = whole.weights @ arrays["fold_in"][whole.rows] / np.sqrt(np.float32(max(len(whole.rows), 1)))
    alpha = arrays["alpha"][user]
    shares = np.repeat(alpha, len(passed) // len(alpha))
    row: Floats = arrays["users"][user] + shares * (passing - passed)
    return row


def fold_in(arrays: Arrays, names: Sequence[str], taken: Taken) -> Floats:
    """Return the row (B * d,) of a shopper known only by some items, at least one.

    It is what the model would give a user whose own row is zero: the propagated sum of the items' rows,
    its branches scaled by the learned scorers with the mean of the copied weights.
    """
    gathered = taken.weights @ arrays["fold_in"][taken.rows] / np.sqrt(np.float32(len(taken.rows)))
    parts = np.split(gathered, len(names))
    scores = np.array([_scorer(arrays, name, part) for name, part in zip(names, parts, strict=True)], np.float32)
    scorer_weight, copy_weight = arrays["epoch_weights"]
    logits = scorer_weight * scores + copy_weight * arrays["theta_mean"]
    alpha = np.exp(logits - logits.max())
    alpha /= alpha.sum()
    fused: Floats = np.concatenate([part * share for part, share in zip(parts, alpha, strict=True)]).astype(np.float32)
    return fused


def blend(user: Floats, session: Floats, share: float) -> Floats:
    """Return `(1 - share)` of the user row and `share` of the session row, both taken at length 1."""
    mixed: Floats = ((1 - share) * _unit(user) + share * _unit(session)).astype(np.float32)
    return mixed


def _scorer(arrays: Arrays, name: str, part: Floats) -> np.float32:
    inner = arrays[f"branch.{name}.scorer.0.weight"] @ part + arrays[f"branch.{name}.scorer.0.bias"]
    leaky = np.where(inner > 0, inner, inner * LEAK)
    outer = arrays[f"branch.{name}.scorer.2.weight"] @ leaky + arrays[f"branch.{name}.scorer.2.bias"]
    return np.float32(outer[0])


def _unit(rows: Floats) -> Floats:
    length = np.linalg.norm(rows, axis=-1, keepdims=True)
    scaled: Floats = (rows / np.maximum(length, np.float32(1e-12))).astype(np.float32, copy=False)
    return scaled
