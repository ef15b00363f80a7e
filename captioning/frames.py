"""The frames of a clip as Qwen-VL takes them: pictures through qwen-vl-utils, times from the clip itself.

qwen-vl-utils samples a file by itself, and knows its times then. Of a list of frames it knows nothing: it says two
frames a second from the start on, or, asked without metadata, nothing, and the processor assumes 24. Qwen3-VL writes
those times into the prompt and Qwen2.5-VL into its positions. Here the true ones take their place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from captioning.base import Clip

PAIR = 2
"""Frames that Qwen-VL folds into one step of time; an odd last frame is shown twice."""
TICKS = 1000
"""Ticks a second by which frames are numbered where the source's own numbers do not give their times."""
CLOSE = 0.01
"""Seconds by which a number over the rate may miss the true time."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """What a processor is told about the frames of a clip.

    Attributes:
        fps: Numbers a second: the source's mean rate, or `TICKS` where frames came at no steady rate.
        frames_indices: Number of each frame shown; over `fps` it is the true time in seconds.
        total_num_frames: Numbers that the frames stand for, so that `len(frames_indices) / total_num_frames * fps`,
            which Qwen2.5-VL computes, is how many frames a second are shown. Of frames spread evenly over the whole
            clip this is the clip's length times `fps`.
        duration: Length of the clip, seconds.
        width: Pixels.
        height: Pixels.
    """

    fps: float
    frames_indices: tuple[int, ...]
    total_num_frames: int
    duration: float
    width: int
    height: int

    def metadata(self) -> dict[str, Any]:
        """Return it as transformers and vLLM take it."""
        return {
            "fps": self.fps,
            "frames_indices": list(self.frames_indices),
            "total_num_frames": self.total_num_frames,
            "duration": self.duration,
            "width": self.width,
            "height": self.height,
            "video_backend": "pyav",
        }


def thinned(clip: Clip, most: int) -> Clip:
    """Return the clip with at most `most` of its frames, evenly chosen, the first and the last among them."""
    count = len(clip.frames)
    if count <= most:
        return clip
    chosen = [round(at * (count - 1) / (most - 1)) for at in range(most)] if most > 1 else [count // 2]
    frames, numbers = tuple(clip.frames[at] for at in chosen), tuple(clip.numbers[at] for at in chosen)
    return replace(clip, frames=frames, numbers=numbers)


def paired(clip: Clip) -> Clip:
    """Return the clip with an even number of frames: Qwen-VL shows an odd last one twice, at one time."""
    odd = len(clip.frames) % PAIR
    return replace(
        clip, frames=clip.frames + clip.frames[-odd:] * odd, numbers=clip.numbers + clip.numbers[-odd:] * odd
    )


def sampling(clip: Clip) -> Sampling:
    """Return what is true of the clip's frames, whatever qwen-vl-utils makes up.

    Numbers of a stream of steady rate stay as they are; of one of variable rate, milliseconds number the frames.
    """
    times = clip.times
    apart = len(dict.fromkeys(times))
    step = (times[-1] - times[0]) / (apart - 1) if apart > 1 else clip.seconds
    stand_for = len(times) * step
    steady = all(abs(number / clip.rate - time) <= CLOSE for number, time in zip(clip.numbers, times, strict=True))
    whole = abs(stand_for - round(stand_for * clip.rate) / clip.rate) <= CLOSE * stand_for
    fps = clip.rate if steady and whole else float(TICKS)
    numbers = clip.numbers if steady and whole else tuple(round(time * TICKS) for time in times)
    width, height = clip.frames[0].image.size
    # No fewer than are shown, which vLLM refuses; that only happens to a clip of no length.
    return Sampling(fps, numbers, max(round(stand_for * fps), len(numbers)), clip.seconds, width, height)


def video_part(images: Sequence[Image.Image], min_pixels: int, max_pixels: int) -> dict[str, Any]:
    """Return frames of one size as the part of a message that qwen-vl-utils reads.

    Sizes are named in it, since for a list of frames the library takes the square of patches twice as large as it is.
    """
    width, height = images[0].size
    return {
        "type": "video",
        "video": list(images),
        "resized_width": width,
        "resized_height": height,
        "min_pixels": min_pixels,
        "max_pixels": max_pixels,
    }


def image_part(image: Image.Image) -> dict[str, Any]:
    """Return a picture of its final size as the part of a message that qwen-vl-utils reads."""
    return {"type": "image", "image": image, "resized_width": image.width, "resized_height": image.height}


def vision_inputs(
    messages: Sequence[Sequence[dict[str, Any]]], clips: Sequence[Clip], patch_size: int
) -> dict[str, Any]:
    """Return what a Qwen-VL processor takes beside the texts.

    Args:
        messages: Conversations with parts of `image_part` and `video_part`.
        clips: One a video part, in their order, `paired`.
        patch_size: Of the model: 14 for Qwen2.5-VL, 16 for Qwen3-VL.
    """
    from qwen_vl_utils import process_vision_info

    images, videos, options = process_vision_info(
        [list(conversation) for conversation in messages],
        return_video_kwargs=True,
        return_video_metadata=True,
        image_patch_size=patch_size,
    )
    given: dict[str, Any] = {"do_resize": False}
    if images:
        given["images"] = images
    if videos:
        given |= options  # do_sample_frames=False: these are the frames
        given["videos"] = [frames for frames, _invented in videos]
        given["video_metadata"] = [sampling(clip).metadata() for clip in clips]
    return given
