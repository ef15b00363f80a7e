"""What adaptation adds: a log's end event by event, each shopper's profile frozen against brought up to the moment.

    python -m bench.replay [--seeds 831 832 833] [--undrawn] [--models sequence_linear] [--stores FOLDER]
    python -m bench.replay --movies [--data FOLDER]

A boutique's last 24 hours: the model knows what came before them and is never trained again; before the shopper's first
look at each item they take, the whole catalogue is ranked from the profile of the day's start, and from all events up
to that moment. It is a generated shop: the figures prove the plumbing, not the worth. `--undrawn` leaves the pictures
out and reads texts and attributes alone.

`--movies`: real data, one moment a shopper, the last rating of `x_label_last`. The model and the frozen profile know
all ratings but each shopper's last `--withheld` before it; adaptation folds those in. `trained on all` is the same
model fitted on them as well, and the agreement is that of its rankings with the folded-in ones (Spearman's rho over all
items, and how much of the first twenty is the same; mean over shoppers; without the visit's own share).

NDCG@20, one relevant item a moment, intervals by shopper.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from bench.boutique_ladder import prepared
from catalog.boutique.plan import plan
from catalog.events import SqliteEventStore
from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.shop_data import ShopData, load_shop, save_shop
from catalog.workspace import Workspace
from eval.replay import Moment, ReplayConfig, Replayed, replay
from eval.replay_report import replay_json, replay_text
from models.base import Recommender, TrainingData
from models.features import FeatureStore
from models.registry import build
from tools.doubles import HashingEmbedder
from tools.shop import Shop
from vitrine import jobs
from vitrine.replaying import ReplayedStore, replay_store
from vitrine.settings import Settings, load_settings

LABEL, LAST = "x_label_last", 2
PLACE = "place"
TOP = 20


def undrawn(seed: int, stores: Path) -> Settings:
    """Return the settings of a store that holds a boutique without its pictures: texts and attributes, in seconds."""
    settings = load_settings({"store": str(stores / f"undrawn-{seed}"), "boutique": {"seed": seed}})
    workspace = Workspace(settings.store)
    if not workspace.has("catalog"):
        save_shop(workspace, plan(settings.boutique).shop, {"generated": True})
    print(*jobs.embed_store(settings), sep="\n", flush=True)
    return settings


def boutique(made: Settings, model: str, hours: float) -> ReplayedStore:
    """Return the replay of a boutique's end."""
    settings = made.model_copy(update={"models": made.models.model_copy(update={"serve": model})})
    return replay_store(settings, ReplayConfig(hours=hours))


def pooled(parts: list[ReplayedStore]) -> dict[str, Replayed]:
    """Return the moments of several boutiques as one; each has shoppers of its own."""
    out = {}
    for before in parts[0].found:
        mine = [part.found[before] for part in parts]
        moments = [
            replace(moment, user_id=f"{at}/{moment.user_id}") for at, each in enumerate(mine) for moment in each.moments
        ]
        frozen, adapted, informed = (
            np.concatenate([getattr(each, name) for each in mine]) for name in ("frozen", "adapted", "informed")
        )
        out[before] = Replayed(tuple(moments), frozen, adapted, informed)
    return out


def movies(data: ShopData, model: str, withheld: int) -> Iterator[str]:
    """Yield the replay of every shopper's last film, folded in and trained anew."""
    early = data.log.filter(pl.col(LABEL) < LAST).sort("timestamp", maintain_order=True)
    back = pl.len().over("user_id") - pl.int_range(pl.len()).over("user_id")
    early = early.with_columns(back.alias(PLACE))
    past, live = (early.filter(which).drop(PLACE) for which in (pl.col(PLACE) > withheld, pl.col(PLACE) <= withheld))
    last = data.log.filter(pl.col(LABEL) == LAST).sort("timestamp", maintain_order=True)
    moments = tuple(Moment(*row) for row in last.select("user_id", "item_id", "timestamp").iter_rows())
    older, newer = _fitted(data, past, model), _fitted(data, early.drop(PLACE), model)
    folded = _replayed(data, past, moments, live, older)
    whole = _replayed(data, early.drop(PLACE), moments, live.clear(), newer)
    yield replay_text(
        replay_json({"last": folded}, metric="ndcg@20", model=model, start=f"each shopper's last {withheld} before it")
    )
    rho, same = agreement(older, newer, live)
    yield f"trained on all: {whole.frozen.mean():.4f}; {len(live):,} folded in, agreement {rho:.3f}, {same:.0%}\n"


