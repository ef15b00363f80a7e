"""Short films of a product: a turn on the table, a swing, a bounce, a sweep of light, or stillness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from catalog.boutique.drawing.colour import linear
from catalog.boutique.drawing.curves import ellipse, ribbon
from catalog.boutique.drawing.forms import Field
from catalog.boutique.drawing.look import Look
from catalog.boutique.drawing.products import PRODUCTS, TURNED
from catalog.boutique.drawing.stage import Pixels, Stage, Stance, Studio, photograph, plain

MOTIONS = ("still", "slow turn", "fast turn", "swing", "bounce", "light sweep")
"""What a film shows."""

_TURNS = {"slow turn": 0.5, "fast turn": 2.0}
"""Full turns in one film."""


@dataclass(frozen=True, slots=True)
class FilmStock:
    """How films are shot.

    Attributes:
        size: Side in pixels, even.
        frames: Number of frames.
        rate: Frames a second.
    """

    size: int = 208
    frames: int = 24
    rate: int = 12


def frames(look: Look, studio: Studio, motion: str, stock: FilmStock) -> Iterator[Image.Image]:
    """Yield the frames of a film in order."""
    draw, stance = PRODUCTS[look.category]
    px = stock.size * 2
    room = studio.backdrop(px, stance)
    still = Stage(px)
    draw(still, look)
    table = _table_of(px, still.alpha, studio) if motion in _TURNS and stance == "standing" else None
    for k in range(stock.frames):
        share = k / stock.frames
        light, alpha, floor = still.light, still.alpha, room
        if motion in _TURNS:
            angle = 2 * np.pi * _TURNS[motion] * share
            if table is not None:
                floor = _turntable(room, table, angle)
            if look.category in TURNED:
                stage = Stage(px, angle)
                draw(stage, look)
                light, alpha = stage.light, stage.alpha
            else:
                light, alpha = _turn(look.category, light, alpha, angle)
        elif motion == "swing":
            light, alpha = _swing(light, alpha, float(np.sin(2 * np.pi * share)), stance == "lying")
        elif motion == "bounce":
            yield _bounce(light, alpha, studio, floor, stock.size, abs(float(np.sin(2 * np.pi * share))), stance)
            continue
        elif motion == "light sweep":
            light = _sweep(light, alpha, share)
        yield photograph(light, alpha, studio, stance, stock.size, backdrop=floor)


def _turn(category: str, light: Pixels, alpha: Field, angle: float) -> tuple[Pixels, Field]:
    """Turn what is not a lathe body: flat goods on the ground, clothes thin, the rest with some depth."""
    if category in ("rug", "notebook"):
        return _warp(light, alpha, _rotation(angle), (0.5, 0.5))
    return _card(light, alpha, angle, 0.03 if category in ("dress", "sweater", "scarf") else 0.085)


def _table_of(px: int, alpha: Field, studio: Studio) -> tuple[float, float]:
    """Return height and radius of a turntable that carries the product."""
    columns = np.flatnonzero(alpha.max(axis=0) > 0.3)
    rows = np.flatnonzero(alpha.max(axis=1) > 0.3)
    half = max(0.5 - columns[0] / px, columns[-1] / px - 0.5)
    return float(rows[-1]) / px - 0.012, float(np.clip(half * 0.9 + 0.05, 0.24, 0.46))


def _turntable(room: Pixels, table: tuple[float, float], angle: float) -> Pixels:
    """Return the room with a marked turntable at `angle`."""
    y, r = table
    px, tilt = len(room), 0.2
    stage = Stage(px)
    pale = linear("#cfc7ba")
    stage.flat(ellipse(0.5, y + 0.016, r, r * tilt), plain(linear("#9d9488"), "paper"))
    stage.flat(ellipse(0.5, y, r, r * tilt), plain(pale, "paper"), lean=(-0.1, -0.5))
    for k in range(12):
        a = angle + k * np.pi / 6
        spoke = [(0.5 + q * r * np.sin(a), y + q * r * tilt * np.cos(a)) for q in (0.84, 0.95)]
        stage.flat(ribbon(spoke, 0.018 if k == 0 else 0.007), plain(linear("#7d7468"), "paper"))
    return room * (1 - stage.alpha)[..., None] + stage.light


def _warp(
    light: Pixels, alpha: Field, matrix: npt.NDArray[np.float64], about: tuple[float, float]
) -> tuple[Pixels, Field]:
    """Move a sprite: a pixel (x, y) is read at `matrix` @ ((x, y) - about) + about; `about` in picture widths."""
    px = len(alpha)
    centre = np.array(about) * px
    (a, b), (c, d) = matrix.tolist()
    e, f = (centre - matrix @ centre).tolist()

    def plane(field: Field) -> Field:
        image = Image.fromarray(np.ascontiguousarray(field))
        moved = image.transform((px, px), Image.Transform.AFFINE, (a, b, e, c, d, f), Image.Resampling.BILINEAR)
        return np.asarray(moved, np.float32)

    return np.stack([plane(light[..., channel]) for channel in range(3)], axis=2), plane(alpha)


def _slide(field: npt.NDArray[np.float32], pixels: int, axis: int) -> npt.NDArray[np.float32]:
    """Move a field along an axis; what enters is empty."""
    out = np.zeros_like(field)
    source, target = [slice(None)] * field.ndim, [slice(None)] * field.ndim
    source[axis] = slice(max(-pixels, 0), field.shape[axis] - max(pixels, 0))
    target[axis] = slice(max(pixels, 0), field.shape[axis] - max(-pixels, 0))
    out[tuple(target)] = field[tuple(source)]
    return out


def _card(light: Pixels, alpha: Field, angle: float, depth: float) -> tuple[Pixels, Field]:
    """Turn a product of some `depth` about its upright axis."""
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    way = 1.0 if cosine >= 0 else -1.0
    squeeze = way * max(abs(cosine), 0.08)
    front, cover = _warp(light, alpha, np.array([[1 / squeeze, 0], [0, 1]]), (0.5, 0.5))
    front = front * np.float32(0.72 + 0.28 * abs(cosine))
    out, out_alpha = np.zeros_like(front), np.zeros_like(cover)
    reach = round(depth * sine * way * len(alpha))
    for shift in range(reach, 0, -2 if reach > 0 else 2):
        side_alpha = _slide(cover, shift, 1)
        out = out * (1 - side_alpha)[..., None] + _slide(front, shift, 1) * np.float32(0.55)
        out_alpha = 1 - (1 - out_alpha) * (1 - side_alpha)
    return out * (1 - cover)[..., None] + front, 1 - (1 - out_alpha) * (1 - cover)


def _rotation(angle: float) -> npt.NDArray[np.float64]:
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def _swing(light: Pixels, alpha: Field, sway: float, hanging: bool) -> tuple[Pixels, Field]:
    """Swing a hanging product about its top, rock a standing one about its foot."""
    matrix = _rotation(np.radians(11 if hanging else 7) * sway)
    return _warp(light, alpha, matrix, (0.5, 0.04) if hanging else (0.5, 0.86))


def _bounce(
    light: Pixels, alpha: Field, studio: Studio, room: Pixels, size: int, height: float, stance: Stance
) -> Image.Image:
    """Hop: stretched on the way, flattened at the ground; the shadow stays on the floor."""
    squash = 0.92 + 0.10 * height
    light, alpha = _warp(light, alpha, np.array([[squash, 0], [0, 1 / squash]]), (0.5, 0.86))
    lift = -round(0.11 * height * len(alpha))
    grounded = alpha * np.float32(1 - 0.55 * height)
    up, up_alpha = _slide(light, lift, 0), _slide(alpha, lift, 0)
    return photograph(up, up_alpha, studio, stance, size, backdrop=room, shade_of=grounded)


def _sweep(light: Pixels, alpha: Field, share: float) -> Pixels:
    """Let a band of light travel across."""
    px = len(alpha)
    axis = (np.arange(px, dtype=np.float32) + 0.5) / px
    along = axis[None, :] + 0.35 * axis[:, None]
    band = np.exp(-(((along - (1.6 * share - 0.1)) / 0.09) ** 2)).astype(np.float32)
    lit: Pixels = light * (0.62 + 0.75 * band)[..., None] + (0.10 * band * alpha)[..., None]
    return lit


_X264 = "threads=1:bframes=0:rc-lookahead=0:mbtree=0"
"""With two-way predicted frames x264 looks at memory it never wrote, and the same film gives other bytes."""


def write_film(path: Path, pictures: Iterator[Image.Image], stock: FilmStock) -> None:
    """Encode a film: H.264 where PyAV has it, else MPEG-4; one thread, so that bytes repeat."""
    import av

    if "libx264" in av.codec.codecs_available:
        codec, options = "libx264", {"crf": "23", "preset": "veryfast", "x264-params": _X264}
    else:
        codec, options = "mpeg4", {"qscale": "4"}
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart", "fflags": "+bitexact"}) as container:
        stream = container.add_stream(codec, rate=stock.rate, options=options)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = stock.size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
