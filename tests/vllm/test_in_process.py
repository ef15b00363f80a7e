"""vLLM inside a process of ours: `VllmVision` and `VllmPooling` in vLLM's own interpreter."""

import json
import re

import numpy as np
import pytest
from transformers import AutoTokenizer

from captioning.prompt import load_prompt
from embedding.decoder import Decoder, DecoderConfig

FORM = {
    "type": "object",
    "properties": {"shelf": {"type": "integer", "minimum": 5, "maximum": 7}},
    "required": ["shelf"],
    "additionalProperties": False,
}
TIMES = (0.0, 0.4, 1.2, 3.0, 3.4, 4.0)
"""Of frames that came at no steady rate."""


@pytest.mark.parametrize("architecture", ["qwen2_5_vl", "qwen3_vl"])
def test_captions_keep_to_the_schema_and_a_clip_is_told_with_its_true_times(
    in_process, checkpoints, drawn, figure, architecture
):
    config = {
        "model": str(checkpoints[architecture]), "dtype": "bfloat16", "max_model_len": 4096, "enforce_eager": True,
        "temperature": 1.0, "seed": 3, "max_pixels": 128 * 128, "frame_pixels": 64 * 64,
    }  # fmt: skip
    pictures = [str(path) for path in drawn[:4]]
    asked = {
        "config": config,
        "pictures": pictures,
        "frames": list(zip([*pictures, *pictures[:2]], TIMES, strict=True)),
        "numbers": [round(25 * time) for time in TIMES],
        "seconds": 5.0,
        "rate": 25.0,
        "schema": FORM,
    }
    found = in_process("captions_in_process.py", asked)
    figure(f"in process, {architecture}: loaded in {found['loaded']:.0f} s, {found['rate']:.1f} captions/s")

    fields = load_prompt().answer_schema()["required"]
    assert [list(json.loads(content)) for content in found["answers"]] == [fields] * len(pictures)
    assert json.loads(found["form"])["shelf"] in (5, 6, 7)
    for text, failure, faults in found["words"]:
        assert text and failure is None and not {"not JSON", "cut off"} & set(faults)

    tokenizer = AutoTokenizer.from_pretrained(checkpoints[architecture])
    told = [tokenizer.decode(ids) for ids in found["told"]]
    [of_clip] = [text for text in told if "<|video_pad|>" in text]
    read = [float(seconds) for seconds in re.findall(r"<([\d.]+) seconds>", of_clip)]
    if architecture == "qwen3_vl":  # a step of time is two frames, and it reads the middle of the two
        middles = [(first + second) / 2 for first, second in zip(TIMES[::2], TIMES[1::2], strict=True)]
        assert read == pytest.approx(middles, abs=0.051)
    else:  # its positions count the seconds of a step: six frames, evenly spread, in four seconds
        assert not read and found["steps"] == pytest.approx([2 * 4.0 / 5], rel=0.01)
    assert sum("<|image_pad|>" in text for text in told) >= len(pictures)
    assert found["refused"].startswith("refused by vLLM: ") and "maximum context length" in found["refused"]


def test_vectors_are_those_of_transformers_and_a_text_too_long_is_cut(in_process, checkpoints):
    folder = str(checkpoints["qwen3_embedding"])
    texts = ["a red summer dress", "round blue mug for tea", "tea " * 200, ""]
    config = {"model": folder, "dtype": "float32", "convert": "embed", "max_tokens": 64, "enforce_eager": True}
    found = in_process("embeddings_in_process.py", {"config": config, "texts": texts})
    same = Decoder(DecoderConfig(model=folder, max_tokens=64)).embed_counted(texts)
    assert (np.array(found["vectors"]) * same.vectors).sum(1) == pytest.approx(np.ones(len(texts)), abs=1e-4)
    assert tuple(found["tokens"]) == same.tokens and tuple(found["cut"]) == (False, False, True, False)
    assert np.array(found["queries"]) @ np.array(found["vectors"])[0] < 0.999, "a query is asked under an instruction"
