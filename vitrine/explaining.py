"""`vitrine eval explain`: whether what the shop says of its items is what put them there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import DataError
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace

if TYPE_CHECKING:
    from eval.explain.config import FaithfulnessConfig
    from vitrine.settings import Settings


def judge_explanations(
    settings: Settings, config: FaithfulnessConfig, *, folder: Path | None = None, progress: Progress = SILENT
) -> tuple[dict[str, Any], tuple[Path, Path]]:
    """Take the named evidence away from the explanations of a store; its events are neither read nor written.

    Args:
        settings: The store.
        config: How many lists, how deep.
        folder: Where the files go; the store's reports/ otherwise.
        progress: Told after every list.

    Returns:
        The figures, and the files they went to: `explanations.json` and `.md`.

    Raises:
        NotBuiltError: When the catalogue or the indexes are missing.
        DataError: When neither shoppers nor wishes give an explanation.
    """
    from catalog.shop_data import load_shop
    from eval.explain.histories import Histories
    from eval.explain.report import report, report_text
    from eval.explain.wishes import Wishes
    from vitrine.wiring import open_shop

    workspace = Workspace(settings.store)
    data, shop = load_shop(workspace), open_shop(settings)
    try:
        histories = Histories(shop, data.log, config)
        trials = [*histories.trials(progress), *Wishes(shop, config, histories.now).trials(progress)]
    finally:
        shop.events.close()
    if not trials:
        raise DataError(
            f"explanations of {shop.name!r}: no shopper has {config.events[0]} to {config.events[1]} items and no wish "
            "found any; a log with events, or other --events, would be valid"
        )
    manifest = workspace.manifest("catalog")
    model = shop.recommender.name if shop.recommender is not None else "popularity"
    about = {
        "shop": shop.name,
        "model": model,
        "ranker": shop.ranker is not None,
        "data": manifest.key if manifest else None,
    }
    figures = report(trials, config, about)
    target = folder or workspace.root / "reports"
    target.mkdir(parents=True, exist_ok=True)
    files = (target / "explanations.json", target / "explanations.md")
    files[0].write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    files[1].write_text(report_text(figures) + "\n", encoding="utf-8")
    return figures, files
