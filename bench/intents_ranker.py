"""What intents are worth to the re-ranker: the same candidates, ranked with and without what shoppers said.

    python -m bench.intents_ranker [--seeds 31 32] [--stores FOLDER] [--model content_linear]

Everything up to the cut (the newest tenth of the positives lies behind it) teaches the recommender and, by its own
newest tenth, the ranker; then the candidates of each shopper who takes something behind the cut are ranked. NDCG@20
over those candidates, paired by shopper. It is a generated shop: the figures prove the plumbing, not the worth.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from bench.boutique_ladder import prepared
from catalog.events import SqliteEventStore
from catalog.log import positives
from catalog.shop_data import load_shop
from catalog.workspace import Workspace
from eval.intervals import bootstrap_interval, paired_test
from eval.metrics import Values
from indexes.job import load_indexes
from models.ranking_data import RankingData, build_ranking_data
from tools.pipeline.training import training_candidates
from tools.shop import Shop
from vitrine import jobs
from vitrine.intents import read_store_intents
from vitrine.ranking import TaughtRanker, fit_ranker
from vitrine.settings import Settings
from vitrine.training import fit_served, ranker_intents, serving_statistics
from vitrine.wiring import choose_spaces, load_modalities, make_embedder, shop_spaces

K = 20


def ndcg(data: RankingData, scores: np.ndarray[tuple[int], np.dtype[np.float32]]) -> Values:
    """Return NDCG@20 of each group, what was taken counting 1."""
    values, start = [], 0
    discount = 1 / np.log2(np.arange(2, K + 2))
    for size in data.groups.tolist():
        part = slice(start, start + size)
        taken = data.labels[part] > 0
        order = np.argsort(-scores[part], kind="stable")[:K]
        ideal = discount[: min(K, int(taken.sum()))].sum()
        values.append(float((taken[order] * discount[: len(order)]).sum() / ideal))
        start += size
    return np.asarray(values)


def judged(settings: Settings, with_intents: bool) -> tuple[Values, TaughtRanker]:
    """Return NDCG@20 of every judged shopper, ranked by a ranker that read intents or did not, and that ranker."""
    chosen = settings.intents.model_copy(update={"ranker": with_intents})
    settings = settings.model_copy(update={"intents": chosen})
    workspace = Workspace(settings.store)
    data = load_shop(workspace)
    taken = positives(data.log, settings.positives).sort("timestamp", maintain_order=True)
    cut = taken["timestamp"][int(0.9 * len(taken))]
    assert isinstance(cut, datetime)
    past = replace(data, log=data.log.filter(pl.col("timestamp") < cut))
    roles = choose_spaces(settings, workspace, settings.models.serve)
    fitted = fit_served(settings, past.log, data.catalog.ids, load_modalities(workspace, roles))
    assert fitted.scout is not None
    spaces = shop_spaces(settings, workspace, {})
    ranker = fit_ranker(settings, workspace, past, spaces, fitted.scout)
    assert ranker.ranker is not None, ranker.why_not
    shop = Shop(
        name=data.name, catalog=data.catalog, users=data.user_nouns, captions={}, spaces=spaces,
        indexes=load_indexes(workspace), embedder=make_embedder(settings), events=SqliteEventStore(":memory:"),
        root=workspace.root, recommender=fitted.model, pipeline=settings.pipeline,
    )  # fmt: skip
    said = ranker_intents(settings, workspace)
    shop = replace(shop, statistics=serving_statistics(settings, past, shop, cut, intents=said))
    assert shop.statistics is not None
    found = build_ranking_data(
        data.log, shop.statistics, lambda user: training_candidates(shop, user, cut), recommender=fitted.model
    )
    shop.events.close()
    return ndcg(found, ranker.ranker.score(found.table)), ranker


def main() -> None:
    """Run every seed and print what intents added, and which of their features the trees split on."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[31, 32], help="boutique seeds")
    parser.add_argument("--model", default="content_linear", help="the recommender in front of the ranker")
    parser.add_argument("--stores", type=Path, help="where the stores are kept; a temporary folder otherwise")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        for seed in given.seeds:
            made = prepared(seed, given.stores or Path(temporary))
            settings = made.model_copy(update={"models": made.models.model_copy(update={"serve": given.model})})
            print(*jobs.index_store(settings), *read_store_intents(settings), sep="\n", flush=True)
            (without, _), (with_them, ranker) = judged(settings, False), judged(settings, True)
            paired = paired_test(with_them, without, seed=0)
            base, gain = bootstrap_interval(without, seed=0), paired.difference
            print(
                f"seed {seed}: {len(without)} shoppers, NDCG@20 without intents {base.mean:.4f} [{base.low:.4f}, "
                f"{base.high:.4f}], with {with_them.mean():.4f}: {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}], "
                f"p {paired.p:.4f}",
                flush=True,
            )
            assert ranker.ranker is not None
            gains = ranker.ranker.importance()
            whole = sum(gains.values())
            told = ", ".join(f"{n} {g / whole:.1%}" for n, g in gains.items() if n.startswith("intent_"))
            print(f"  share of the gain of all splits: {told}", flush=True)


if __name__ == "__main__":
    main()
