"""What text and pictures add to structured features in each category, and what picking the fusion by validation gains.

    python -m bench.rungs [--seeds 701 702 703] [--stores FOLDER]

For each boutique seed: generate, caption with `pixels`, embed with MiniLM, and run what `vitrine eval --advise` runs.
It is a generated shop: the figures prove the plumbing, not the worth.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from bench.boutique_ladder import prepared
from eval.advice import advice_text
from vitrine.advising import advise_store


def main() -> None:
    """Print the table of every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[701, 702, 703], help="boutique seeds")
    parser.add_argument("--stores", type=Path, help="where the stores are kept; a temporary folder otherwise")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for seed in given.seeds:
            settings = prepared(seed, given.stores or Path(temporary))
            print(f"\n# boutique of seed {seed}\n\n{advice_text(advise_store(settings))}", flush=True)


if __name__ == "__main__":
    main()
