"""`train_video`: the temporal encoder and its engagement head on a store's films, and vectors of its items' films."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from batch.base import BatchEngine, JobReport
from catalog.errors import DataError
from catalog.ids import IdMap
from catalog.marketing import ARTIFACT as MARKETING_ARTIFACT
from catalog.marketing import early_line, load_marketing
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace, content_key
from embedding.base import ImageEmbedder
from embedding.learned import save_learned
from embedding.video.audience import SOURCES, Audience, gather
from embedding.video.calibration import Calibration, calibrate
from embedding.video.config import Pooling, VideoEncoderConfig
from embedding.video.encoder import ARTIFACT, VideoEncoder, video_space
from embedding.video.frame_job import Source, embed_frames, frames_artifact, load_frames
from embedding.video.judging import group_folds, group_interval, held_out_lines, impression_auc

Values = NDArray[np.float64]

FILMS = "films.parquet"
"""In the artifact: what was counted of every film, and what a network that never saw it expects."""
MARKETING = "marketing"
"""Folder in the artifact: vectors of marketing media by `media_id`."""
LAYOUT = 1


@dataclass(frozen=True, slots=True)
class VideoReport:
    """What `train_video` did; `meta` is the artifact's, `frames` the report of the job that read the films."""

    made: bool
    meta: dict[str, Any]
    frames: JobReport

    def lines(self) -> list[str]:
        """Return what is said of it on the terminal."""
        if not self.made:
            return [f"{ARTIFACT}: already current"]
        told = [
            f"{ARTIFACT}: {self.meta['films']:,} films, learned from {self.meta['learned_films']:,} of them with "
            f"{self.meta['impressions']:,} impressions, {self.meta['seconds']:.1f} s"
        ]
        told += [f"  {line}" for line in held_out_lines(self.meta["held_out"])]
        told += [f"  {line}" for line in early_line(*self.meta["early"])]
        told.append(f"embeddings/{self.meta['space']}: {self.meta['items']:,} items with a film")
        return told


def train_video(
    workspace: Workspace,
    embedder: ImageEmbedder,
    config: VideoEncoderConfig | None = None,
    *,
    engine: BatchEngine,
    seed: int,
    progress: Progress = SILENT,
) -> VideoReport:
    """Read the store's films, fit `encoders/video`, and write the space `video-<embedder>` of items with a film.

    Every film is also predicted by a network that saw nothing of its campaign; those figures are printed, and calibrate
    the click-through and its interval. Nothing is fitted while films, counts, settings and seed are the same.

    Args:
        workspace: Holds items with films, or marketing media, or both.
        embedder: Reads the frames.
        config: How it is fitted.
        engine: Who runs the frame job.
        seed: The same seed, inputs and settings give the same bytes on the same machine.
        progress: Told of films and of networks fitted.

    Raises:
        NothingToDo: When the store has no film, or none that can be read.
        DataError: When too few films were shown, or nobody or everybody clicked.
    """
    config = config or VideoEncoderConfig()
    began = time.perf_counter()
    report = embed_frames(workspace, embedder, engine=engine, config=config.frames, progress=progress)
    audience = gather(workspace, load_frames(workspace, embedder.name), config.as_of)
    taught = _taught(audience, config)
    key = _key(workspace, embedder, audience, config, seed)
    space = video_space(embedder.name)
    standing = workspace.manifest(ARTIFACT)
    items = audience.of("item")
    if standing is not None and standing.key == key and (not len(items) or workspace.has(f"embeddings/{space}", key)):
        return VideoReport(False, dict(standing.meta), report)
    scores = held_out_scores(audience, config, config.pooling, seed=seed, progress=progress)
    encoder = _fitted(audience, taught, scores, embedder, config, seed)
    vectors = encoder.encode(audience.films)
    meta: dict[str, Any] = {
        "space": space,
        "embedder": embedder.name,
        "model": embedder.model,
        "inputs": {name: getattr(workspace.manifest(name), "key", None) for name in (frames_artifact(embedder.name),)},
        "dim": config.dim,
        "pooling": config.pooling,
        "seed": seed,
        "as_of": config.as_of.isoformat() if config.as_of is not None else None,
        "films": len(audience.films),
        "learned_films": len(taught),
        "learned_from": sorted({audience.sources[row] for row in taught.tolist()}),
        "impressions": int(audience.shown[taught].sum()),
        "items": len(items),
        "early": load_marketing(workspace).early(config.as_of) if workspace.has(MARKETING_ARTIFACT) else (0, 0),
        "held_out": _held_out(audience, scores, seed),
    }
    films = _film_table(audience, scores, encoder)
    with workspace.writing(ARTIFACT, key, meta) as folder:
        encoder.save(folder)
        films.write_parquet(folder / FILMS)
        if len(marketing := audience.of("marketing")):
            _save(folder / MARKETING, audience, marketing, vectors, space)
        meta["seconds"] = round(time.perf_counter() - began, 1)
    if len(items):
        with workspace.writing(f"embeddings/{space}", key, meta) as folder:
            _save(folder, audience, items, vectors, space)
            if "item" in meta["learned_from"]:
                save_learned(audience.events, folder)
    return VideoReport(True, meta, report)


