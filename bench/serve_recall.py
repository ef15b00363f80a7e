"""How much of exact search stands in the answers of the served shop; started by `bench.serve`.

    python -m bench.serve_recall --store FOLDER --items 200000 --seed 1 < answers.json    # {wish: [item ids]}

`answers` compares what the service answered with what the same search answers whose vector indexes are exact;
`vectors` compares the indexes themselves, each asked for the 200 that a search asks for.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.serve_shop import opened_serve_shop
from indexes.base import Query
from indexes.flat import FlatIndex
from tools.base import Shopper
from tools.crossmodal.media import MediaQuery
from tools.crossmodal.search import find
from tools.pipeline.nouns import PipelineRequest

K = 100


def main() -> None:
    """Read answers, print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    answers: dict[str, list[str]] = json.load(sys.stdin)
    shop = opened_serve_shop(given.items, given.seed, given.store)
    exact = replace(shop, indexes={**shop.indexes, **{n: FlatIndex.build(t) for n, t in shop.spaces.items()}})
    shares, near = [], []
    for wish, answered in answers.items():
        request = PipelineRequest(Shopper(), datetime.now(UTC), top_n=K, reach=max(shop.pipeline.pool, 3 * K))
        true = find(exact, MediaQuery(text=wish), request).result.ranked
        shares.append(len({each.item_id for each in true} & set(answered)) / max(1, len(true)))
        vector = shop.embedder.embed_queries([wish])[0]
        for space in shop.spaces:
            reach = max(shop.pipeline.pool, K)
            best = {each.item_id for each in exact.indexes[space].search(Query(vector=vector), K)}
            found = shop.indexes[space].search(Query(vector=vector), reach)[:K]
            near.append(len(best & {each.item_id for each in found}) / K)
    print(json.dumps({"answers": float(np.mean(shares)), "vectors": float(np.mean(near))}))


if __name__ == "__main__":
    main()
