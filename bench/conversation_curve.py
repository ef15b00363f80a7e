"""What talking adds: the item a shopper takes next, ranked after 0 to 5 constraints they name.

    python -m bench.conversation_curve --store FOLDER [--cases 300] [--seed 0] [--model sequence_linear] [--json FILE]

Each shopper's last positive is held out and every event of theirs about it; the recommender and the statistics are
fitted afresh on what remains, a served model is never read. Without ranker and click model, which are taught on the
whole log. Four systems over the same shop: see `eval.agent.curve`. The catalogue's own ratings know the whole log.

A store comes from `vitrine generate` or `vitrine import`, then `vitrine embed` and `vitrine index`. On a boutique the
figures prove the plumbing, not the worth: constraints are drawn from the records that are searched.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from catalog.log import positives
from catalog.shop_data import ShopData, load_shop
from catalog.workspace import Workspace
from eval.agent.curve import cases, curve, curve_text
from eval.agent.harness import Harness
from tools.shop import Shop
from vitrine.settings import Settings, load_settings
from vitrine.training import fit_served, serving_statistics
from vitrine.wiring import choose_spaces, load_modalities, open_shop


def last_taken(log: pl.DataFrame, kinds: tuple[str, ...] | None) -> dict[str, str]:
    """Return each shopper's latest positive, of those with at least one other item before it."""
    counted = positives(log, kinds).sort("timestamp", maintain_order=True)
    last = counted.group_by("user_id", maintain_order=True).agg(
        pl.col("item_id").last(), pl.col("item_id").n_unique().alias("n")
    )
    return {row["user_id"]: row["item_id"] for row in last.filter(pl.col("n") > 1).iter_rows(named=True)}


def without(log: pl.DataFrame, held_out: dict[str, str]) -> pl.DataFrame:
    """Return the log without any event of a shopper about their held-out item."""
    pairs = pl.DataFrame({"user_id": list(held_out), "item_id": list(held_out.values())}, schema_overrides=log_ids(log))
    return log.join(pairs, on=["user_id", "item_id"], how="anti", maintain_order="left")


def log_ids(log: pl.DataFrame) -> dict[str, pl.DataType]:
    """Return the types of the log's id columns."""
    return {name: log.schema[name] for name in ("user_id", "item_id")}


def shop_without(settings: Settings, data: ShopData, log: pl.DataFrame, moment: datetime) -> Shop:
    """Return the store's shop with a recommender and statistics that know `log` alone."""
    workspace = Workspace(settings.store)
    past = replace(data, log=log)
    roles = choose_spaces(settings, workspace, settings.models.serve)
    fitted = fit_served(settings, past.log, data.catalog.ids, load_modalities(workspace, roles))
    shop = replace(
        open_shop(settings), recommender=fitted.model, retrievers={}, ranker=None, ctr=None, scorers={}, statistics=None
    )
    return replace(shop, statistics=serving_statistics(settings, past, shop, moment))


def main() -> None:
    """Measure one store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", required=True)
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="sequence_linear", help="the recommender, fitted afresh")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    settings = load_settings({"store": given.store, "models": {"serve": given.model}})
    data = load_shop(Workspace(settings.store))
    held_out = last_taken(data.log, settings.positives)
    latest = data.log["timestamp"].max()
    assert isinstance(latest, datetime)
    moment = latest + timedelta(seconds=1)
    chosen = cases(data.catalog, held_out, n=given.cases, seed=given.seed)
    mine = {case.user_id: case.item_id for case in chosen}
    shop = shop_without(settings, data, without(data.log, mine), moment)
    with tempfile.TemporaryDirectory() as folder:
        harness = Harness(shop, Path(folder), settings.agent, now=lambda: moment)
        found = curve(harness, chosen, now=moment, seed=given.seed)
        harness.close()
    shop.events.close()
    manifest = Workspace(settings.store).manifest("catalog")
    found |= {"shop": data.name, "model": given.model, "seed": given.seed, "data": manifest.key if manifest else None}
    print(curve_text(found))
    for system, points in found["agent_minus"].items():
        gains = "  ".join(f"{point['mean']:+.4f} ({point['low']:+.4f} {point['high']:+.4f})" for point in points)
        print(f"agent - {system}: {gains}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
