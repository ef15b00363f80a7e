"""Words and vectors to indexes."""

from __future__ import annotations

from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace
from vitrine.jobs.caption import store_captions
from vitrine.settings import Settings


def index_store(settings: Settings, progress: Progress = SILENT) -> list[str]:
    """Build every index the store's captions and vectors allow, and say of each how many items it lacks."""
    from indexes.job import build_indexes

    workspace = Workspace(settings.store)
    captions = store_captions(settings, workspace)
    built = build_indexes(workspace, captions, vectors=settings.indexes.vectors, progress=progress)
    return [
        f"indexes/{b.name}: {b.items:,} items, {'built' if b.built else 'already current'} ({b.kind})"
        f"{_lacking(workspace, b.items)}"
        for b in built
    ]


def _lacking(workspace: Workspace, items: int) -> str:
    manifest = workspace.manifest("catalog")
    whole = manifest.meta.get("items", items) if manifest else items
    return f"; {whole - items:,} of the catalogue's {whole:,} are not in it" if items < whole else ""
