"""Audit of the spaces that were learned from what shoppers took: from which rows, and may the models know those?"""

from __future__ import annotations

import polars as pl

from catalog.splits import Split
from eval.audit import Finding
from eval.audit_sources import outside


def learned_finding(role: str, split: Split, rows: pl.DataFrame) -> Finding:
    """Hold the rows that a space was learned from against the parts.

    The comparison of vectors cannot judge such a space: it matches train pairs best, as it was taught to, and one
    learned from all parts alike matches all alike. Its own account of its rows can: a test pair among them fails,
    under `temporal` any row from the cut on, and a validation pair as well, since models are stopped by those.

    Args:
        role: Of the table.
        split: The parts of the report.
        rows: `item_id, user_id, timestamp` of every row it was learned from.
    """
    check, found = f"rows behind {role!r}", outside(rows, split)
    told = {"of test pairs": found.test, "of validation pairs": found.valid, "at or after the cut": found.late}
    numbers = {"rows": float(len(rows)), **{name: float(count) for name, count in told.items()}}
    what = [f"{count:,} {name}" for name, count in told.items() if count]
    if what:
        text = f"of {len(rows):,} rows it was learned from {' and '.join(what)}: learn it from train rows alone"
        return Finding(check, "failed", text, numbers)
    return Finding(check, "passed", f"none of the {len(rows):,} rows it was learned from is outside train", numbers)
