"""The boutique, into the store."""

from __future__ import annotations

from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace
from vitrine.settings import Settings


def generate_boutique(
    settings: Settings, seed: int | None = None, progress: Progress = SILENT, *, again: bool = False
) -> str:
    """Write the boutique into the store and say what it holds.

    Raises:
        ConfigError: When the store holds another shop, unless `again` says to replace it.
    """
    from catalog.boutique.generate import require_same_shop, save_boutique

    config = settings.boutique if seed is None else settings.boutique.model_copy(update={"seed": seed})
    workspace = Workspace(settings.store)
    if not again:
        require_same_shop(workspace, config)
    shop = save_boutique(workspace, config, progress).shop
    films = sum(bool(item.videos) for item in shop.catalog)
    return (
        f"{shop.name}: {len(shop.items):,} products with pictures, {films:,} of them with a video, "
        f"{len(shop.users):,} shoppers, {len(shop.log):,} events"
    )
