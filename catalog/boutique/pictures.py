"""Drawing every picture and film of the shop, on as many cores as there are; the bytes do not depend on how many."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.drawing.colour import linear
from catalog.boutique.drawing.film import FilmStock, frames, write_film
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.patterns import Print
from catalog.boutique.drawing.products import PRODUCTS
from catalog.boutique.drawing.stage import Paint, Stage, Studio, photograph
from catalog.boutique.drawing_room import drawn
from catalog.boutique.pieces import Piece
from catalog.progress import Progress

SUPERSAMPLE = 2
"""Pictures are drawn at this many times their size and averaged down."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One piece to photograph, and to film when it has a motion."""

    piece: Piece
    folder: Path
    config: BoutiqueConfig


def look_of(piece: Piece) -> Look:
    """Return what a piece looks like."""
    ground, first, second = (linear(code) for code in piece.codes)
    cloth = Print(piece.pattern, ground, first, second, scale=piece.pattern_scale, seed=piece.seed % 9973)
    dark = linear("#2b2622" if piece.seed % 2 else "#23262d")
    return Look(piece.category.name, piece.silhouette, Paint(cloth, piece.finish), linear(piece.trim), dark, piece.seed)


def shoot(shot: Shot) -> None:
    """Write `<item_id>.jpg`, and `<item_id>.mp4` when the piece has a motion."""
    piece, config = shot.piece, shot.config
    look = look_of(piece)
    studio = Studio(linear(piece.room[0]), linear(piece.room[1]))
    draw, stance = PRODUCTS[look.category]
    stage = Stage(config.image_size * SUPERSAMPLE)
    draw(stage, look)
    picture = photograph(stage.light, stage.alpha, studio, stance, config.image_size)
    path = shot.folder / f"{piece.item_id}.jpg"
    picture.save(path, "JPEG", quality=config.jpeg_quality, subsampling=0, optimize=True)
    if piece.motion is not None:
        stock = FilmStock(config.video_size, config.video_frames)
        write_film(path.with_suffix(".mp4"), frames(look, studio, piece.motion, stock), stock)


def shoot_all(
    pieces: list[Piece], folder: Path, config: BoutiqueConfig, progress: Progress, workers: int | None
) -> None:
    """Draw everything into `folder`.

    Args:
        pieces: What to draw.
        folder: Existing folder.
        config: Sizes and quality.
        progress: Told of every piece.
        workers: Processes; None: one a core. Does not change a byte.
    """
    shots = [Shot(piece, folder, config) for piece in pieces]
    progress.start("pictures", len(shots))
    for _ in drawn(shoot, shots, workers, few=64, chunk=8):
        progress.advance()
    progress.finish()
