"""Picture towers for `bench.catalogue_captions`: one a seed, trained on the garments of `bench.fashion_clip`.

A tower is kept as an open_clip folder beside the cells, with the rows of its division, so that it is trained once.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.fashion_clip import FOLDER, JUDGED, garments
from catalog.nouns import Item
from catalog.workspace import content_key, write_text
from embedding.clip_training.batches import held_out
from embedding.clip_training.config import ClipTrainingConfig
from embedding.clip_training.examples import Examples, examples_of
from embedding.clip_training.fit import HeldOut, fit_towers, see_texts
from embedding.clip_training.pictures import ROOM, read_pictures
from embedding.clip_training.rows import Ints
from embedding.clip_training.step import Shown
from embedding.clip_training.towers import open_towers, text_counter
from vitrine.cli.bar import progress


@dataclass(frozen=True)
class Tower:
    """A trained tower and who it saw.

    Attributes:
        folder: An open_clip folder.
        fit: Rows of the garments it learned from.
        stop: Rows that ended its training.
        judge: Rows it never met.
        seconds: Wall clock of the training.
        cpu_seconds: Processor time of it.
    """

    folder: Path
    fit: Ints
    stop: Ints
    judge: Ints
    seconds: float
    cpu_seconds: float


class Towers:
    """The garments and a tower for each seed; what is missing is trained, a minute or two of processor time each.

    Args:
        config: Of the training.
        cells: Where towers are kept.
    """

    def __init__(self, config: ClipTrainingConfig, cells: Path) -> None:
        self._config, self._cells = config, cells
        self.items: list[Item] = list(garments())
        self._examples: Examples = examples_of(self.items, config, text_counter(config))
        assert self._examples.item_ids == tuple(item.item_id for item in self.items)
        self.key = content_key("garments", config.model_dump(mode="json", exclude={"threads"}), self._examples.texts)
        self._shown: Shown | None = None

    @property
    def groups(self) -> Ints:
        """(n,) one number a product code."""
        return self._examples.groups()

    def of(self, seed: int) -> Tower:
        """Return the tower of a seed."""
        folder = self._cells / f"tower-{self.key[:12]}-{seed}"
        told = folder / "division.json"
        if not told.is_file():
            write_text(told, json.dumps(self._trained(seed, folder)) + "\n")
        raw: dict[str, Any] = json.loads(told.read_text())
        fit, stop, judge = (np.array(raw[name], np.int64) for name in ("fit", "stop", "judge"))
        return Tower(folder, fit, stop, judge, raw["seconds"], raw["cpu_seconds"])

    def _trained(self, seed: int, folder: Path) -> dict[str, Any]:
        config, shown = self._config, self._read()
        began, cpu = time.perf_counter(), time.process_time()
        groups, rng = self._examples.groups(), np.random.default_rng(seed)
        learn, judge = held_out(groups, JUDGED, rng)
        inner = np.unique(groups[learn], return_inverse=True)[1].astype(np.int64)
        fit_on, stop_on = (learn[each] for each in held_out(inner, config.held_out, rng))
        towers = open_towers(config, seed)
        refs = [self._examples.pictures[row] for row in stop_on]
        pictures = read_pictures(refs, FOLDER, towers.preprocess, config.media)
        out = HeldOut(stop_on, pictures.pixels[pictures.first])
        fit_towers(towers, shown, fit_on, config, seed=seed, held_out=out, progress=progress())
        folder.mkdir(parents=True, exist_ok=True)
        towers.save(folder)
        return {
            "fit": fit_on.tolist(),
            "stop": stop_on.tolist(),
            "judge": judge.tolist(),
            "seconds": round(time.perf_counter() - began, 1),
            "cpu_seconds": round(time.process_time() - cpu, 1),
        }

    def _read(self) -> Shown:
        if self._shown is None:
            towers, examples = open_towers(self._config, 0), self._examples
            pictures = read_pictures(examples.pictures, FOLDER, towers.preprocess, self._config.media, scale=ROOM)
            self._shown = Shown(examples, pictures, self._trunk(towers))
        return self._shown

    def _trunk(self, towers: Any) -> Any:
        """Return what MiniLM makes of the texts; kept, since it takes a minute or two."""
        import torch

        kept = self._cells / f"texts-{content_key(self._examples.texts, self._config.context)[:12]}.npy"
        if not kept.is_file():
            found = see_texts(towers, self._examples.texts, self._config)
            assert found is not None
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(kept, found.numpy(), allow_pickle=False)
        return torch.from_numpy(np.load(kept, allow_pickle=False))
