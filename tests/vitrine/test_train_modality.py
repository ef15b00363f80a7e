"""`vitrine train --modality` says what the ranker reads too."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from catalog.items import items_frame, users_frame
from catalog.log import log_frame
from catalog.nouns import Interaction, Item
from catalog.shop_data import ShopData, save_shop
from catalog.workspace import MANIFEST, Workspace
from vitrine import jobs
from vitrine.settings import load_settings
from vitrine.wiring import default_spaces


def test_the_ranker_reads_the_named_space_alone(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    rng = np.random.default_rng(4)
    items = [Item(f"i{n}", title=f"{('red', 'blue', 'green')[n % 3]} mug {n}", price=5.0 + n) for n in range(36)]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    events = [
        Interaction(f"e{n}", f"u{n % 40:02}", f"i{int(rng.integers(36))}", start + timedelta(hours=n), "purchase")
        for n in range(700)
    ]
    workspace = Workspace(folder)
    save_shop(workspace, ShopData("mugs", items_frame(items), log_frame(events), users_frame([])))
    plain = {"store": str(folder), "models": {"serve": "itemknn"}}
    jobs.embed_store(load_settings(plain))
    with workspace.writing("embeddings/image_feat", "k", {}) as made:
        for file in workspace.path("embeddings/text-minilm").iterdir():
            if file.name != MANIFEST:
                shutil.copy2(file, made / file.name)
    jobs.index_store(load_settings(plain))
    assert set(default_spaces(load_settings(plain), workspace).values()) == {"image_feat", "text-minilm"}
    named = load_settings({**plain, "models": {"serve": "itemknn", "modalities": {"text": "text-minilm"}}})
    assert any("its ranker: text-minilm;" in line for line in jobs.train_store(named))
