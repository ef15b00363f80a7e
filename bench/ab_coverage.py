"""`python -m bench.ab_coverage`: how often the 95% intervals of an A/B report hold the truth, over many experiments.

For each seed one generated shop; the lists that both arms would show to each of its shoppers are made once by the real
pipeline. Each repetition then draws as many shoppers anew (with replacement, so that the truth is the mean over the
whole crowd), assigns them by hash as the service does, draws their visits, clicks and purchases by the hidden truth,
and reports by `eval.ab`. What is left out beside `bench.ab` is the event store alone.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import numpy as np

from bench.ab import experiment_of, opened_shop
from catalog.boutique.sessions import LAST_DAY
from catalog.event_experiments import Deed
from catalog.nouns import Interaction
from eval.ab import RATE, AbReport, ab_report
from eval.ab_simulation import TOP_N, Crowd, crowd_of, lists_each, visits_of
from eval.ab_units import arms_data, exposed
from tools.experiment import ExperimentConfig, with_experiment

METRICS = (RATE, "clicks", "purchases")
START = LAST_DAY + timedelta(days=2)


@dataclass
class Tally:
    """What a series of experiments found; a list holds one entry a repetition.

    Attributes:
        held: By metric, whether the interval held the truth.
        low: By metric, of those that did not, whether the interval lay below it.
        found: By metric, whether p, unadjusted, was below 0.05.
        any_found: Whether any metric of the report was told apart after Holm.
        gaps: By metric, the difference less the truth, in standard errors.
        split: Whether the check of the split raised its alarm.
    """

    held: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    low: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    found: dict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    gaps: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    any_found: list[bool] = field(default_factory=list)
    split: list[bool] = field(default_factory=list)

    def add(self, report: AbReport, truth: Mapping[str, float]) -> None:
        """Count one report."""
        told = []
        for metric in METRICS:
            row = report.metrics[metric][1]
            gap = row.difference
            assert gap is not None and row.p_adjusted is not None
            each, true = gap.interval, truth[metric]
            self.held[metric].append(each.low <= true <= each.high)
            self.low[metric].append(each.high < true)
            self.found[metric].append(gap.p < 0.05)
            self.gaps[metric].append((each.mean - true) / ((each.high - each.low) / 3.919928))
            told.append(row.p_adjusted < 0.05)
        self.any_found.append(any(told))
        self.split.append(report.split_p < 0.001)


def series(crowd: Crowd, *, seed: int, planted: bool, repetitions: int, visits: float, tally: Tally) -> None:
    """Run experiments on one crowd; repetition `r` draws from the stream [seed, planted, r]."""
    truth = truth_of(crowd, visits)
    for r in range(repetitions):
        rng = np.random.default_rng([seed, planted, r])
        report = once(crowd.drawn_again(rng), experiment_of(planted, f"{seed}-{r}"), visits=visits, rng=rng)
        tally.add(report, truth)


def once(crowd: Crowd, experiment: ExperimentConfig, *, visits: float, rng: np.random.Generator) -> AbReport:
    """Return the report of one experiment."""
    slates, events = [], []
    for slate, followed in visits_of(crowd, experiment, visits=visits, rng=rng, start=START):
        slates.append(slate)
        events += followed
    found = exposed(slates, experiment.id)
    return ab_report(experiment.id, arms_data(found, map(_deed, events), list(experiment.arms)))


def truth_of(crowd: Crowd, visits: float) -> dict[str, float]:
    """Return what the variant has more than the control, by metric."""
    clicks = crowd.clicks_a_list("variant") - crowd.clicks_a_list("control")
    purchases = crowd.purchases_a_list("variant") - crowd.purchases_a_list("control")
    return {RATE: clicks / TOP_N, "clicks": clicks * lists_each(visits), "purchases": purchases * lists_each(visits)}


def share(flags: list[bool]) -> str:
    """Return a share with its exact 95% binomial interval."""
    from scipy.stats import binomtest

    found = binomtest(sum(flags), len(flags)).proportion_ci(0.95, "exact")
    return f"{sum(flags) / len(flags):.4f} [{found.low:.4f}, {found.high:.4f}]"


def _deed(event: Interaction) -> Deed:
    return Deed(
        event.user_id, event.session_id, event.item_id, event.timestamp, event.kind, event.value, event.request_id
    )


def main() -> None:
    """Print, for A/A and A/B and each metric, how often the interval held the truth and p was below 0.05."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[861, 862, 863])
    parser.add_argument("--repetitions", type=int, default=400, help="of each seed, A/A and A/B alike")
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--users", type=int, default=400)
    parser.add_argument("--visits", type=float, default=3)
    given = parser.parse_args()
    print(f"{given.items} items, {given.users} shoppers, about {given.visits:g} lists of {TOP_N} each; seeds "
          f"{given.seeds}, {given.repetitions} repetitions each")  # fmt: skip
    tallies = {False: Tally(), True: Tally()}
    for seed in given.seeds:
        with tempfile.TemporaryDirectory() as folder:
            shop, made = opened_shop(seed, items=given.items, users=given.users, folder=Path(folder))
            for planted, tally in tallies.items():
                arms = with_experiment(shop, experiment_of(planted, "lists"))
                crowd = crowd_of(arms, made.truth, list(made.truth.users), now=START)
                told = ", ".join(f"{name} {value:+.4f}" for name, value in truth_of(crowd, given.visits).items())
                print(f"{'A/B' if planted else 'A/A'} {seed}: true {told}", flush=True)
                series(crowd, seed=seed, planted=planted, repetitions=given.repetitions, visits=given.visits,
                       tally=tally)  # fmt: skip
            shop.events.close()
    for planted, tally in tallies.items():
        for metric in METRICS:
            gaps = np.array(tally.gaps[metric])
            print(
                f"{'A/B' if planted else 'A/A'} {metric}: held {share(tally.held[metric])}, too low "
                f"{sum(tally.low[metric])} of {tally.held[metric].count(False)} misses, p < 0.05 "
                f"{share(tally.found[metric])}, gap {gaps.mean():+.3f} standard errors, scatter {gaps.std(ddof=1):.3f}"
            )
        print(f"{'A/B' if planted else 'A/A'} any metric after Holm {share(tally.any_found)}, split alarm "
              f"{share(tally.split)}")  # fmt: skip


if __name__ == "__main__":
    main()
