"""Whether Qwen-VL is told when the frames of a clip were really taken."""

import re

import numpy as np
import pytest
import qwen_vl_utils
from PIL import Image

from captioning.base import Clip, Picture
from captioning.frames import paired, sampling, thinned, video_part, vision_inputs
from captioning.pixel_budget import smart_resize, within_budget
from captioning.tiny_checkpoints import PATCH
from catalog.errors import MediaError

# A clip of 25 frames a second and 12 seconds, sampled in the middles of its thirds twice over: true times 1, 3, ... 11.
STEADY = [(25 + 50 * n, 1.0 + 2 * n) for n in range(6)]
# A screen recording: still for seconds, then quick; numbers and times have nothing to do with each other.
VARIABLE = [(0, 0.0), (3, 4.2), (9, 4.5), (11, 9.0)]


def clip(samples, rate=25.0, seconds=12.0, size=(64, 64)):
    rng = np.random.default_rng(0)
    images = [Image.fromarray(rng.integers(0, 255, (*size[::-1], 3), np.uint8)) for _ in samples]
    frames = tuple(Picture("a", "a.mp4", image, time) for image, (_, time) in zip(images, samples, strict=True))
    return Clip("a", "a.mp4", frames, tuple(number for number, _ in samples), seconds, rate)


def prompt_of(processor, shown, metadata=True):
    """Return what the processor makes of the frames of a clip, with and without the true metadata."""
    part = video_part([frame.image for frame in shown.frames], 28 * 28, 448 * 448)
    messages = [[{"role": "user", "content": [part, {"type": "text", "text": "what moves?"}]}]]
    text = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    given = vision_inputs(messages, [shown], processor.image_processor.patch_size)
    if metadata == "invented":
        _, videos, options = qwen_vl_utils.process_vision_info(
            messages, return_video_kwargs=True, return_video_metadata=True,
            image_patch_size=processor.image_processor.patch_size,
        )  # fmt: skip
        given = {**options, "videos": [videos[0][0]], "video_metadata": [videos[0][1]], "do_resize": False}
    if metadata is None:
        del given["video_metadata"]
    return processor(text=text, return_tensors="pt", **given)


def times_told(processor, inputs):
    text = processor.tokenizer.decode(inputs["input_ids"][0])
    return [float(time) for time in re.findall(r"<([\d.]+) seconds>", text)]


@pytest.fixture(scope="module")
def processors(tiny_checkpoints):
    from transformers import AutoProcessor

    found = {name: AutoProcessor.from_pretrained(folder) for name, folder in tiny_checkpoints.items()}
    for processor in found.values():
        processor.video_processor.cap_pixels_per_frame = False
    return found


def test_qwen3_vl_reads_the_true_times_in_its_prompt(processors):
    qwen = processors["qwen3_vl"]
    # Two frames are one step of time, and its time is the mean of theirs: (1 + 3) / 2, (5 + 7) / 2, (9 + 11) / 2.
    assert times_told(qwen, prompt_of(qwen, clip(STEADY))) == [2.0, 6.0, 10.0]
    # As qwen-vl-utils tells it: frames 0..5 at two a second, (0 + 0.5) / 2, ...; and untold at 24 a second.
    assert times_told(qwen, prompt_of(qwen, clip(STEADY), "invented")) == pytest.approx([0.2, 1.2, 2.2], abs=0.06)
    assert times_told(qwen, prompt_of(qwen, clip(STEADY), None)) == pytest.approx([0.0, 0.1, 0.2], abs=0.06)


def test_qwen2_5_vl_gets_the_true_seconds_of_a_step(processors):
    qwen = processors["qwen2_5_vl"]
    # Frames are two seconds apart, and two of them are one step.
    assert prompt_of(qwen, clip(STEADY))["second_per_grid_ts"] == pytest.approx([4.0])
    assert prompt_of(qwen, clip(STEADY), "invented")["second_per_grid_ts"] == pytest.approx([1.0])
    assert prompt_of(qwen, clip(STEADY), None)["second_per_grid_ts"] == pytest.approx([2 / 24])


def test_times_of_a_variable_rate_are_the_true_ones(processors):
    told = times_told(processors["qwen3_vl"], prompt_of(processors["qwen3_vl"], clip(VARIABLE, rate=1.3, seconds=9.2)))
    assert told == pytest.approx([(0.0 + 4.2) / 2, (4.5 + 9.0) / 2], abs=0.051)
    steps = prompt_of(processors["qwen2_5_vl"], clip(VARIABLE, rate=1.3, seconds=9.2))["second_per_grid_ts"]
    assert steps == pytest.approx([2 * 9.0 / 3])  # three gaps in nine seconds, two frames a step


def test_an_odd_last_frame_is_shown_twice_at_one_time(processors):
    shown = paired(clip(STEADY[:3], seconds=6.0))
    assert shown.times == (1.0, 3.0, 5.0, 5.0)
    assert times_told(processors["qwen3_vl"], prompt_of(processors["qwen3_vl"], shown)) == [2.0, 5.0]
    assert prompt_of(processors["qwen2_5_vl"], shown)["second_per_grid_ts"] == pytest.approx([4.0])


def test_the_sampling_of_a_steady_stream_is_that_of_the_stream():
    told = sampling(clip(STEADY))
    assert (told.fps, told.frames_indices) == (25.0, (25, 75, 125, 175, 225, 275))
    assert (told.total_num_frames, told.duration) == (300, 12.0)  # 12 seconds of 25 frames


def test_the_sampling_of_a_variable_rate_counts_milliseconds():
    told = sampling(clip(VARIABLE, rate=1.3, seconds=9.2))
    assert (told.fps, told.frames_indices) == (1000.0, (0, 4200, 4500, 9000))
    assert told.total_num_frames == 12_000  # four frames, three seconds apart on the whole


def test_a_single_frame_stands_for_the_whole_clip():
    told = sampling(paired(clip([(150, 6.0)])))
    assert told.frames_indices == (150, 150)
    assert len(told.frames_indices) / told.total_num_frames * told.fps == pytest.approx(1 / 12.0)


def test_a_clip_is_thinned_evenly():
    kept = thinned(clip(STEADY), 3)
    assert kept.times == (1.0, 5.0, 11.0) and kept.numbers == (25, 125, 275)
    assert thinned(clip(STEADY), 9).times == clip(STEADY).times
    assert thinned(clip(STEADY), 1).times == (7.0,)


@pytest.mark.parametrize("architecture", sorted(PATCH))
@pytest.mark.parametrize("size", [(1000, 500), (50, 900), (28, 28), (13, 2000), (4000, 3000), (97, 61)])
def test_sizes_are_those_of_qwen_vl_utils(architecture, size):
    width, height = size
    factor = 2 * PATCH[architecture]
    high, wide = qwen_vl_utils.smart_resize(height, width, factor, 3136, 262_144)
    assert smart_resize(width, height, factor, 3136, 262_144) == (wide, high)


@pytest.mark.parametrize("architecture", sorted(PATCH))
def test_frames_reach_the_model_at_the_size_they_were_given(processors, architecture):
    factor = 2 * PATCH[architecture]
    shown = clip(STEADY, size=(3 * factor, 2 * factor))
    inputs = prompt_of(processors[architecture], shown)
    assert inputs["video_grid_thw"].tolist() == [[3, 4, 6]]


def test_a_strip_is_refused_in_one_line():
    with pytest.raises(MediaError, match="5000 by 10 pixels"):
        within_budget(Image.new("RGB", (5000, 10)), 28, 3136, 100_000)
