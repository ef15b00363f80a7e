"""Audit of the reviews in item texts: does a space hold the words of rows a model is to foretell?"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import polars as pl

from catalog.log import Interactions
from catalog.splits import Split
from eval.audit import Finding


def review_finding(role: str, split: Split, sources: pl.DataFrame) -> Finding:
    """Look for reviews by the very shoppers, of the very items, that the other parts hold; and for later ones.

    A shopper who writes of an item has taken it: a text with those words tells who took what. Reviews of test pairs
    fail, and under `temporal` any review from the cut on; those of validation pairs are noted, since they only
    flatter the choice of settings.

    Args:
        role: Of the table that was made from the texts.
        split: The parts of the report.
        sources: `item_id, user_id, timestamp` of every review in a text.
    """
    check = f"reviews in {role!r}"
    written = _pairs(sources, split)
    test, valid = (int(np.isin(written, _taken(part)).sum()) for part in (split.test, split.valid))
    late = _late(sources, split)
    numbers = {"reviews": float(len(sources)), "of test": float(test), "of valid": float(valid), "late": float(late)}
    remedy = "embed again with embedding.reviews.as_of before the cut, or with its label_column"
    if test or late:
        what = [f"{test:,} of test pairs"] * bool(test) + [f"{late:,} written at or after the cut"] * bool(late)
        text = f"of {len(sources):,} reviews in the item texts {' and '.join(what)}: {remedy}"
        return Finding(check, "failed", text, numbers)
    if valid:
        text = f"of {len(sources):,} reviews in the item texts {valid:,} are of validation pairs, none of test pairs"
        return Finding(check, "noted", text, numbers)
    return Finding(check, "passed", f"none of {len(sources):,} reviews is of a pair outside train", numbers)


def _pairs(sources: pl.DataFrame, split: Split) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return each review as user row times items plus item row, -1 where the split knows neither."""
    users = split.users.rows(sources["user_id"].to_list(), missing=-1)
    items = split.items.rows(sources["item_id"].to_list(), missing=-1)
    return np.where((users >= 0) & (items >= 0), users.astype(np.int64) * len(split.items) + items, -1)


def _taken(part: Interactions) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return part.user_rows.astype(np.int64) * len(part.items) + part.item_rows


def _late(sources: pl.DataFrame, split: Split) -> int:
    if split.protocol != "temporal" or "test_from" not in split.meta:
        return 0
    return int((sources["timestamp"] >= datetime.fromisoformat(split.meta["test_from"])).sum())
