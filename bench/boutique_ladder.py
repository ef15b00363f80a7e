"""The ladder on boutiques nobody tuned on: models as they fall, each modality's worth, and the oracle above all.

    python -m bench.boutique_ladder [--seeds 301 302 303] [--stores FOLDER] [--models ease lirdrec ...]

For each boutique seed: generate, caption with `pixels`, embed with MiniLM, and evaluate under protocol `mmrec`, mean of
`--training-seeds`. Models that read modalities stand there without each (`no picture`, `no text`), LIRDRec also with
the captions on the wrong items. The oracle ranks by what the generator itself expects each shopper to take; a
model above it would have a leak. It is a generated shop: the figures prove the plumbing, not the worth.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.oracle import expected_takes
from catalog.boutique.plan import plan
from catalog.shop_data import load_shop
from catalog.splits import make_split
from catalog.workspace import Workspace
from eval.cells import judged_parts
from eval.config import EvalConfig
from eval.intervals import bootstrap_interval
from eval.metrics import parse_metric
from eval.report import report_markdown
from vitrine import jobs
from vitrine.evaluation import evaluate_store
from vitrine.settings import Settings, load_settings

MODELS = (
    "popularity", "itemknn", "content_knn", "ease", "content_linear", "als", "bprmf", "vbpr", "lightgcn", "freedom",
    "two_tower", "sasrec", "din", "lirdrec", "sequence_linear", "sequence_tower",
)  # fmt: skip
METRIC = "ndcg@20"


def prepared(seed: int, stores: Path, *, video_share: float | None = None) -> Settings:
    """Return the settings of a store that holds the boutique of `seed`, captioned and embedded.

    With `video_share` another share of the items than usual has a film; such a shop has a store of its own.
    """
    films = {} if video_share is None else {"video_share": video_share}
    name = "-".join(["boutique", str(seed), *(f"films-{share:g}" for share in films.values())])
    settings = load_settings({"store": str(stores / name), "boutique": {"seed": seed, **films}})
    print(jobs.generate_boutique(settings), flush=True)
    print(jobs.caption_store(settings), flush=True)
    print(*jobs.embed_store(settings), sep="\n", flush=True)
    return settings


def oracle_line(settings: Settings) -> str:
    """Return the oracle's figure on the split that the models were judged by."""
    config = BoutiqueConfig(seed=settings.boutique.seed)
    made = plan(config)
    expected = expected_takes(made, config.days)
    data = load_shop(Workspace(settings.store))
    split = make_split(data.log, data.catalog.ids, protocol="mmrec", positives=settings.positives, seed=settings.seed)
    users, items = made.truth.users.rows(list(split.users)), made.truth.items.rows(list(split.items))
    values, _ = judged_parts(split)[1].measure(
        lambda rows: np.ascontiguousarray(expected[users[rows]][:, items]), [parse_metric(METRIC)]
    )
    found = bootstrap_interval(values[METRIC], seed=0)
    return f"oracle (what the generator expects): {METRIC} {found.mean:.4f} [{found.low:.4f}, {found.high:.4f}]"


def main() -> None:
    """Run every seed, print its table and the oracle, and refuse a model above the oracle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[301, 302, 303], help="boutique seeds")
    parser.add_argument("--training-seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--stores", type=Path, help="where the stores are kept; a temporary folder otherwise")
    given = parser.parse_args()
    config = EvalConfig(
        models=tuple(given.models),
        metrics=(METRIC, "recall@20", "coverage@10"),
        seeds=tuple(given.training_seeds),
        ablate=True,
    )
    with tempfile.TemporaryDirectory() as temporary:
        for seed in given.seeds:
            settings = prepared(seed, given.stores or Path(temporary))
            print(f"\n# boutique of seed {seed}\n")
            print(report_markdown(evaluate_store(settings, config, protocols=("mmrec",)).report), flush=True)
            print(oracle_line(settings), flush=True)
            control = EvalConfig(models=("lirdrec",), metrics=(METRIC,), seeds=config.seeds, shuffle=("picture",))
            print(report_markdown(evaluate_store(settings, control, protocols=("mmrec",)).report), flush=True)


if __name__ == "__main__":
    main()
