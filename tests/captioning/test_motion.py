import numpy as np
import pytest
from PIL import Image

from captioning.base import Clip, Picture
from captioning.motion import PHRASES, describe_motion
from captioning.pixels import PixelsCaptioner

COUNT = 12


def film(product, kind):
    """Return frames of a known motion, drawn without the code under test."""
    out = []
    for k in range(COUNT):
        share = k / COUNT
        if kind == "bounce":
            out.append(product("solid", "box", shift=(-int(60 * abs(np.sin(2 * np.pi * share))), 0)))
        elif kind == "drift":
            out.append(product("solid", "box", shift=(0, int(-100 + 200 * share))))
        elif kind == "swing":
            still = product("solid", "box")
            out.append(
                still.rotate(
                    11 * np.sin(2 * np.pi * share),
                    Image.Resampling.BICUBIC,
                    center=(240, 30),
                    fillcolor=(224, 220, 214),
                )
            )
        elif kind == "light sweep":
            x = np.arange(480) / 480
            band = 0.62 + 0.75 * np.exp(-(((x - 1.4 * share + 0.2) / 0.1) ** 2))
            pixels = np.array(product("solid", "box"), np.float64)
            body = np.array(product("solid", "box", ground=(0, 0, 0))).max(axis=2) < 90
            pixels[body] = np.clip(pixels * band[None, :, None], 0, 255)[body]
            out.append(Image.fromarray(pixels.astype(np.uint8)))
        elif kind in ("slow turn", "fast turn"):
            turns = 0.5 if kind == "slow turn" else 2
            plain, marked = (np.array(product(p, "box", size=240)) for p in ("solid", "vertical stripes"))
            window = np.roll(marked, int(480 * turns * share), axis=1)
            body = np.array(product("solid", "box", ground=(0, 0, 0))).max(axis=2) < 90
            plain[body] = window[body]
            out.append(Image.fromarray(plain))
        else:
            out.append(product("dots", "box"))
    return out


@pytest.mark.parametrize("kind", ["still", "bounce", "drift", "swing", "light sweep"])
def test_motions_are_told_apart(product, kind):
    assert describe_motion(film(product, kind)) == PHRASES[kind]


def test_a_single_frame_is_a_still_and_a_video_caption_says_what_moves(product):
    assert describe_motion([product()]) == PHRASES["still"]
    frames = tuple(Picture("a", "a.mp4", image, k / 12) for k, image in enumerate(film(product, "bounce")))
    clip = Clip("a", "a.mp4", frames, tuple(range(len(frames))), len(frames) / 12, 12.0)
    assert "bounces" in PixelsCaptioner().caption_video(clip).text


def test_a_scene_without_an_even_background_is_called_a_scene():
    rng = np.random.default_rng(0)
    frames = [Image.fromarray(rng.integers(0, 255, (40, 60, 3)).astype(np.uint8)).resize((240, 160)) for _ in range(6)]
    assert describe_motion(frames) == PHRASES["scene"]
