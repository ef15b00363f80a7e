"""Runs in vLLM's own interpreter: captions by `VllmVision`, and the prompts vLLM made of what it was given."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    asked = json.load(sys.stdin)

    import vllm
    from PIL import Image
    from vllm.v1.engine.input_processor import InputProcessor

    from captioning.base import Clip, Picture
    from captioning.mllm import MllmCaptioner, MllmConfig
    from captioning.prompt import load_prompt
    from captioning.vision import Ask
    from captioning.vllm_vision import VllmVision, VllmVisionConfig

    told: list[list[int]] = []

    class Told(vllm.LLM):
        """Notes what the engine was told."""

        def chat(self, *args: Any, **kwargs: Any) -> Any:
            return note(super().chat(*args, **kwargs))

        def generate(self, *args: Any, **kwargs: Any) -> Any:
            return note(super().generate(*args, **kwargs))

    def note(outputs: Any) -> Any:
        told.extend(list(output.prompt_token_ids) for output in outputs)
        return outputs

    vllm.LLM = Told
    steps: list[float] = []
    process_inputs = InputProcessor.process_inputs

    def noting_steps(*args: Any, **kwargs: Any) -> Any:
        request = process_inputs(*args, **kwargs)
        for feature in request.mm_features or ():
            if feature.data and "second_per_grid_ts" in feature.data:
                steps.append(float(feature.data["second_per_grid_ts"].data))
        return request

    InputProcessor.process_inputs = noting_steps

    def picture(path: str, time: float | None = None) -> Picture:
        return Picture(path, path, Image.open(path).convert("RGB"), time)

    vision = VllmVision(VllmVisionConfig(**asked["config"]))
    captioner = MllmCaptioner(vision, MllmConfig(checks="report", max_tokens=1500, max_video_tokens=2000))
    pictures = [picture(path) for path in asked["pictures"]]
    frames = tuple(picture(path, time) for path, time in asked["frames"])
    clip = Clip("clip", "clip.mp4", frames, tuple(asked["numbers"]), asked["seconds"], asked["rate"])
    prompt = load_prompt()
    rules, schema = prompt.system_text("English"), prompt.answer_schema()
    began = time.monotonic()
    vision.answer([Ask("", "Hello.", max_tokens=1)])
    loaded = time.monotonic() - began
    began = time.monotonic()
    answers = vision.answer(
        [Ask(rules, prompt.picture, pictures=(each,), schema=schema, max_tokens=1500) for each in pictures]
    )
    rate = len(answers) / (time.monotonic() - began)
    ask = Ask("", "Fill in the form.", tuple(pictures[:1]), schema=asked["schema"], max_tokens=300)
    words = [*captioner.caption(pictures), captioner.caption_video(clip)]
    [answer] = vision.answer([ask])
    [refused] = vision.answer([Ask("", "word " * 9000, max_tokens=8)])
    found = {
        "loaded": loaded,
        "rate": rate,
        "answers": [each.content for each in answers],
        "words": [[each.text, each.failure, list(each.faults)] for each in words],
        "told": told,
        "steps": steps,
        "form": answer.content,
        "refused": refused.failure,
    }
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":  # vLLM's engine is a process of its own, which reads this file again
    main()
