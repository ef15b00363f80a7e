"""What a contender's words and vectors cost to make, by the reports that its jobs left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from batch.report import earlier_runs
from catalog.workspace import Workspace
from eval.captions.config import Prices

MILLION, HOUR = 1e6, 3600.0


@dataclass(frozen=True, slots=True)
class Cost:
    """The making of one space of vectors, its captions included.

    Attributes:
        seconds: Of the jobs' work, the loading of models included.
        prompt: Tokens read.
        completion: Tokens written.
        money: None where no price is set.
    """

    seconds: float
    prompt: int
    completion: int
    money: float | None = None

    def __add__(self, other: Cost) -> Cost:
        """Return both together; prices are set after adding."""
        return Cost(self.seconds + other.seconds, self.prompt + other.prompt, self.completion + other.completion)

    def priced(self, prices: Prices) -> Cost:
        """Return it in money; what has no price is free, where anything has one."""
        if prices == Prices():
            return self
        money = self.prompt / MILLION * (prices.prompt or 0) + self.completion / MILLION * (prices.completion or 0)
        return Cost(self.seconds, self.prompt, self.completion, money + self.seconds / HOUR * (prices.hour or 0))


def cost_of(workspace: Workspace, artifacts: Sequence[str], prices: Prices) -> Cost | None:
    """Return what several artifacts cost together, None where a job's report of one of them is missing."""
    total = Cost(0.0, 0, 0)
    for name in artifacts:
        runs = [run for run in earlier_runs(workspace.root / name) if run.get("worked")]
        if not runs:
            return None
        total += _whole(earlier_runs(workspace.root / name)[-1], runs)
    return total.priced(prices)


def _whole(latest: dict[str, Any], runs: Sequence[dict[str, Any]]) -> Cost:
    """Return the cost of every piece at the rate of the runs, however many pieces each of them made.

    A run that goes on where an earlier one stopped would else seem cheap, and one that tried again dear.
    """
    pieces = sum(int(latest.get(name, 0)) for name in ("done", "reused")) - int(latest.get("duplicates", 0))
    share = pieces / sum(run["worked"] for run in runs)
    seconds = sum(run["phases"]["work"] for run in runs) * share
    prompt, completion = (round(sum(run["usage"][kind] for run in runs) * share) for kind in ("prompt", "completion"))
    return Cost(seconds, prompt, completion)
