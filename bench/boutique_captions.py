"""Do captions carry taste? LIRDRec with them against LIRDRec with the same captions on the wrong items.

    python -m bench.boutique_captions [--seeds 201 202 203] [--stores FOLDER]

For each boutique seed: generate, caption with `pixels`, embed with MiniLM, and evaluate popularity,
ItemKNN, LIRDRec and its control under protocol `mmrec`, mean of three training seeds (the control deals
the captions anew for each), paired test.
The boutique was frozen before a model saw it and nothing was tuned on these seeds. It is a generated
shop: the figures prove the plumbing, not the worth.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from eval.config import EvalConfig
from eval.report import report_markdown
from vitrine import jobs
from vitrine.evaluation import evaluate_store
from vitrine.settings import Settings, load_settings

TRAINING_SEEDS = (0, 1, 2)
CONFIG = EvalConfig(
    models=("popularity", "itemknn", "lirdrec"),
    metrics=("ndcg@20", "recall@20", "coverage@10"),
    seeds=TRAINING_SEEDS,
    shuffle=("picture",),
)


def prepared(seed: int, stores: Path) -> Settings:
    """Return the settings of a store that holds the boutique of `seed`, captioned and embedded."""
    settings = load_settings({"store": str(stores / f"boutique-{seed}"), "boutique": {"seed": seed}})
    print(jobs.generate_boutique(settings), flush=True)
    print(jobs.caption_store(settings), flush=True)
    print(*jobs.embed_store(settings), sep="\n", flush=True)
    return settings


def main() -> None:
    """Run every seed and say for each whether the captions helped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[201, 202, 203], help="boutique seeds")
    parser.add_argument("--stores", type=Path, help="where the stores are kept; a temporary folder otherwise")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for seed in arguments.seeds:
            settings = prepared(seed, arguments.stores or Path(temporary))
            print(f"\n# boutique of seed {seed}\n")
            print(report_markdown(evaluate_store(settings, CONFIG, protocols=("mmrec",))), flush=True)


if __name__ == "__main__":
    main()