def held_out_scores(
    audience: Audience, config: VideoEncoderConfig, pooling: Pooling, *, seed: int, progress: Progress = SILENT
) -> Values:
    """Return log odds of a click of every film by a network that saw no film of its group, (n,).

    Each is over the mean of its own fold's training films, so that folds can be compared.

    Raises:
        DataError: When a fold would leave nothing to learn from.
    """
    import torch

    from embedding.video.training import Projection, batch_of, fit_network, predict

    taught = _taught(audience, config)
    fold = group_folds(audience.groups, config.folds, seed)
    scores = np.zeros(len(audience.films))
    progress.start("networks", config.folds)
    for part in range(config.folds):
        seen, unseen = taught[fold[taught] != part], np.flatnonzero(fold == part)
        if not len(unseen):
            progress.advance()
            continue
        _require_enough(audience, seen)
        projection = Projection.of([audience.films[row] for row in seen.tolist()], config.components)
        batch = batch_of(audience.films, audience.source_rows, projection)
        network = fit_network(
            batch.take(torch.from_numpy(seen)), audience.clicks[seen], audience.shown[seen], config, pooling, seed=seed
        )
        scores[unseen] = predict(network, batch.take(torch.from_numpy(unseen)), config.threads)[1]
        progress.advance()
    progress.finish()
    return scores


def _fitted(
    audience: Audience, taught: NDArray[np.int64], scores: Values, embedder: ImageEmbedder, config: VideoEncoderConfig,
    seed: int,
) -> VideoEncoder:  # fmt: skip
    import torch

    from embedding.video.training import Projection, batch_of, fit_network

    _require_enough(audience, taught)
    projection = Projection.of([audience.films[row] for row in taught.tolist()], config.components)
    batch = batch_of(audience.films, audience.source_rows, projection).take(torch.from_numpy(taught))
    network = fit_network(batch, audience.clicks[taught], audience.shown[taught], config, config.pooling, seed=seed)
    return VideoEncoder(config, embedder.name, embedder.model, projection, network, _calibrations(audience, scores))


def _calibrations(audience: Audience, scores: Values) -> dict[Source, Calibration]:
    found: dict[Source, Calibration] = {}
    for source in SOURCES:
        rows = audience.of(source)
        if audience.shown[rows].sum():
            found[source] = calibrate(scores[rows], audience.clicks[rows], audience.shown[rows])
    return found


def _taught(audience: Audience, config: VideoEncoderConfig) -> NDArray[np.int64]:
    """Return the rows of the films that are learned from: marketing, and items where asked or where there is no other.

    Raises:
        DataError: When nobody was shown a film.
    """
    shown = audience.shown > 0
    marketing = audience.source_rows == SOURCES.index("marketing")
    wanted = shown if config.item_films or not (shown & marketing).any() else shown & marketing
    if not wanted.any():
        until = f" before {config.as_of.isoformat()}" if config.as_of is not None else ""
        raise DataError(
            f"videos: none of the {len(audience.films)} films was shown to anybody{until}; impressions of marketing "
            "media (vitrine import marketing) or of items with a film in the log would be valid"
        )
    return np.flatnonzero(wanted)


def _require_enough(audience: Audience, rows: NDArray[np.int64]) -> None:
    shown, clicks = audience.shown[rows].sum(), audience.clicks[rows].sum()
    if len(rows) < 2 or not 0 < clicks < shown:
        raise DataError(
            f"videos: {len(rows)} films with {int(shown):,} impressions and {int(clicks):,} clicks are left to learn "
            "from where a fold is held out; several films, some clicked and some not, would be valid"
        )


def _held_out(audience: Audience, scores: Values, seed: int) -> dict[str, dict[str, float]]:
    """Return the AUC of films by networks that had not seen them, by source, with its interval over groups."""
    found: dict[str, dict[str, float]] = {}
    for source in SOURCES:
        rows = audience.of(source)
        shown, clicks = audience.shown[rows], audience.clicks[rows]
        score, groups = scores[rows], [audience.groups[row] for row in rows.tolist()]
        if not 0 < clicks.sum() < shown.sum():
            continue

        def auc(at: NDArray[np.int64], s: Values = score, k: Values = clicks, n: Values = shown) -> float:
            return impression_auc(s[at], k[at], n[at])

        low, high = group_interval(auc, groups, seed=seed)
        whole = impression_auc(score, clicks, shown)
        found[source] = {
            "auc": whole, "low": low, "high": high, "films": int((shown > 0).sum()), "impressions": int(shown.sum()),
        }  # fmt: skip
    return found


def _film_table(audience: Audience, scores: Values, encoder: VideoEncoder) -> pl.DataFrame:
    """Return one row a film: whose, its counts, and the held-out click-through with its interval."""
    rate, low, high = (np.zeros(len(scores)) for _ in range(3))
    for source in SOURCES:
        rows = audience.of(source)
        calibration = encoder.calibrations.get(source, Calibration())
        rate[rows], low[rows], high[rows] = calibration.interval(scores[rows])
    return pl.DataFrame(
        {
            "source": list(audience.sources), "id": list(audience.ids), "group": list(audience.groups),
            "impressions": audience.shown.astype(np.int64), "clicks": audience.clicks.astype(np.int64),
            "score": scores, "rate": rate, "low": low, "high": high,
        }
    )  # fmt: skip


def _save(folder: Path, audience: Audience, rows: NDArray[np.int64], vectors: Any, space: str) -> None:
    folder.mkdir(exist_ok=True)
    ids = IdMap([audience.ids[row] for row in rows.tolist()], "film")
    EmbeddingTable(ids, vectors[rows], space).save(folder)


def _key(
    workspace: Workspace, embedder: ImageEmbedder, audience: Audience, config: VideoEncoderConfig, seed: int
) -> str:
    frames = workspace.manifest(frames_artifact(embedder.name))
    assert frames is not None
    counts = [audience.sources, audience.ids, audience.groups, audience.shown.tolist(), audience.clicks.tolist()]
    settings = config.model_dump(mode="json", exclude={"frames"})
    return content_key("video", LAYOUT, frames.key, counts, settings, seed)
