"""Audit of a split itself: no pair in two parts, no train row younger than what it is said to precede."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt

from catalog.log import Interactions
from catalog.split_rules import CLOCK_STARTS
from catalog.splits import Split
from eval.audit import Finding

Stamps = npt.NDArray[np.int64]


def overlap_finding(split: Split) -> Finding:
    """Look for (user, item) pairs that stand in two parts."""
    parts = {"train": split.train, "valid": split.valid, "test": split.test}
    pairs = {name: np.unique(_pairs(part)) for name, part in parts.items()}
    shared = {
        f"{a}_{b}": float(len(np.intersect1d(pairs[a], pairs[b], assume_unique=True)))
        for a, b in (("train", "valid"), ("train", "test"), ("valid", "test"))
    }
    worst = max(shared, key=lambda name: shared[name])
    if shared[worst]:
        a, b = worst.split("_")
        return Finding("parts", "failed", f"{shared[worst]:,.0f} (user, item) pairs stand in {a} and {b}", shared)
    return Finding("parts", "passed", "no (user, item) pair stands in two parts", shared)


def order_finding(split: Split) -> Finding:
    """Look for train rows younger than the test rows they are said to precede.

    `last` promises it within each user, `temporal` for all users at once (within each user where the
    timestamps are ranks); `mmrec` promises nothing, so what it breaks is noted. Equal times are in order.
    """
    if not len(split.test) or not len(split.train):
        return Finding("time", "skipped", "there is no test row")
    source = str(split.meta.get("source", split.protocol))
    clock = _is_clock(split)
    if split.protocol == "temporal" and clock:
        return _one_cut(split, source)
    first_test = np.full(len(split.users), np.iinfo(np.int64).max)
    np.minimum.at(first_test, split.test.user_rows, split.test.timestamps)
    late = split.train.timestamps > first_test[split.train.user_rows]
    users = len(np.unique(split.train.user_rows[late]))
    judged = len(np.unique(split.test.user_rows))
    numbers = {"late_rows": float(late.sum()), "late_users": float(users), "users": float(judged)}
    if not late.any():
        unit = "" if clock else " (its timestamps are ranks)"
        return Finding("time", "passed", f"no user's train row is younger than a test row of theirs{unit}", numbers)
    text = f"{users:,} of {judged:,} users have train rows younger than a test row of theirs ({source!r}"
    if split.protocol == "mmrec":
        return Finding("time", "noted", f"{text}; protocol 'mmrec' promises no order)", numbers)
    return Finding("time", "failed", f"{text} breaks the promise of protocol {split.protocol!r})", numbers)


def _one_cut(split: Split, source: str) -> Finding:
    cut = int(split.test.timestamps.min())
    if "test_from" in split.meta:
        cut = min(cut, round(datetime.fromisoformat(split.meta["test_from"]).timestamp() * 1e6))
    late = int((split.train.timestamps >= cut).sum())
    early = 0
    if len(split.valid):
        early = int((split.train.timestamps >= split.valid.timestamps.min()).sum())
    numbers = {"late_rows": float(late), "rows_after_valid_begins": float(early)}
    if late or early:
        text = f"{max(late, early):,} of {len(split.train):,} train rows are at or after the cut ({source!r})"
        return Finding("time", "failed", text, numbers)
    return Finding("time", "passed", "every train row is older than the cut", numbers)


def _pairs(part: Interactions) -> Stamps:
    return part.user_rows.astype(np.int64) * len(part.items) + part.item_rows


def _is_clock(split: Split) -> bool:
    latest = max(int(part.timestamps.max(initial=0)) for part in (split.train, split.valid, split.test))
    return latest >= CLOCK_STARTS.timestamp() * 1e6
