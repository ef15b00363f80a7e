"""Audit of the reviews in item texts: does a space hold the words of rows a model is to foretell?"""

from __future__ import annotations

import polars as pl

from catalog.splits import Split
from eval.audit import Finding
from eval.audit_sources import outside


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
    found = outside(sources, split)
    test, valid, late = found.test, found.valid, found.late
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
