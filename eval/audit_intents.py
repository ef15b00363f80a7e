"""Audit of intents: is each dated as its event is, and do features as of the cut stay as they are with other words?"""

from __future__ import annotations

import numpy as np
import polars as pl

from catalog.items import Catalog
from catalog.splits import Split
from eval.audit import Finding
from eval.audit_moments import cut_of
from models.intents.features import INTENT_FEATURES, IntentFeatures

MAX_SHOPPERS = 200
"""Shoppers whose features are compared."""


def intent_finding(split: Split, catalog: Catalog, log: pl.DataFrame, intents: pl.DataFrame) -> Finding:
    """Build the ranker's features of intents as of the cut twice, the second time with every later intent made up.

    An intent that is dated before its event would slip a shopper's later words past every cut, so dates are compared
    with the log's first.
    """
    numbers = {"intents": float(len(intents))}
    dated = intents.join(log.select("event_id", said="timestamp"), on="event_id", how="left")
    wrong = dated.filter(pl.col("said").is_null() | (pl.col("timestamp") < pl.col("said")))
    if len(wrong):
        text = f"{len(wrong):,} of {len(intents):,} intents are dated before their event, or have none: read them again"
        return Finding("intents", "failed", text, {**numbers, "misdated": float(len(wrong))})
    cut = cut_of(split, log)
    later = pl.col("timestamp") >= cut
    after = intents.filter(later)
    if not len(after) or len(after) == len(intents):
        return Finding("intents", "skipped", "no moment has intents on both sides", numbers)
    turned = after.with_columns(pl.col("item_id").reverse(), pl.lit("praised").alias("kind"))
    honest = IntentFeatures(intents, catalog, as_of=cut)
    other = IntentFeatures(pl.concat([intents.filter(~later), turned, turned]), catalog, as_of=cut)
    rows, prices = np.arange(len(catalog)), np.ones(len(catalog))
    shoppers = after["user_id"].unique().sort().head(MAX_SHOPPERS).to_list()
    moved = {
        name
        for user in shoppers
        for name in INTENT_FEATURES
        if not np.array_equal(
            honest.columns(user, rows, prices)[name], other.columns(user, rows, prices)[name], equal_nan=True
        )
    }
    numbers["later"] = float(len(after))
    if moved:
        text = f"{', '.join(sorted(moved))} as of {cut.isoformat()} change with later words"
        return Finding("intents", "failed", text, numbers)
    return Finding(
        "intents", "passed", f"no feature as of the cut moves with the {len(after):,} later intents", numbers
    )
