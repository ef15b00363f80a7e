"""What the tasks show: successes over k passes, grounding, and what a success costs, by category."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from math import comb
from typing import Any

import numpy as np

from eval.agent.harness import Played
from eval.agent.tasks import TaskConfig
from eval.intervals import bootstrap_interval

_COSTS = (("calls", 1), ("tokens", 0), ("seconds", 2))


def pass_k(successes: int, passes: int, k: int) -> float:
    """Return the chance that `k` passes drawn from these all succeed.

    Source: Yao et al., tau-bench, 2024, the unbiased estimator of pass^k.
    """
    return comb(successes, k) / comb(passes, k)


def report(played: Sequence[Played], config: TaskConfig, about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures of one run as JSON-ready values.

    Args:
        played: Every pass, at least one.
        config: How tasks were drawn.
        about: What was judged: the shop, the mind, the catalogue's hash.
    """
    groups: dict[str, list[Played]] = defaultdict(list)
    for each in played:
        groups[each.task.category].append(each)
    return {
        "about": dict(about),
        "config": config.model_dump(),
        "all": _figures(played, config),
        "categories": {name: _figures(each, config) for name, each in groups.items()},
    }


def _figures(played: Sequence[Played], config: TaskConfig) -> dict[str, Any]:
    tasks: dict[str, list[bool]] = defaultdict(list)
    for each in played:
        tasks[each.task.task_id].append(each.success)
    chances = {
        k: np.array([pass_k(sum(found), len(found), k) for found in tasks.values()])
        for k in range(1, config.passes + 1)
    }  # fmt: skip
    first = bootstrap_interval(chances[1], seed=config.seed)
    won = sum(each.success for each in played)
    turns = [turn["milliseconds"] for each in played for turn in each.turns]
    return {
        "tasks": len(tasks),
        "passes": len(played),
        "pass": {str(k): float(values.mean()) for k, values in chances.items()},
        "pass_1_interval": [first.low, first.high],
        "grounded": sum(not each.ungrounded for each in played) / len(played),
        "calls_per_success": _per(sum(each.calls for each in played), won),
        "rounds_per_success": _per(sum(each.rounds for each in played), won),
        "tokens_per_success": _per(sum(each.tokens for each in played), won),
        "seconds_per_success": _per(sum(each.seconds for each in played), won),
        "answered_by": _shares([turn["mind"] for each in played for turn in each.turns]),
        "median_turn_milliseconds": float(np.median(turns)) if turns else None,
    }


def _shares(minds: Sequence[str | None]) -> dict[str, float]:
    """Whose answers these were: the planner steps in for a model that fails, and its merits are not the model's."""
    counts = Counter(mind or "none" for mind in minds)
    return {mind: count / len(minds) for mind, count in sorted(counts.items())}


def _per(total: float, won: int) -> float | None:
    """What a success costs, failed passes paid for as well; None without a success."""
    return round(total / won, 4) if won else None


def report_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as a table for a terminal."""
    passes = figures["config"]["passes"]
    shown = sorted({1, passes})
    names = [f"pass^{k}" for k in shown]
    head = ["category", "tasks", *names, "grounded", "calls", "tokens", "seconds"]
    rows = [head]
    for name, part in [*figures["categories"].items(), ("all", figures["all"])]:
        chances = [f"{part['pass'][str(k)]:.1%}" for k in shown]
        costs = [_cell(part[f"{cost}_per_success"], digits) for cost, digits in _COSTS]
        rows.append([name, str(part["tasks"]), *chances, f"{part['grounded']:.1%}", *costs])
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    lines = [
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width)
                  for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]  # fmt: skip
    low, high = figures["all"]["pass_1_interval"]
    minds = ", ".join(f"{mind} {share:.0%}" for mind, share in figures["all"]["answered_by"].items())
    lines.append(f"answered by: {minds}")
    return "\n".join([*lines, f"calls, tokens and seconds a success; pass^1 of all: {low:.1%} to {high:.1%} (95%)"])


def _cell(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def played_text(played: Played) -> str:
    """Return one conversation for reading: who said what, what was shown, and what was wrong."""
    lines = []
    for turn in played.turns:
        lines += [f"shopper: {turn['said']}", f"agent ({turn['outcome']}): {turn['text']}"]
        lines += [f"  {entry['item_id']}  {entry['title']}  {entry['price']}" for entry in turn["recommendations"]]
    faults = [*played.faults, *played.ungrounded]
    return "\n".join([*lines, *(f"fault: {fault}" for fault in faults)] if faults else [*lines, "success"])
