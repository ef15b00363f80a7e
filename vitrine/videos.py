"""Films of the store: generating marketing media, fitting the video encoder, ranking by click-through."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace
from vitrine.settings import Settings
from vitrine.wiring import make_engine, make_picture_embedder

if TYPE_CHECKING:
    from embedding.base import ImageEmbedder
    from embedding.video.ranking import RankedFilm, Which


def generate_marketing(settings: Settings, seed: int | None = None, progress: Progress = SILENT) -> str:
    """Shoot the marketing films of the generated shop into the store and say what there is."""
    from catalog.boutique.marketing.generate import save_boutique_marketing

    shop = settings.boutique if seed is None else settings.boutique.model_copy(update={"seed": seed})
    made = save_boutique_marketing(Workspace(settings.store), shop, settings.marketing, progress).marketing
    return (
        f"marketing: {len(made.media):,} films, {len(made.impressions):,} impressions, "
        f"{made.impressions['clicked'].sum():,} clicks"
    )


def frame_embedder(settings: Settings) -> ImageEmbedder:
    """Return what reads frames: the picture model in use, else colours and edges, which need no model.

    Raises:
        ConfigError: When the files of the picture model are not on this machine.
    """
    from embedding.video.thumbnail import Thumbnail

    chosen = make_picture_embedder(settings) if settings.encoders.video.frame_embedder == "auto" else None
    return chosen or Thumbnail()


def train_video_store(settings: Settings, progress: Progress = SILENT) -> list[str]:
    """Fit the video encoder on the store's films and say what it finds.

    Raises:
        NothingToDo: When the store has no film that can be read.
        DataError: When too few films were shown to anybody.
    """
    from embedding.video.job import train_video
    from vitrine.jobs import job_text

    workspace = Workspace(settings.store)
    report = train_video(
        workspace,
        frame_embedder(settings),
        settings.encoders.video,
        engine=make_engine(settings),
        seed=settings.seed,
        progress=progress,
    )
    return [job_text(report.frames, workspace), *report.lines()]


def rank_store(settings: Settings, which: Which, progress: Progress = SILENT) -> list[RankedFilm]:
    """Return the store's films by the click-through to expect, best first; films added since training are read first.

    Raises:
        NotBuiltError: When the encoder was never trained.
        ConfigError: When the frames would be read by another model than the encoder was trained with.
    """
    from catalog.errors import ConfigError
    from embedding.video.encoder import load_video_encoder
    from embedding.video.frame_job import embed_frames
    from embedding.video.ranking import rank_films

    workspace = Workspace(settings.store)
    encoder, embedder = load_video_encoder(workspace), frame_embedder(settings)
    if (embedder.name, embedder.model) != (encoder.embedder, encoder.model):
        raise ConfigError(
            f"encoders/video reads frames by {encoder.model!r}, and the settings name {embedder.model!r} now; run "
            "vitrine train video again"
        )
    engine = make_engine(settings)
    embed_frames(workspace, embedder, engine=engine, config=settings.encoders.video.frames, progress=progress)
    return rank_films(workspace, which)


def ranking_text(ranked: list[RankedFilm], top: int) -> str:
    """Return the first films as a table of plain text, what is expected beside what was counted."""
    lines = [f"{'':>4}  {'expected':<24}{'counted':>8} {'clicks':>7} {'of':>8}  film"]
    for at, film in enumerate(ranked[:top], start=1):
        rate = f"{film.rate:6.2%} [{film.low:.2%}, {film.high:.2%}]"
        counted = f"{'-':>8} {'-':>7} {'-':>8}"
        if film.counted is not None:
            counted = f"{film.counted:>8.2%} {film.clicks:>7,} {film.impressions:>8,}"
        mark = "*" if film.apart else " "
        lines.append(f"{at:>4}{mark} {rate:<24}{counted}  {film.film_id}{f': {film.title}' if film.title else ''}")
    return "\n".join(lines)


def ranking_notes(settings: Settings, ranked: list[RankedFilm]) -> list[str]:
    """Return what the expectations rest on, how well it tells films apart, and why counts may lie elsewhere.

    Raises:
        DataError: When the manifest of the encoder is damaged.
    """
    from embedding.video.encoder import ARTIFACT
    from embedding.video.judging import held_out_lines

    manifest = Workspace(settings.store).manifest(ARTIFACT)
    held_out = manifest.meta.get("held_out", {}) if manifest else {}
    shown = {film.source for film in ranked}
    notes = [
        "expected: by what a film shows, from a network that had seen nothing of its campaign or product; counted: its "
        "own clicks",
        *held_out_lines({source: found for source, found in held_out.items() if source in shown}),
    ]
    if apart := sum(film.apart for film in ranked):
        notes.append(
            f"* {apart:,} of {len(ranked):,} films were clicked more or less than expected, beyond luck: the "
            "expectation is drawn towards the mean of all films, the more the less their looks tell (shrinkage); of a "
            "film that was shown this often believe the count"
        )
    return notes


def ranking_json(ranked: list[RankedFilm]) -> str:
    """Return all films as JSON, what was counted per impression with them."""
    return json.dumps([{**asdict(film), "counted": film.counted} for film in ranked], indent=2, ensure_ascii=False)
