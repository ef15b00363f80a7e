"""A nightly job beside an open shop: the journal worked into the catalogue, captions, vectors and indexes anew.

python -m bench.soak_swap STORE
"""

from __future__ import annotations

import sys
from pathlib import Path

from batch.lock import exclusive
from catalog.sync_journal import absorb
from catalog.workspace import Workspace
from vitrine.jobs import caption_store, embed_store, index_store
from vitrine.settings import load_settings
from vitrine.syncing import SYNCING


def swap(store: Path) -> int:
    """Work what was written into catalogue, captions, vectors and indexes; return how many items it was about."""
    settings, workspace = load_settings({"store": str(store)}), Workspace(store)
    with exclusive(workspace.root / SYNCING, "sync"):
        written = absorb(workspace)
    if workspace.names("captions"):
        caption_store(settings)
    embed_store(settings)
    index_store(settings)
    return written


if __name__ == "__main__":
    print(swap(Path(sys.argv[1])))
