"""The A/B report as lines for a terminal."""

from __future__ import annotations

import math

from eval.ab import MISMATCH, RATE, AbReport, ArmRow
from eval.columns import aligned

TITLE = ("", "mean", "difference", "relative", "95% interval", "p", "detectable")


def ab_text(report: AbReport) -> str:
    """Return who was shown what, then every metric with its difference from the control."""
    whole = sum(report.shoppers.values())
    counts = [("arm", "meant", "shoppers", "lists", "items shown", *next(iter(report.events.values())))]
    for arm, n in report.shoppers.items():
        done = [f"{each:,}" for each in report.events[arm].values()]
        counts.append((arm, f"{report.expected[arm]:.1%}", f"{n:,} ({n / whole:.1%})" if whole else "0",
                       f"{report.slates[arm]:,}", f"{report.shown[arm]:,}", *done))  # fmt: skip
    verdict = "as meant" if report.split_p >= MISMATCH else "NOT as meant"
    lines = [
        f"experiment {report.experiment!r}, compared with {report.control!r}", "", *aligned(counts),
        f"the split is {verdict} (chi-square p {report.split_p:.3g})", "",
    ]  # fmt: skip
    for metric, rows in report.metrics.items():
        unit = "" if metric == RATE else " a shopper" + ", less what their own past foretells" * report.cuped
        lines += [f"{metric}{unit}", *aligned([TITLE, *(_row(row) for row in rows)]), ""]
    lines += [
        "p is held against all comparisons of this report together (Holm). detectable: the least true difference that",
        "so many shoppers would show four times in five.",
    ]
    return "\n".join([*lines, *(f"warning: {each}" for each in report.warnings)])


def verdict(row: ArmRow) -> str:
    """Return `better`, `worse` or `no difference`, by the adjusted p at 5%."""
    if row.difference is None or row.p_adjusted is None or not row.p_adjusted < 0.05:
        return "no difference"
    return "better" if row.difference.interval.mean > 0 else "worse"


def _row(row: ArmRow) -> tuple[str, ...]:
    gap = row.difference
    if gap is None:
        return (row.arm, f"{row.mean:.4f}", "", "", "", "", "")
    each = gap.interval
    told = "too few" if math.isnan(each.low) else f"[{each.low:+.4f}, {each.high:+.4f}]"
    relative = "-" if math.isnan(gap.relative) else f"{gap.relative:+.1%}"
    p = "-" if row.p_adjusted is None or math.isnan(row.p_adjusted) else f"{row.p_adjusted:.4f}"
    detectable = "-" if math.isnan(gap.detectable) else f"{gap.detectable:.4f}"
    return (row.arm, f"{row.mean:.4f}", f"{each.mean:+.4f}", relative, told, p, detectable)
