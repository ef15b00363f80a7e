"""`encoders/catalogue` of a store: attribute heads on the models of `vitrine train clip`, kept current."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from batch.hashes import HashCache
from captioning.catalogue.config import CatalogueConfig
from captioning.catalogue.eye import Looks
from captioning.catalogue.fields import stated
from captioning.catalogue.learning import LEAST_FOLDS, FieldReport, Material, cross_fit
from captioning.catalogue.places import CATALOGUE, WHOLE
from captioning.catalogue.towers import Towers
from captioning.catalogue.trained import models_key, save_speakers
from catalog.errors import ConfigError, MediaError, NothingToDo
from catalog.items import Catalog
from catalog.media import open_picture
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.vectors import Floats
from catalog.workspace import Workspace, content_key
from embedding.clip_training.places import CLIP_FOLDS, FOLDS_FILE

TRAINING = 2
"""Version of the training; stands in content keys, so that a change trains again."""
SILENT_HEADS = (
    "  the heads would say nothing of any picture: captions of the catalogue captioner would be those of pixels; more "
    "items, or captions.catalogue.precision below what it is, would let them speak"
)
_AT_ONCE = 512
"""Pictures decoded before they are shown to every model."""
_DECODERS = 2


@dataclass(frozen=True)
class HeadsReport:
    """What a training found.

    Attributes:
        items: Items the heads learned from.
        pictures: Their pictures.
        fields: What each field is worth on items that were not seen.
        seconds: Wall clock.
        made: Whether anything was made anew.
    """

    items: int
    pictures: int
    fields: tuple[FieldReport, ...]
    seconds: float
    made: bool

    def lines(self) -> list[str]:
        """Return what is said of it on the terminal."""
        if not self.made:
            return [f"{CATALOGUE}: already current"]
        head = f"{CATALOGUE}: {len(self.fields)} fields from {self.items:,} items, {self.seconds:.1f} s"
        silent = [] if any(field.said for field in self.fields) else [SILENT_HEADS]
        return [head, *(_field_line(field) for field in self.fields), *silent]


def train_heads(
    workspace: Workspace, config: CatalogueConfig, *, seed: int, progress: Progress = SILENT
) -> HeadsReport:
    """Fit `encoders/catalogue`; nothing is done while it is current. New attributes train heads, never the models.

    Args:
        workspace: Holds the catalogue, `encoders/clip` and its siblings; relative pictures are looked for below it.
        config: What is learned and what precision is wanted.
        seed: The same seed, config, catalogue and models give the same bytes on the same machine.
        progress: Told of pictures and heads.

    Raises:
        NotBuiltError: When the catalogue or a model is missing.
        ConfigError: When there are fewer siblings than `LEAST_FOLDS`.
        NothingToDo: When no category or attribute can be learned, or no picture be read.
    """
    began = time.perf_counter()
    models, catalog = models_key(workspace), load_shop(workspace).catalog
    with workspace.reading(CLIP_FOLDS) as folder:
        known = dict(pl.read_parquet(folder / FOLDS_FILE).select("item_id", "fold").iter_rows())
    if len(set(known.values())) < LEAST_FOLDS:
        raise ConfigError(
            f"{CLIP_FOLDS} has {len(set(known.values()))} folds (encoders.clip.folds); {LEAST_FOLDS} or more would be "
            "valid for the catalogue captioner"
        )
    scopes = scopes_of(catalog, known)
    shown = [
        (item.item_id, tuple(dict.fromkeys(item.images))[: config.images_per_item], stated(item))
        for item in catalog
        if scopes[item.item_id] != WHOLE and item.images
    ]
    refs = [ref for _, images, _ in shown for ref in images]
    with HashCache(workspace.root) as hashes:
        shas = [None if isinstance(sha, MediaError) else sha for sha in hashes.shas(refs)]
    chosen = config.model_dump(mode="json", exclude={"media", "device", "threads", "pixels"})
    key = content_key("catalogue", TRAINING, models, list(scopes.items()), shown, shas, chosen, seed)
    if workspace.has(CATALOGUE, key):
        return _reported(workspace, made=False)
    folds = np.array([scopes[item_id] for item_id, _, _ in shown], np.int64)
    owners, features = _seen(
        workspace, config, [images for _, images, _ in shown], [*sorted(set(folds.tolist())), WHOLE], progress
    )
    if not len(owners):
        raise NothingToDo(f"{CATALOGUE}: none of {len(refs)} pictures can be read")
    material = Material([own for _, _, own in shown], folds, owners, features)
    speakers, fields = cross_fit(material, config, seed=seed, progress=progress)
    if not fields:
        raise NothingToDo(
            f"{CATALOGUE}: no category or attribute of the catalogue has two values that {config.support} items with a "
            "picture state (captions.catalogue.support)"
        )
    meta = {
        "models": models,
        "items": len({int(owner) for owner in owners}),
        "pictures": len(owners),
        "precision": config.precision,
        "fields": [asdict(field) for field in fields],
        "seed": seed,
        "config": config.model_dump(mode="json"),
        "seconds": round(time.perf_counter() - began, 1),
    }
    with workspace.writing(CATALOGUE, key, meta) as folder:
        save_speakers(folder, speakers, scopes)
    return _reported(workspace, made=True)


def scopes_of(catalog: Catalog, known: Mapping[str, int]) -> dict[str, int]:
    """Return the fold of every item: its own, else that of a variant that was there, else `WHOLE`."""
    parents = {item.parent_id or item.item_id: known[item.item_id] for item in catalog if item.item_id in known}
    return {
        item.item_id: known.get(item.item_id, parents.get(item.parent_id or item.item_id, WHOLE)) for item in catalog
    }


def _seen(
    workspace: Workspace,
    config: CatalogueConfig,
    images: Sequence[Sequence[str]],
    spaces: Sequence[int],
    progress: Progress,
) -> tuple[Any, dict[int, Floats]]:
    """Return the item of each picture that can be read, (m,), and by model what its tower sees in them, (m, w)."""
    towers = Towers(workspace, config)
    pairs = [(row, ref) for row, each in enumerate(images) for ref in each]
    owners: list[int] = []
    parts: dict[int, list[Floats]] = {space: [] for space in spaces}
    progress.start("look at pictures", len(pairs))
    with ThreadPoolExecutor(_DECODERS, thread_name_prefix="picture") as pool:

        def read(ref: str) -> Looks | None:
            try:
                return towers.prepare(open_picture(ref, workspace.root, config.media))
            except MediaError:
                return None

        def some() -> Iterator[list[tuple[int, Looks]]]:
            for at in range(0, len(pairs), _AT_ONCE):
                part = pairs[at : at + _AT_ONCE]
                found = pool.map(read, [ref for _, ref in part])
                yield [(row, pixels) for (row, _), pixels in zip(part, found, strict=True) if pixels is not None]
                progress.advance(len(part))

        for part in some():
            if part:
                owners += [row for row, _ in part]
                for space in spaces:
                    parts[space].append(towers.features(space, [pixels for _, pixels in part]))
    progress.finish()
    return np.array(owners, np.int64), {space: np.concatenate(each) for space, each in parts.items() if each}


def _reported(workspace: Workspace, *, made: bool) -> HeadsReport:
    """Return the report that the manifest tells of."""
    with workspace.reading(CATALOGUE):
        manifest = workspace.manifest(CATALOGUE)
        assert manifest is not None
        told = manifest.meta
        fields = tuple(FieldReport(**field) for field in told["fields"])
        return HeadsReport(told["items"], told["pictures"], fields, told["seconds"], made)


def _field_line(field: FieldReport) -> str:
    worth = ""
    if field.accuracy is not None and field.majority is not None:
        worth = f", right {field.accuracy:.0%} of the time (the commonest alone: {field.majority:.0%})"
    said = "not said, since no confidence makes it precise enough"
    if field.precision is not None:
        said = f"said {field.said:.0%} of the time and right {field.precision:.0%} of that"
    return f"  {field.name}: {field.values} values{worth}; {said}"
