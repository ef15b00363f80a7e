"""What the fused vector is worth beside each space alone, on boutiques nobody tuned on.

    python -m bench.fusion [--seeds 501 502 503] [--stores FOLDER] [--training-seeds 0] [--protocol temporal]

For each boutique seed: generate, caption with `pixels`, embed with MiniLM. Captions of pictures, captions of films and
what the shop wrote are three spaces; a protocol (`mmrec`) splits the log, and the fusion encoder learns from its train
rows alone. Then, on test rows:

- NDCG@20 of `content_knn` (cosine) and `content_linear` (closed form) with each space alone, with all of them side by
  side, and with the fused space; the fused one against the best single one and against all, paired over shoppers.
- Queries: an item's text, its picture's words, or both are given as a shopper's query; sought are the test items of
  those who took the item in train. NDCG@20 of the encoder's answer to both against either alone and against plain
  cosine, paired over queries.

It is a generated shop: the figures prove the plumbing and that signals are used, not the worth.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from bench.boutique_ladder import prepared
from captioning.job import load_captions
from catalog.ids import IdMap
from catalog.nouns import Caption
from catalog.shop_data import load_shop
from catalog.splits import PROTOCOLS, ProtocolName, Split, make_split
from catalog.vectors import EmbeddingTable, Floats
from catalog.workspace import Workspace
from embedding.fusion.encoder import FusionEncoder, fit_fusion
from embedding.fusion.inputs import role_inputs, role_means
from embedding.job import load_embeddings
from eval.cells import judged_parts
from eval.intervals import bootstrap_interval, paired_test
from eval.metrics import Values, parse_metric
from models.base import TrainingData
from models.registry import build
from vitrine.fusing import events_of
from vitrine.settings import Settings
from vitrine.wiring import make_embedder

METRIC = "ndcg@20"
MODELS = ("content_knn", "content_linear")
TOP = 20


def spaces(settings: Settings) -> dict[str, EmbeddingTable]:
    """Return the tables by role: the shop's words, the words of pictures, the words of films."""
    workspace = Workspace(settings.store)
    text, both = (load_embeddings(workspace, space) for space in ("text-minilm", "caption-pixels-minilm"))
    catalog, captions = load_shop(workspace).catalog, load_captions(workspace, "pixels")
    films = {item.item_id: set(item.videos) for item in catalog if item.videos}
    of_films = {i: [c for c in captions.get(i, ()) if c.media in films[i]] for i in films}
    of_pictures = {i: [c for c in captions.get(i, ()) if c.media not in films[i]] for i in films}
    video = _embedded(settings, of_films, "caption-videos")
    again = _embedded(settings, of_pictures, "caption-pictures")
    vectors = both.vectors.copy()  # items without a film have the words of their pictures alone already
    vectors[both.ids.rows(again.ids.ids)] = again.vectors
    return {"text": text, "picture": EmbeddingTable(both.ids, vectors, again.space), "video": video}


def _embedded(settings: Settings, captions: Mapping[str, list[Caption]], space: str) -> EmbeddingTable:
    some = {item: " ".join(dict.fromkeys(c.text for c in each)) for item, each in captions.items() if each}
    return EmbeddingTable(IdMap(some), make_embedder(settings).embed(list(some.values())), space)


def ndcg(split: Split, tables: Mapping[str, EmbeddingTable], model: str) -> Values:
    """Return NDCG@20 of each judged shopper."""
    fitted = build(model)
    fitted.fit(TrainingData(split.train, tables), seed=0)
    return judged_parts(split)[1].measure(fitted.score_users, [parse_metric(METRIC)])[0][METRIC]


def answered(scores: Floats, split: Split) -> Values:
    """Return NDCG@20 of every item's query, (n_items,); NaN where nobody who took it has a test item.

    Args:
        scores: (n_items, n_items), of each query for each item.
        split: Train says who took the item, test what they took later.
    """
    sought = (split.train.csr().T @ split.test.csr()).toarray() > 0
    np.fill_diagonal(sought, False)
    scores = scores.copy()
    np.fill_diagonal(scores, -np.inf)
    top = np.argsort(-scores, axis=1, kind="stable")[:, :TOP]
    discount = 1 / np.log2(np.arange(TOP) + 2)
    gain = (np.take_along_axis(sought, top, axis=1) * discount).sum(axis=1)
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(sought.sum(axis=1), TOP)]
    values: Values = np.divide(gain, ideal, out=np.full(len(gain), np.nan), where=ideal > 0)
    return values


