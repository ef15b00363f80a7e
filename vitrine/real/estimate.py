"""What the road takes: disk, hours and tokens of each step, reckoned before anything is brought."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from catalog.errors import DataError
from vitrine.real.checkpoints import Checkpoint
from vitrine.real.config import RealConfig, Role
from vitrine.real.counts import PRODUCT_BYTES, REVIEW_BYTES, Counts
from vitrine.real.memory import GB
from vitrine.real.rates import (
    CAPTIONS,
    CORE,
    FRAMES_LESS,
    LIRDREC_ROWS,
    LLM_VECTORS,
    MINILM,
    PARAMETERS_OF_CAPTIONS,
    PARAMETERS_OF_VECTORS,
    PIXELS,
    SMALL_VECTORS,
    VIDEO_CAPTIONS,
)

PICTURE_BYTES, VIDEO_BYTES = 150_000, 2_300_000
"""As brought: a picture of about 1 MP, half a minute at 480p."""
CATALOG_BYTES, EVENT_BYTES = 3_000, 400
"""Of an item and an event in the store."""
CAPTION_BYTES = 1_200
PROMPT_TOKENS, PICTURE_TOKENS, FRAME_TOKENS, ANSWER_TOKENS, CAPTION_TOKENS = 450, 300, 110, 100, 110
"""Of a caption request: rules and schema, a picture of 512 x 512, a frame of 320 x 320, the answer; and as embedded."""
FRAMES = 12
EPOCHS = 60
"""Of a fit, about, with early stopping; training fits twice (to learn when to stop, and on everything)."""
MINILM_WIDTH = 384
SHARED_CORE_TEXTS = 8
PARTS = 2
"""Vectors are kept twice, as finished parts of the job and as the space."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one step takes.

    Attributes:
        step: Its name.
        what: The work in words.
        disk: Bytes it adds to the disk.
        seconds: About how long.
        read: Tokens that models read.
        written: Tokens that models write.
        where: Folder the bytes go to; None: it adds none.
        partly: Whether more comes to the disk that nobody can reckon.
    """

    step: str
    what: str
    disk: int = 0
    seconds: float = 0.0
    read: int = 0
    written: int = 0
    where: Path | None = None
    partly: bool = False


@dataclass(frozen=True, slots=True)
class Downloads:
    """Bytes still to come, and where to.

    Attributes:
        data: Of the data set; None where its size is not known.
        models: Of the models.
        data_folder: Where the data set goes.
        model_folder: Where models go.
    """

    data: int | None
    models: int
    data_folder: Path
    model_folder: Path


def estimate(
    counts: Counts,
    models: Mapping[Role, Checkpoint],
    built_in: frozenset[Role],
    downloads: Downloads,
    config: RealConfig,
    store: Path,
    gpus: int,
    unknown: Mapping[Role, str] = MappingProxyType({}),
) -> list[Line]:
    """Return what every step takes, in their order.

    Args:
        counts: How much there is to do.
        models: Checkpoints by role, those whose files are known.
        built_in: Roles done without a model of one's own.
        downloads: What is still to come.
        config: Bandwidth and cores.
        store: The workspace.
        gpus: How many work; 0 is none.
        unknown: Names of models whose size nobody could be asked for: their weights are not counted, and their hours
            are those of the models behind the rates, on a GPU.
    """
    cores = config.cores or os.cpu_count() or 1
    bits = config.megabits * 1e6
    raw = downloads.data
    if raw is None:
        raw = round(REVIEW_BYTES * counts.events / 0.35 + PRODUCT_BYTES * counts.items / 0.20)
    lines = [
        Line("fetch", "the data set", raw, 8 * raw / bits, where=downloads.data_folder),
        Line("models", f"weights and tokenizers{_without(unknown)}", downloads.models, 8 * downloads.models / bits,
             where=downloads.model_folder, partly=bool(unknown)),
        Line("import", "read, filter, save", CATALOG_BYTES * counts.items + EVENT_BYTES * counts.events,
             raw / 20e6, where=store),
    ]  # fmt: skip
    brought = PICTURE_BYTES * counts.pictures + VIDEO_BYTES * counts.videos
    shown = counts.pictures + counts.videos
    share = counts.by_url / shown if shown else 0.0
    lines.append(
        Line("media", "pictures and videos by URL", round(share * brought), 8 * share * brought / bits, where=store)
    )
    lines.append(_captions(counts, models.get("captions"), "captions" in built_in, cores, gpus, store, unknown))
    lines.append(_vectors(counts, models.get("embeddings"), "embeddings" in built_in, cores, gpus, store, unknown))
    width = models["embeddings"].width if "embeddings" in models else MINILM_WIDTH
    vectors = 4 * width * counts.items
    fit = EPOCHS * counts.events / LIRDREC_ROWS.value * 2 / min(cores, 2)
    lines.append(Line("index", "keywords and vectors to candidates", 2 * vectors, counts.items / 20_000, where=store))
    lines.append(Line("train", "LIRDRec and the re-ranker", vectors + 600 * counts.items, 2 * fit, where=store))
    lines.append(Line("evaluate", f"{', '.join(config.compared)} by {config.protocol}", 5_000_000, fit, where=store))
    return lines


def _without(unknown: Mapping[Role, str]) -> str:
    return f", without {', '.join(dict.fromkeys(unknown.values()))}: size unknown" if unknown else ""


def _named(role: Role, model: Checkpoint | None, unknown: Mapping[Role, str], parameters: float) -> str:
    """Return who does a step, and how its hours are reckoned where its size is not known."""
    if model is not None:
        return model.name
    if role not in unknown:
        return "a running server"
    return f"{unknown[role]}, size unknown: as if {parameters / 1e9:.3g} B parameters on a GPU"


def _captions(
    counts: Counts, model: Checkpoint | None, built_in: bool, cores: int, gpus: int, store: Path,
    unknown: Mapping[Role, str],
) -> Line:  # fmt: skip
    pieces = counts.pictures + counts.videos
    disk = CAPTION_BYTES * PARTS * pieces
    if built_in:
        return Line("caption", "`pixels`, no model", disk, pieces / (PIXELS.value * cores), where=store)
    read = counts.pictures * (PROMPT_TOKENS + PICTURE_TOKENS) + counts.videos * (PROMPT_TOKENS + FRAMES * FRAME_TOKENS)
    written = ANSWER_TOKENS * pieces
    if gpus or model is None:
        scale = PARAMETERS_OF_CAPTIONS / model.active if model is not None else 1.0
        each = counts.pictures / CAPTIONS.value + counts.videos / (FRAMES_LESS * VIDEO_CAPTIONS.value)
        seconds = each / (min(scale, 10.0) * max(1, gpus))
    else:
        seconds = 2 * model.active * (read + written) / (CORE.value * cores)
    name = _named("captions", model, unknown, PARAMETERS_OF_CAPTIONS)
    return Line("caption", name, disk, seconds, read, written, store)


def _vectors(
    counts: Counts, model: Checkpoint | None, built_in: bool, cores: int, gpus: int, store: Path,
    unknown: Mapping[Role, str],
) -> Line:  # fmt: skip
    texts = counts.items * (2 if counts.pictures + counts.videos else 1)
    width = model.width if model is not None else MINILM_WIDTH
    disk = PARTS * (4 * width + 80) * texts
    read = counts.items * counts.text_tokens + (CAPTION_TOKENS * counts.items if texts > counts.items else 0)
    if built_in:
        longer = max(1.0, read / max(1, texts) / SHARED_CORE_TEXTS)
        return Line("embed", "MiniLM, no GPU", disk, texts * longer / (MINILM.value * cores), read, 0, store)
    if gpus or model is None:
        scale = PARAMETERS_OF_VECTORS / model.active if model is not None else 1.0
        rate = min(LLM_VECTORS.value * scale * 200 * texts / max(1, read), SMALL_VECTORS.value)
        seconds = texts / (rate * max(1, gpus))
    else:
        seconds = 2 * model.active * read / (CORE.value * cores)
    name = _named("embeddings", model, unknown, PARAMETERS_OF_VECTORS)
    return Line("embed", name, disk, seconds, read, 0, store)


@dataclass(frozen=True, slots=True)
class Room:
    """One disk: what the road adds to it, and what is free.

    Attributes:
        folder: A folder on it.
        needed: Bytes.
        free: Bytes.
    """

    folder: Path
    needed: int
    free: int


def rooms(lines: list[Line]) -> list[Room]:
    """Return the disks that the lines write to, each with the sum of what comes there."""
    sums: dict[int, tuple[Path, int]] = {}
    for line in lines:
        if line.where is None:
            continue
        there = _existing(line.where)
        disk = there.stat().st_dev
        folder, needed = sums.get(disk, (there, 0))
        sums[disk] = (folder, needed + line.disk)
    return [Room(folder, needed, shutil.disk_usage(folder).free) for folder, needed in sums.values()]


def shortage(found: list[Room], config: RealConfig) -> str | None:
    """Return in a line which disk is too small and by how much, None when all fits."""
    for room in found:
        spare = room.free - room.needed - config.keep_free_gb * GB
        if spare < 0:
            return (
                f"the disk of {str(room.folder)!r} is too small: {room.needed / GB:,.1f} GB are to come and "
                f"{config.keep_free_gb:g} GB stay free (real.keep_free_gb), {room.free / GB:,.1f} GB are free, "
                f"{-spare / GB:,.1f} GB are missing"
            )
    return None


def require_room(found: list[Room], config: RealConfig) -> None:
    """Refuse a road that the disk cannot hold.

    Raises:
        DataError: With the figures.
    """
    missing = shortage(found, config)
    if missing is not None:
        raise DataError(f"{missing}; another --store, real.data or real.models on a larger disk would be valid")


def _existing(folder: Path) -> Path:
    folder = folder.expanduser().resolve()
    while not folder.exists():
        folder = folder.parent
    return folder
