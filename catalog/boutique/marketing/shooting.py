"""Drawing marketing films with the boutique's own studio; the bytes do not depend on how many cores draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from catalog.boutique.drawing.colour import linear
from catalog.boutique.drawing.film import MOTIONS, FilmStock, frames, write_film
from catalog.boutique.drawing.products import PRODUCTS
from catalog.boutique.drawing.stage import Stage, Studio, photograph
from catalog.boutique.drawing_room import drawn
from catalog.boutique.marketing.config import MarketingConfig
from catalog.boutique.marketing.screenplay import Screenplay, Take
from catalog.boutique.pictures import look_of
from catalog.boutique.pieces import Piece
from catalog.progress import Progress

_CLOSE = 2.6
"""How many times a close-up enlarges."""


@dataclass(frozen=True, slots=True)
class Production:
    """One film to shoot: its screenplay, and the pieces it shows by their row."""

    film: Screenplay
    pieces: dict[int, Piece]
    folder: Path
    config: MarketingConfig


def shoot_film(production: Production) -> None:
    """Write `<media_id>.mp4`."""
    film, config = production.film, production.config
    stock = FilmStock(config.size, film.frames, config.rate)
    write_film(production.folder / f"{film.media_id}.mp4", _pictures(production), stock)


def shoot_films(productions: list[Production], progress: Progress, workers: int | None) -> None:
    """Draw every film; `workers` processes, None: one a core."""
    progress.start("films", len(productions))
    for _ in drawn(shoot_film, productions, workers, few=16, chunk=4):
        progress.advance()
    progress.finish()


def _pictures(production: Production) -> Iterator[Image.Image]:
    film, size = production.film, production.config.size
    rng = np.random.default_rng([film.seed, 3])
    for take in film.takes:
        yield from _SHOTS[take.kind](take, production.pieces[take.piece], size, rng)


def _studio(piece: Piece) -> Studio:
    return Studio(linear(piece.room[0]), linear(piece.room[1]))


def _photo(piece: Piece, size: int) -> Image.Image:
    look = look_of(piece)
    draw, stance = PRODUCTS[look.category]
    stage = Stage(size * 2)
    draw(stage, look)
    return photograph(stage.light, stage.alpha, _studio(piece), stance, size)


def _card(take: Take, piece: Piece, size: int, rng: np.random.Generator) -> Iterator[Image.Image]:
    """The maker's card: a ground of the maker's colour, a frame and a mark that grows a little."""
    # A maker's card looks the same in every film of theirs.
    own = np.random.default_rng([sum(map(ord, piece.brand.name)), 11])
    hue, rings = int(own.integers(256)), int(own.integers(2, 5))
    ground = Image.new("HSV", (1, 1), (hue, int(own.integers(70, 150)), int(own.integers(60, 130)))).convert("RGB")
    paper, ink = ground.getpixel((0, 0)), (240, 234, 222)
    for k in range(take.frames):
        card = Image.new("RGB", (size * 2, size * 2), paper)
        pen = ImageDraw.Draw(card)
        edge = size // 8
        pen.rectangle((edge, edge, 2 * size - edge, 2 * size - edge), outline=ink, width=size // 40 + 1)
        reach = size * (0.36 + 0.05 * k / take.frames)
        for ring in range(rings):
            r = reach * (1 - ring / rings)
            pen.ellipse((size - r, size - r, size + r, size + r), outline=ink, width=size // 20)
        pen.rectangle((0.55 * size, 1.52 * size, 1.45 * size, 1.6 * size), fill=ink)
        yield card.resize((size, size), Image.Resampling.BOX)


def _set(take: Take, piece: Piece, size: int, rng: np.random.Generator) -> Iterator[Image.Image]:
    """The empty room, a window's light wandering over the wall."""
    stance = PRODUCTS[piece.category.name][1]
    empty = np.zeros((size * 2, size * 2, 3), np.float32)
    nothing = np.zeros((size * 2, size * 2), np.float32)
    room = _studio(piece).backdrop(size * 2, stance)
    axis = (np.arange(size * 2, dtype=np.float32) + 0.5) / (size * 2)
    begin = float(rng.uniform(0.1, 0.5))
    for k in range(take.frames):
        along = axis[None, :] + 0.4 * axis[:, None] - begin - 0.3 * k / take.frames
        pane = ((np.abs(along) < 0.22) & (np.abs(along) > 0.03)).astype(np.float32)
        lit = room * (0.55 + 0.4 * pane)[..., None]
        yield photograph(empty, nothing, _studio(piece), stance, size, backdrop=lit)


def _detail(take: Take, piece: Piece, size: int, rng: np.random.Generator) -> Iterator[Image.Image]:
    """A close-up that travels a little over the product."""
    whole = _photo(piece, size * 2)
    x, y = rng.uniform(0.4, 0.6, 2)
    way = rng.uniform(-0.08, 0.08, 2)
    side = 2 * size / _CLOSE
    for k in range(take.frames):
        share = k / take.frames
        left, top = (2 * size * (at + step * share) - side / 2 for at, step in zip((x, y), way, strict=True))
        yield whole.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + side, top + side))


def _hero(take: Take, piece: Piece, size: int, rng: np.random.Generator) -> Iterator[Image.Image]:
    """The whole product, slowly drawing nearer."""
    whole = _photo(piece, size * 2)
    for k in range(take.frames):
        cut = 2 * size * 0.06 * k / take.frames
        yield whole.resize((size, size), Image.Resampling.BILINEAR, box=(cut, cut, 2 * size - cut, 2 * size - cut))


def _action(take: Take, piece: Piece, size: int, rng: np.random.Generator) -> Iterator[Image.Image]:
    """The whole product in motion."""
    moving = [motion for motion in MOTIONS if motion != "still"]
    motion = moving[int(rng.integers(len(moving)))]
    yield from frames(look_of(piece), _studio(piece), motion, FilmStock(size, take.frames))


_SHOTS = {"card": _card, "set": _set, "detail": _detail, "hero": _hero, "action": _action}