def agreement(older: Recommender, newer: Recommender, live: pl.DataFrame) -> tuple[float, float]:
    """Return Spearman's rho and the share of common first twenty between folding `live` in and having trained on it."""
    rhos, common = [], []
    for (user,), rows in live.group_by(["user_id"], maintain_order=True):
        if user not in older.users:
            continue
        folded = older.score(str(user), rows["item_id"].to_list()).values
        trained = newer.score(str(user)).values
        places = [np.argsort(np.argsort(-scores, kind="stable"), kind="stable") for scores in (folded, trained)]
        rhos.append(np.corrcoef(places[0], places[1])[0, 1])
        common.append(((places[0] < TOP) & (places[1] < TOP)).sum() / TOP)
    return float(np.mean(rhos)), float(np.mean(common))


def _fitted(data: ShopData, past: pl.DataFrame, model: str) -> Recommender:
    users = IdMap(dict.fromkeys(past["user_id"].to_list()), "user")
    recommender = build(model)
    recommender.fit(TrainingData(Interactions.from_log(past, users, data.catalog.ids)))
    return recommender


def _replayed(
    data: ShopData, past: pl.DataFrame, moments: tuple[Moment, ...], live: pl.DataFrame, recommender: Recommender
) -> Replayed:
    newest = data.log["timestamp"].max()
    shop = Shop(
        name=data.name, catalog=data.catalog, users={}, captions={}, spaces={}, indexes={}, embedder=HashingEmbedder(),
        events=SqliteEventStore(":memory:"), root=Path(), recommender=recommender,
        statistics=FeatureStore(data.catalog, past, as_of=newest),  # type: ignore[arg-type]  # polars knows no dtype
    )  # fmt: skip
    found = replay(shop, data.log, moments, live, ReplayConfig())
    shop.events.close()
    return found


def load_movies(data: Path, stores: Path) -> ShopData:
    """Return the films and their ratings, imported once."""
    from bench.ladder import prepared as imported

    imported(data, stores, "movies")
    return load_shop(Workspace(stores / "movies"))


def main() -> None:
    """Replay every boutique, or the films."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[831, 832, 833], help="boutique seeds")
    parser.add_argument("--models", nargs="+", default=["sequence_linear"])
    parser.add_argument("--stores", type=Path, help="where the stores are kept; a temporary folder otherwise")
    parser.add_argument("--undrawn", action="store_true", help="boutiques without pictures, made in seconds")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("TEST_DATA", "../shared/data")))
    parser.add_argument("--hours", type=float, default=24.0, help="how much of a boutique's end is replayed")
    parser.add_argument("--movies", action="store_true", help="the films in place of the boutiques")
    parser.add_argument("--withheld", type=int, default=10, help="ratings of each shopper that are folded in")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        stores = given.stores or Path(temporary)
        if given.movies and not given.data.is_dir():
            print(f"skipped: {str(given.data)!r} does not exist; --data or TEST_DATA names the folder of the data sets")
            return
        for model in given.models:
            if given.movies:
                for text in movies(load_movies(given.data, stores), model, given.withheld):
                    print(text, flush=True)
                continue
            parts = []
            for seed in given.seeds:
                made = undrawn(seed, stores) if given.undrawn else prepared(seed, stores)
                parts.append(boutique(made, model, given.hours))
                print(f"# boutique of seed {seed}\n\n{replay_text(parts[-1].report)}", flush=True)
            facts = {"metric": "ndcg@20", "model": model, "start": f"{given.hours:g} hours before the end"}
            print(f"# all of them\n\n{replay_text(replay_json(pooled(parts), **facts))}", flush=True)


if __name__ == "__main__":
    main()
