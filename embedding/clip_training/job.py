"""`train_clip`: the store's catalogue to `encoders/clip` and its cross-fitted siblings `encoders/clip-folds`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from batch.hashes import HashCache
from catalog.errors import DataError, MediaError
from catalog.items import Catalog
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.workspace import Workspace, content_key
from embedding.clip_training.batches import folds, held_out
from embedding.clip_training.config import ClipTrainingConfig
from embedding.clip_training.examples import LEAST, Examples, examples_of
from embedding.clip_training.fit import Fitted, HeldOut, fit_towers, see_texts
from embedding.clip_training.pictures import ROOM, Pictures, read_pictures
from embedding.clip_training.places import CLIP, CLIP_FOLDS, FOLDS_FILE
from embedding.clip_training.recall import chance
from embedding.clip_training.rows import Ints
from embedding.clip_training.step import Shown
from embedding.clip_training.towers import base_key, open_towers, text_counter
from embedding.torch_running import require_device

LEAST_PARENTS = 4
"""Fewest products, whatever their variants, of which some can be held out."""
TRAINING = 1
"""Version of the training; stands in content keys, so that a change trains again."""


@dataclass(frozen=True)
class ClipReport:
    """What a training found.

    Attributes:
        items: Items it learned from.
        held_out: Items that recall was measured on, before the last training took them in.
        epochs: Rounds that were enough.
        recall: On the held-out items, e.g. `{"picture->text@1": 0.1, ...}`.
        chance: What an order drawn at random would give.
        folds: How many siblings stand beside it.
        seconds: Wall clock.
        unreadable: Pictures that could not be read.
        made: What was made anew, of `encoders/clip` and `encoders/clip-folds`.
    """

    items: int
    held_out: int
    epochs: int
    recall: Mapping[str, float]
    chance: Mapping[str, float]
    folds: int
    seconds: float
    unreadable: int = 0
    made: tuple[str, ...] = field(default=())

    def _doubts(self) -> list[str]:
        """Return a line where the held-out items were found no better than by chance."""
        if sum(self.recall.values()) > 1.05 * sum(self.chance.values()):
            return []
        return [
            f"  no better than chance: {self.held_out:,} held-out items are too few to tell when to stop, or the "
            "pictures say nothing of the texts; encoders.clip.held_out=0.3 and encoders.clip.patience=30 look longer"
        ]

    def lines(self) -> list[str]:
        """Return what is said of it on the terminal."""
        if not self.made:
            return [f"{CLIP}: already current"]
        lost = f", {self.unreadable:,} pictures could not be read" if self.unreadable else ""
        best = ", ".join(
            f"{name} {self.recall[f'{name}@10']:.3f} (chance {self.chance[f'{name}@10']:.3f})"
            for name in ("picture->text", "text->picture")
        )
        beside = f"; {CLIP_FOLDS}: {self.folds} siblings" if self.folds else ""
        rounds = "1 round" if self.epochs == 1 else f"{self.epochs} rounds"
        return [
            f"{CLIP}: {self.items:,} items, {rounds}, {self.seconds:.1f} s{lost}{beside}",
            f"  recall@10 among {self.held_out:,} held-out items: {best}",
            *self._doubts(),
            "vitrine embed makes the space picture-clip by it, unless embedding.pictures names another model",
        ]


def train_clip(
    workspace: Workspace, config: ClipTrainingConfig, *, seed: int, progress: Progress = SILENT
) -> ClipReport:
    """Fit `encoders/clip` on the catalogue, and `encoders/clip-folds`; nothing is done while both are current.

    A first training on nine tenths finds how many rounds are enough and what recall is worth; the model that stays
    learns from everything for as many. Fold k learns from everything but the items of fold k.

    Args:
        workspace: Holds the catalogue; relative pictures are looked for below it.
        config: What is built and how.
        seed: The same seed, config and catalogue give the same bytes on the same machine.
        progress: Told of pictures and rounds.

    Raises:
        NotBuiltError: When the catalogue is missing.
        DataError: When too few items have a picture that can be read and a text.
        ConfigError: When the model to start from is not on this machine, or torch cannot use the device.
    """
    began = time.perf_counter()
    require_device(config.device, "encoders.clip.device")
    catalog = load_shop(workspace).catalog
    examples = examples_of(catalog, config, text_counter(config))
    folded = fold_table(catalog, max(1, config.folds), seed)
    key = _key(workspace, folded, examples, config, seed)
    current = workspace.has(CLIP, key)
    if not config.folds:
        workspace.remove(CLIP_FOLDS)
    if current and (not config.folds or workspace.has(CLIP_FOLDS, key)):
        return _reported(workspace, ())
    run = _Run(workspace, config, examples, seed, progress)
    made = []
    if not current:
        meta = run.scouted()
        with workspace.writing(CLIP, key, meta) as folder:
            run.whole(folder, meta["epochs"])
            meta["seconds"] = round(time.perf_counter() - began, 1)
        made.append(CLIP)
    epochs = _reported(workspace, ()).epochs
    if config.folds:
        with workspace.writing(CLIP_FOLDS, key, {"folds": config.folds, "epochs": epochs, "seed": seed}) as folder:
            run.siblings(folder, epochs, folded)
        made.append(CLIP_FOLDS)
    report = _reported(workspace, tuple(made))
    return ClipReport(**{**vars(report), "seconds": time.perf_counter() - began})


class _Run:
    """Pictures and texts of one catalogue, read once, for every training on it."""

    def __init__(
        self, workspace: Workspace, config: ClipTrainingConfig, examples: Examples, seed: int, progress: Progress
    ) -> None:
        self._config, self._seed, self._progress, self._root = config, seed, progress, workspace.root
        towers = open_towers(config, seed)
        self._preprocess, self._told = towers.preprocess, towers.told
        self._pictures: Pictures = read_pictures(
            examples.pictures, workspace.root, self._preprocess, config.media, scale=ROOM, progress=progress
        )
        readable = np.flatnonzero(self._pictures.count > 0)
        if len(readable) < LEAST:
            why = next(iter(self._pictures.failures.values()), "")
            raise DataError(f"{len(readable)} items have a picture that can be read; {LEAST} would be valid: {why}")
        if (parents := len(np.unique(examples.groups()[readable]))) < LEAST_PARENTS:
            raise DataError(
                f"the {len(readable)} items with a picture and a text are variants of {parents} products (parent_id); "
                f"{LEAST_PARENTS} or more would be valid, since some are held out"
            )
        self._examples, self._rows = examples, readable
        self._shown = Shown(examples, self._pictures, see_texts(towers, examples.texts, config, progress))

    def scouted(self) -> dict[str, Any]:
        """Return the manifest's words: how many rounds are enough, and recall on what was held out."""
        groups = _regrouped(self._examples.groups()[self._rows])
        learn, out = held_out(groups, self._config.held_out, np.random.default_rng(self._seed))
        rows = self._rows[out]
        shown = read_pictures(
            [self._examples.pictures[row] for row in rows], self._root, self._preprocess, self._config.media
        )
        fitted = self._fit(self._rows[learn], HeldOut(rows, shown.pixels[shown.first]), None, "find how many rounds")[1]
        return {
            "items": len(self._rows),
            "held_out": len(rows),
            "epochs": fitted.epochs,
            "recall": fitted.recall,
            "chance": chance(self._examples.said[rows, 0]),
            "history": fitted.history,
            "base": self._told,
            "seed": self._seed,
            "config": self._config.model_dump(mode="json"),
            "unreadable": len(self._pictures.failures),
        }

    def whole(self, folder: Path, epochs: int) -> None:
        """Fit on every item and write the model."""
        self._fit(self._rows, None, epochs, "train on everything")[0].save(folder)

    def siblings(self, folder: Path, epochs: int, table: pl.DataFrame) -> None:
        """Fit each fold's model on the items of the others and write them all."""
        by_item = dict(table.iter_rows())
        fold_of = np.array([by_item[self._examples.item_ids[row]] for row in self._rows])
        for fold in range(self._config.folds):
            task = f"train fold {fold + 1} of {self._config.folds}"
            towers, _ = self._fit(self._rows[fold_of != fold], None, epochs, task)
            (folder / f"fold-{fold}").mkdir()
            towers.save(folder / f"fold-{fold}")
        table.write_parquet(folder / FOLDS_FILE)

    def _fit(self, rows: Ints, out: HeldOut | None, epochs: int | None, task: str) -> tuple[Any, Fitted]:
        towers = open_towers(self._config, self._seed)
        fitted = fit_towers(
            towers, self._shown, rows, self._config, seed=self._seed, held_out=out, epochs=epochs, task=task,
            progress=self._progress,
        )  # fmt: skip
        return towers, fitted