def queries(split: Split, tables: Mapping[str, EmbeddingTable], encoder: FusionEncoder) -> dict[str, Values]:
    """Return how each way of asking is answered, by name."""
    means = role_means(tables, split.items)
    asked = {role: table.align(split.items)[0] for role, table in tables.items()}
    plain = role_inputs(asked, means, absent=True).vectors
    items = encoder.encode_items(tables, split.items).align(split.items)[0]
    ways = {"text": ("text",), "picture": ("picture",), "text + picture": ("text", "picture")}
    found = {f"cosine, {role}": answered(plain[role] @ plain[role].T, split) for role in ("text", "picture")}
    side = sum((plain[role] @ plain[role].T for role in ("text", "picture")), np.float32(0))
    found["cosine, text + picture"] = answered(np.asarray(side, np.float32), split)
    for name, roles in ways.items():
        found[f"fused, {name}"] = answered(encoder.encode({role: asked[role] for role in roles}) @ items.T, split)
    return found


def told(name: str, values: npt.NDArray[np.float64]) -> str:
    """Return a line with the mean and its interval."""
    found = bootstrap_interval(values, seed=0)
    return f"| {name} | {found.mean:.4f} [{found.low:.4f}, {found.high:.4f}] |"


def against(name: str, ours: Values, other: str, theirs: Values) -> str:
    """Return a line with a paired difference."""
    found = paired_test(ours, theirs, seed=0)
    d = found.difference
    return f"{name} minus {other}: {d.mean:+.4f} [{d.low:+.4f}, {d.high:+.4f}], p {found.p:.4f}"


def measured(settings: Settings, training_seeds: list[int], protocol: ProtocolName) -> None:
    """Print everything of one shop under one protocol."""
    data = load_shop(Workspace(settings.store))
    split = make_split(data.log, data.catalog.ids, protocol=protocol, positives=settings.positives, seed=settings.seed)
    tables, config = spaces(settings), settings.encoders.fusion
    events = events_of(split.train, data.log)
    encoders, seconds = [], []
    for seed in training_seeds:
        started = time.perf_counter()
        encoder, fit = fit_fusion(tables, split.items, events, config, seed=seed)
        encoders.append(encoder)
        seconds.append(time.perf_counter() - started)
        print(f"fusion, seed {seed}: {fit.takes:,} takes, {fit.epochs} rounds, held out {fit.history[0]:.4f} -> "
              f"{max(fit.history):.4f}, {seconds[-1]:.1f} s", flush=True)  # fmt: skip
    fused = [replace(e.encode_items(tables, split.items), space="fused") for e in encoders]
    for model in MODELS:
        alone = {role: ndcg(split, {role: table}, model) for role, table in tables.items()}
        side = ndcg(split, tables, model)
        ours = np.mean([ndcg(split, {"fused": table}, model) for table in fused], axis=0)
        print(f"\n| {model} | {METRIC} |\n| --- | --- |")
        for name, values in {**alone, "all side by side": side, "fused": ours}.items():
            print(told(name, values))
        best = max(alone, key=lambda role: float(alone[role].mean()))
        print(against("fused", ours, f"the best alone ({best})", alone[best]))
        print(against("fused", ours, "all side by side", side), flush=True)
    each = [queries(split, tables, encoder) for encoder in encoders]
    found = {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}
    print(f"\n| query | {METRIC} |\n| --- | --- |")
    for name, values in found.items():
        print(told(name, values))
    for other in [name for name in found if name != "fused, text + picture"]:
        print(against("fused, text + picture", found["fused, text + picture"], other, found[other]))


def main() -> None:
    """Run every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[501, 502, 503], help="boutique seeds")
    parser.add_argument("--training-seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--protocol", choices=PROTOCOLS, default="mmrec")
    parser.add_argument("--stores", type=Path, help="where the stores are kept; a temporary folder otherwise")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for seed in given.seeds:
            settings = prepared(seed, given.stores or Path(temporary))
            print(f"\n# boutique of seed {seed}, {given.protocol}\n", flush=True)
            measured(settings, given.training_seeds, cast(ProtocolName, given.protocol))


if __name__ == "__main__":
    main()
