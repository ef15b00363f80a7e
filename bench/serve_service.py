"""The shop of `bench.serve` on the wire, as `vitrine serve --workers` puts one there.

    python -m bench.serve_service --store FOLDER [--items 200000] [--workers 2] [--port 0]

The same parent, workers, doors and layers, live catalogue and event store; only the opening is the bench's own, and
nobody answers chats (`bench.agent_turn` measures those).
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from api.config import ApiConfig
from api.doubles import ScriptedAgent
from api.server import entrance, opening, url_of
from api.service import Service
from bench.serve_shop import opened_serve_shop
from catalog.id_files import ids_once
from catalog.item_journal import JOURNAL, ItemJournal
from catalog.nouns import Item
from tools.live import LiveParts, LiveShop
from tools.registry import Registry
from tools.renewal import Change
from tools.shop import Shop
from vitrine.libraries import shared_libraries
from vitrine.settings import Settings


class UnreadReader:
    """Takes records as they are."""

    def read(self, items: Sequence[Item]) -> Change:
        """Return records without captions and vectors."""
        return Change(tuple(items), read=False)


def opened_service(items: int, seed: int, folder: Path) -> Service:
    """Open the shop, ready for the wire and for writes to its catalogue."""
    with ids_once():
        shop = opened_serve_shop(items, seed, folder)
    agent = ScriptedAgent(shop)

    def dress(snapshot: Shop) -> Service:
        return Service(snapshot, Registry(snapshot), agent, ApiConfig(), snapshot.active)

    journal = ItemJournal(folder / JOURNAL, shop.name)
    live = LiveShop(shop, journal, LiveParts(UnreadReader(), lambda same: same.statistics), dress)
    return replace(live.current, live=live)


def main() -> None:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--items", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--apart", action="store_true", help="Each worker imports its libraries for itself.")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    load = partial(opened_service, given.items, given.seed, given.store)
    config = ApiConfig(workers=given.workers)
    listener = entrance(config, given.store, None, given.port)
    print(url_of(listener), flush=True)
    if given.workers > 1:
        from api.workers import Workers

        libraries = () if given.apart else shared_libraries(Settings())
        Workers(load, config, given.store, listener, lambda: None, libraries).run()
    else:
        opening(load, config, given.store, listener).run()


if __name__ == "__main__":
    main()
