"""What events and slates take in PostgreSQL is counted over the rows that were written."""

from __future__ import annotations

import pytest

from bench.event_rows import room, shown, written
from catalog.errors import ServiceError
from catalog.event_cluster import PrivatePostgres
from catalog.events import PostgresEventStore


@pytest.mark.postgres
def test_rows_are_written_and_weighed() -> None:
    try:
        server = PrivatePostgres()
    except ServiceError as error:
        pytest.skip(str(error))
    with server:
        store = PostgresEventStore(server.url)
        busy, clock = written(store, 20, 10)
        assert busy > 0 and clock > 0
        shown(store, 150)
        for table, rows in (("events", 200), ("slates", 150)):
            name, count, bare, whole = room(store, table)
            assert (name, count) == (table, rows) and 100 < bare < whole
        store.close()
