"""`python -m bench.ab`: A/A and A/B on generated shops: what the report says beside what the hidden truth is.

The control leads with popularity. In the A/A both arms do; in the A/B one leads with EASE. Lists come from the real
pipeline, clicks from the boutique's own click model, figures from the event store, as `vitrine ab report` reads them.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.plan import Plan, plan
from catalog.boutique.sessions import LAST_DAY
from catalog.event_experiments import deeds_since, experiment_slates
from catalog.events import SqliteEventStore
from catalog.ids import IdMap
from catalog.log import Interactions, positives
from catalog.nouns import Interaction
from eval.ab import RATE, AbReport, ab_report
from eval.ab_simulation import TOP_N, crowd_of, visit
from eval.ab_text import ab_text, verdict
from eval.ab_units import arms_data, exposed
from models import registry
from models.base import TrainingData
from tools.doubles import HashingEmbedder
from tools.experiment import ExperimentConfig, with_experiment
from tools.shop import Shop

TAKEN = ("event_id", "user_id", "item_id", "timestamp", "kind")
CONTROL = {"recommender": "popularity", "pipeline": {"retrievers": {"popularity": 100}}}
VARIANT = {"recommender": "ease", "pipeline": {"retrievers": {"ease": 100}}}


@dataclass(frozen=True)
class Simulated:
    """A report, and the expected clicks a list of each arm that it should find."""

    report: AbReport
    truth: dict[str, float]
    text: str


def opened_shop(seed: int, *, items: int, users: int, folder: Path) -> tuple[Shop, Plan]:
    """Return a generated shop with both models fitted, and the plan that holds its hidden truth."""
    made = plan(BoutiqueConfig(seed=seed, n_items=items, n_users=users, n_events=users * 20))
    data = made.shop
    taken = positives(data.log)
    users_taught = IdMap(dict.fromkeys(taken["user_id"].to_list()), "user")
    lessons = TrainingData(Interactions.from_log(taken, users_taught, data.catalog.ids), {})
    models = {}
    for name in ("popularity", "ease"):
        models[name] = registry.build(name)
        models[name].fit(lessons, seed=seed)
    events = SqliteEventStore(folder / f"events-{seed}.sqlite")
    # What each shopper took before: a list does not offer it again, and CUPED reads it.
    events.put([Interaction(**{name: row[name] for name in TAKEN}) for row in taken.iter_rows(named=True)])
    shop = Shop(
        name="boutique", catalog=data.catalog, users=data.user_nouns, captions={}, spaces={}, indexes={},
        embedder=HashingEmbedder(), events=events, root=folder, recommender=models["popularity"], retrievers=models,
    )  # fmt: skip
    return shop, made


def experiment_of(planted: bool, run: str) -> ExperimentConfig:
    """Return an experiment whose arms differ if anything is planted; another `run` draws everybody anew."""
    arms = {"control": CONTROL, "variant": VARIANT if planted else CONTROL}
    return ExperimentConfig.model_validate({"id": f"{'ab' if planted else 'aa'}-{run}", "arms": arms})


def simulate(seed: int, *, items: int, users: int, visits: int, planted: bool, folder: Path) -> Simulated:
    """Run one experiment on a generated shop of its own, through the real event store."""
    shop, made = opened_shop(seed, items=items, users=users, folder=folder)
    config, start = experiment_of(planted, str(seed)), LAST_DAY + timedelta(days=2)
    shop = with_experiment(shop, config)
    assert isinstance(shop.events, SqliteEventStore)
    try:
        crowd = crowd_of(shop, made.truth, list(made.truth.users), now=start)
        visit(shop, crowd, visits=visits, seed=seed, start=start)
        found = exposed(experiment_slates(shop.events), config.id)
        deeds = deeds_since(shop.events, start - timedelta(days=28))
        report = ab_report(config.id, arms_data(found, deeds, list(config.arms)))
        truth = {name: crowd.clicks_a_list(name) for name in config.arms}
        return Simulated(report, truth, ab_text(report))
    finally:
        shop.events.close()


def main() -> None:
    """Print each simulation's verdict beside the truth, and the last report whole."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[861, 862, 863])
    parser.add_argument("--items", type=int, default=300)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--visits", type=int, default=3)
    given = parser.parse_args()
    print(f"{given.items} items, {given.users} shoppers, {given.visits} lists of 8 each, seeds {given.seeds}")
    for planted in (False, True):
        for seed in given.seeds:
            with tempfile.TemporaryDirectory() as folder:
                made = simulate(
                    seed, items=given.items, users=given.users, visits=given.visits, planted=planted,
                    folder=Path(folder),
                )  # fmt: skip
            print(f"{'A/B' if planted else 'A/A'} {seed}: {line(made)}", flush=True)
    print("", made.text, sep="\n")


def line(made: Simulated) -> str:
    """Return what the report says of clicks an item shown, and what it should say."""
    gap = made.report.metrics[RATE][1].difference
    assert gap is not None
    true = (made.truth["variant"] - made.truth["control"]) / TOP_N
    each = gap.interval
    return (
        f"clicks an item shown {each.mean:+.4f} [{each.low:+.4f}, {each.high:+.4f}], true {true:+.4f}; "
        + "; ".join(f"{metric}: {verdict(rows[1])}" for metric, rows in made.report.metrics.items())
        + f"; split p {made.report.split_p:.2f}"
    )


if __name__ == "__main__":
    main()
