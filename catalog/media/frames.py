"""A decoded frame to an upright RGB picture, as a player would show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_TURNS = {90: Image.Transpose.ROTATE_90, 180: Image.Transpose.ROTATE_180, 270: Image.Transpose.ROTATE_270}
"""Counter-clockwise degrees of a frame's display matrix, as Pillow turns."""

Size = tuple[int, int]


def shown_size(frame: VideoFrame, stretch: float, most_pixels: float) -> Size:
    """Return width and height of the upright picture of a frame, of up to so many pixels.

    Args:
        frame: A frame.
        stretch: Width of one of its pixels over the height.
        most_pixels: A larger picture is made smaller; a smaller one never larger.
    """
    width, height = frame.width * stretch, float(frame.height)
    if frame.rotation % 180:
        width, height = height, width
    scale = min(1.0, (most_pixels / (width * height)) ** 0.5)
    return max(1, int(width * scale + 1e-6)), max(1, int(height * scale + 1e-6))


def upright(frame: VideoFrame, size: Size) -> Image.Image:
    """Return the frame as RGB of a size, turned as its display matrix says (phones film sideways).

    What is transparent is white, as in `open_picture`. Of two fields one is shown: both at once look combed.
    """
    picture = _rgb(frame)
    turn = _TURNS.get(frame.rotation % 360)
    if turn is not None:
        picture = picture.transpose(turn)
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)


def _rgb(frame: VideoFrame) -> Image.Image:
    if any(component.is_alpha for component in frame.format.components):
        clear = Image.fromarray(frame.to_ndarray(format="rgba"))
        return Image.alpha_composite(Image.new("RGBA", clear.size, "white"), clear).convert("RGB")
    if frame.interlaced_frame and frame.height >= 4:
        pixels = frame.to_ndarray(format="rgb24")
        return Image.fromarray(pixels[::2]).resize((frame.width, frame.height), Image.Resampling.BICUBIC)
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    return picture
