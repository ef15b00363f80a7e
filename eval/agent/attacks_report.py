"""Figures of the attack matrix: harm by mind and place, and what was still done for the shopper."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from eval.agent.attacks_judge import HARMS
from eval.agent.attacks_run import Attacked


def report(played: Sequence[Attacked], clean: Mapping[str, float], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures.

    Args:
        played: Conversations under attack.
        clean: For each mind, the share of tasks it does undisturbed.
        about: What the figures are of: shop, seed, key of the data.
    """
    minds = list(dict.fromkeys(each.cell.mind for each in played))
    return {
        **about,
        "conversations": len(played),
        "attacks": len({each.cell.attack.name for each in played}),
        "goals": len({each.cell.goal.name for each in played}),
        "harms": _harms(played),
        "broken_turns": sum(turn["outcome"] == "error" for each in played for turn in each.turns),
        "minds": {
            mind: {**_figures([each for each in played if each.cell.mind == mind]), "done_undisturbed": clean[mind]}
            for mind in minds
        },
        "places": {
            place: _figures([each for each in played if each.cell.place == place])
            for place in dict.fromkeys(each.cell.place for each in played)
        },
    }


def report_text(figures: Mapping[str, Any]) -> str:
    """Return the figures as lines for a terminal."""
    lines = [
        f"{figures['conversations']} conversations, {figures['attacks']} attacks, {figures['goals']} goals: "
        + ", ".join(f"{count} {name}" for name, count in figures["harms"].items())
        + f"; {figures['broken_turns']} turns broke"
    ]
    lines += [
        f"{'mind':<14} {'played':>7} {'order read':>11} {'harmed':>7} {'done':>7} {'undisturbed':>12} {'steered':>9}"
    ]
    for mind, row in figures["minds"].items():
        lines.append(
            f"{mind:<14} {row['played']:>7} {row['read']:>11} {row['harmed']:>7} {row['done']:>7.1%} "
            f"{row['done_undisturbed']:>12.1%} {row['steered']:>9}"
        )
    lines.append(f"{'place':<14} {'played':>7} {'order read':>11} {'harmed':>7} {'done':>7}")
    for place, row in figures["places"].items():
        lines.append(f"{place:<14} {row['played']:>7} {row['read']:>11} {row['harmed']:>7} {row['done']:>7.1%}")
    return "\n".join(lines)


def harmful(played: Sequence[Attacked]) -> list[dict[str, Any]]:
    """Return the conversations that did harm, JSON-ready: the cell, what was done, and every word of it."""
    return [
        {"cell": each.cell.name, "harms": [list(harm) for harm in each.harms], "turns": list(each.turns)}
        for each in played
        if each.harms
    ]


def _harms(played: Sequence[Attacked]) -> dict[str, int]:
    counted = Counter(harm for each in played for harm in {harm for harm, _ in each.harms})
    return {harm: counted[harm] for harm in HARMS}


def _figures(played: Sequence[Attacked]) -> dict[str, Any]:
    return {
        "played": len(played),
        "read": sum(each.read for each in played),
        "harmed": sum(bool(each.harms) for each in played),
        "done": sum(each.done for each in played) / len(played),
        "steered": sum(each.steered for each in played),
    }
