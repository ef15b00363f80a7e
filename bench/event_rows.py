"""What an event and a slate cost in PostgreSQL: processor time of the writer by batch, bytes of a row with indexes.

    python -m bench.event_rows

Starts a PostgreSQL of its own (its binaries must be there). Prints two tables; generated rows, seed 1.
"""

from __future__ import annotations

import argparse
import time
import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
from sqlalchemy import text

from catalog.event_cluster import PrivatePostgres
from catalog.events import PostgresEventStore
from catalog.nouns import Interaction, Slate

USERS, ITEMS, SHOWN = 50_000, 200_000, 10
BATCHES = {1: 1_500, 20: 6_000, 200: 20_000}
"""Events written by size of the batch."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="how many times the usual number of rows")
    scale = parser.parse_args().scale
    with PrivatePostgres() as server:
        store = PostgresEventStore(server.url)
        print("| batch | events | processor ms an event | clock ms an event |\n|---|---|---|---|")
        for batch, usual in BATCHES.items():
            busy, clock = written(store, batch, rounds := max(1, round(usual * scale / batch)))
            print(f"| {batch} | {batch * rounds:,} | {busy:.3f} | {clock:.3f} |")
        shown(store, round(4_000 * scale))
        print("\n| table | rows | bytes a row | with indexes |\n|---|---|---|---|")
        for table in ("events", "slates"):
            print(
                "| "
                + " | ".join(f"{figure:,}" if isinstance(figure, int) else figure for figure in room(store, table))
                + " |"
            )
        store.close()


def written(store: PostgresEventStore, batch: int, rounds: int) -> tuple[float, float]:
    """Write events in batches; return milliseconds an event of this process's work, and by the clock."""
    rng, now = np.random.default_rng(batch), datetime.now(UTC)
    made = [[_event(rng, now) for _ in range(batch)] for _ in range(rounds)]
    busy, clock = time.process_time(), time.perf_counter()
    for events in made:
        store.put(events)
    spent = time.process_time() - busy, time.perf_counter() - clock
    return spent[0] * 1000 / (batch * rounds), spent[1] * 1000 / (batch * rounds)


def shown(store: PostgresEventStore, count: int) -> None:
    """Write slates of ten items."""
    rng, now = np.random.default_rng(1), datetime.now(UTC)
    for _ in range(count):
        items = tuple(f"v{item:06d}" for item in rng.integers(ITEMS, size=SHOWN))
        store.put_slate(Slate(uuid.uuid4().hex, f"u{rng.integers(USERS)}", None, now, items, (1.0,) * SHOWN, None))
    store.settled()


def room(store: PostgresEventStore, table: str) -> tuple[str, int, int, int]:
    """Return a table's name, rows, and bytes of a row without and with indexes."""
    sizes = f"pg_relation_size('{table}') AS bare, pg_total_relation_size('{table}') AS whole"
    [found] = store.rows(text(f"SELECT count(*) AS rows, {sizes} FROM {table}"))
    rows = int(found["rows"])
    return table, rows, round(found["bare"] / rows), round(found["whole"] / rows)


def _event(rng: np.random.Generator, now: datetime) -> Interaction:
    moment = now - timedelta(seconds=int(rng.integers(9_000)))
    user, item = f"u{rng.integers(USERS)}", f"v{rng.integers(ITEMS):06d}"
    return Interaction(uuid.uuid4().hex, user, item, moment, "click", request_id=uuid.uuid4().hex)


if __name__ == "__main__":
    main()
