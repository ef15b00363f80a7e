"""A shop in two colours: who takes even items takes even items only, and one space of vectors knows the colour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from catalog.columns import INTERACTIONS
from catalog.ids import IdMap
from catalog.splits import Split, make_split
from catalog.vectors import EmbeddingTable
from eval.captions.contenders import Contender

N_ITEMS, N_USERS, TAKEN = 40, 60, 8


def log_of_two_colours() -> tuple[pl.DataFrame, IdMap]:
    """Even users take even items, odd users odd ones; the last tenth of the items appears at the end of the log."""
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for user in range(N_USERS):
        for step, half in enumerate(sorted(rng.choice(N_ITEMS // 2, TAKEN, replace=False))):
            rows.append(
                {
                    **dict.fromkeys(INTERACTIONS),
                    "event_id": f"e{user}-{step}",
                    "user_id": f"u{user}",
                    "item_id": f"i{2 * int(half) + user % 2}",
                    "timestamp": start + timedelta(hours=int(half), minutes=user),
                    "kind": "purchase",
                }
            )
    return pl.DataFrame(rows, schema=INTERACTIONS, orient="row"), IdMap(f"i{i}" for i in range(N_ITEMS))


@pytest.fixture(scope="session")
def split() -> Split:
    log, items = log_of_two_colours()
    return make_split(log, items, protocol="mmrec")


@pytest.fixture(scope="session")
def later_split() -> Split:
    """The same log cut in time."""
    log, items = log_of_two_colours()
    return make_split(log, items, protocol="temporal")


@pytest.fixture(scope="session")
def colour(split: Split) -> EmbeddingTable:
    rng = np.random.default_rng(1)
    side = (np.arange(N_ITEMS)[:, None] % 2 * 2.0 - 1) * np.ones((1, 4))
    return EmbeddingTable(split.items, (side + 0.1 * rng.standard_normal(side.shape)).astype(np.float32), "colour")


@pytest.fixture(scope="session")
def noise(split: Split) -> EmbeddingTable:
    rng = np.random.default_rng(2)
    return EmbeddingTable(split.items, rng.standard_normal((N_ITEMS, 4)).astype(np.float32), "noise")


@pytest.fixture(scope="session")
def contenders(colour: EmbeddingTable, noise: EmbeddingTable) -> list[Contender]:
    return [Contender("noise", noise), Contender("colour", colour)]