def fold_table(catalog: Catalog, count: int, seed: int) -> pl.DataFrame:
    """Return `item_id` and `fold` of every item, those without a picture too; variants of one parent share a fold."""
    seen: dict[str, int] = {}
    groups = np.array([seen.setdefault(item.parent_id or item.item_id, len(seen)) for item in catalog], np.int64)
    fold_of = folds(groups, count, np.random.default_rng(seed))
    ids = [item.item_id for item in catalog]
    return pl.DataFrame({"item_id": ids, "fold": fold_of}, schema={"item_id": pl.String, "fold": pl.Int64})


def _key(workspace: Workspace, folded: pl.DataFrame, examples: Examples, config: ClipTrainingConfig, seed: int) -> str:
    """Return the content key: words, the bytes of the pictures, what the model begins as, the config and the seed."""
    refs = list(dict.fromkeys(ref for each in examples.pictures for ref in each))
    with HashCache(workspace.root) as hashes:
        shas = [None if isinstance(sha, MediaError) else sha for sha in hashes.shas(refs)]
    words = [folded.rows(), examples.item_ids, examples.parents, examples.categories, examples.pictures, examples.texts]
    chosen = config.model_dump(mode="json", exclude={"media", "cache"})
    return content_key(
        "clip", TRAINING, words, examples.said.tolist(), examples.labels.tolist(), shas, base_key(config), chosen, seed
    )


def _regrouped(groups: Ints) -> Ints:
    """Return groups numbered without gaps."""
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


def _reported(workspace: Workspace, made: tuple[str, ...]) -> ClipReport:
    """Return the report that the manifests tell of."""
    manifest, beside = workspace.manifest(CLIP), workspace.manifest(CLIP_FOLDS)
    assert manifest is not None
    with workspace.reading(CLIP):
        told = manifest.meta
        return ClipReport(
            items=told["items"], held_out=told["held_out"], epochs=told["epochs"], recall=told["recall"],
            chance=told["chance"], folds=int(beside.meta["folds"]) if beside else 0, seconds=told["seconds"],
            unreadable=told["unreadable"], made=made,
        )  # fmt: skip
