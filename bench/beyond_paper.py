"""Beyond the paper: one recommender, one default configuration, on a dense and a sparse shop.

    python -m bench.beyond_paper [FOLDER ...] [--model sequence_tower]

Protocol `mmrec` (`x_label`), full ranking, train items masked for validation and test alike, chosen on validation
NDCG@20 only; the test part is read once a run, at the end. Roles: every `*_feat.npy` of the folder, and `attributes`
from what `items.jsonl` states. The figures of the baselines stand beside ours.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import time
from collections.abc import Mapping
from pathlib import Path

from catalog.readers.mmrec import read_mmrec
from catalog.readers.rejects import Rejects
from catalog.splits import make_split
from embedding.attribute_table import attribute_table
from eval.cells import judged_parts
from eval.metrics import parse_metric
from models.base import TrainingData, UserScorer
from models.registry import build

NDCG, RECALL = parse_metric("ndcg@20"), parse_metric("recall@20")
BASELINES: Mapping[str, str] = {
    "movies": "EASE .2441, + text and picture .2535, + genre, year, people .2632, LIRDRec .1907; goal .275",
    "beauty": "EASE .0721, + title and taxonomy .0884, LIRDRec .0735; goal .098",
}
"""Test NDCG@20 by other code on the same files."""


def measure(folder: Path, model_name: str, seed: int) -> str:
    """Fit one model on an MMRec folder and return its line."""
    shop = read_mmrec(folder, rejects=Rejects())
    catalogue = shop.shop.catalog
    split = make_split(shop.shop.log, catalogue.ids, protocol="mmrec")
    roles = {**shop.embeddings, "attributes": attribute_table(catalogue.items)}
    valid, test = judged_parts(split)

    def validate(scorer: UserScorer) -> float:
        return float(valid.measure(scorer, [NDCG])[0]["ndcg@20"].mean())

    model = build(model_name)
    started = time.perf_counter()
    report = model.fit(TrainingData(split.train, roles), validate=validate, seed=seed)
    seconds = time.perf_counter() - started
    values, _ = test.measure(model.score_users, [NDCG, RECALL])
    chosen = getattr(model, "chosen", {})
    return (
        f"{folder.name}: {model_name} test ndcg@20 {values['ndcg@20'].mean():.4f} recall@20 "
        f"{values['recall@20'].mean():.4f}, validation ndcg@20 {report.best:.4f}, {seconds:.0f} s with "
        f"{report.epochs} validations; chosen {chosen}"
    )


def main() -> None:
    """Measure every folder and print its baselines beside it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("TEST_DATA", "../shared/data"))
    parser.add_argument("folders", type=Path, nargs="*", default=[data / "movies", data / "beauty"])
    parser.add_argument("--model", default="sequence_tower")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    import torch

    torch.set_num_threads(given.threads)
    for folder in given.folders:
        logs = sorted(folder.glob("*.inter"))
        if not logs:
            print(f"skipped: {str(folder)!r} has no .inter file; name MMRec folders, or set TEST_DATA to their parent")
            continue
        sha = hashlib.sha256(logs[0].read_bytes()).hexdigest()[:12]
        print(f"real data, measured here: {logs[0].name} sha256 {sha}, seed {given.seed}, {given.threads} thread(s)")
        print(measure(folder, given.model, given.seed), flush=True)
        if folder.name in BASELINES:
            print(f"  baselines, test ndcg@20: {BASELINES[folder.name]}", flush=True)


if __name__ == "__main__":
    main()
