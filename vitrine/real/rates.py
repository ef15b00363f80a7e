"""How quickly things go, each figure with where it comes from: for `bench.scaling_plan` and `vitrine real`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Origin = Literal[
    "published",
    "measured by Vitrine's makers on two cores",
    "assumption to replace by your own report",
    "given on the command line",
]


@dataclass(frozen=True, slots=True)
class Rate:
    """What one GPU (or, where it says so, one core) does in a second.

    Attributes:
        option: Name of the option that overrides it.
        value: Pieces a second and GPU.
        origin: What kind of figure it is.
        source: Whose, of what, and where it stands.
    """

    option: str
    value: float
    origin: Origin
    source: str


CLIP_SECONDS = 30.0
"""Of a speech clip: a sentence or two of a call."""

CAPTIONS = Rate(
    "captions-per-second-per-gpu",
    8.74,
    "published",
    "Qwen2-VL-7B-Instruct, vLLM, 1,000 requests of VisionArena-Chat, 99 tokens of answer each, GPU not named: "
    "github.com/vllm-project/vllm/pull/15748",
)
VIDEO_CAPTIONS = Rate(
    "videos-per-second-per-gpu",
    13 / 60,
    "published",
    "Qwen2.5-VL-7B, vLLM 0.9.1, one A100 at a fifth of its use, 30 frames of 360p: "
    "github.com/QwenLM/Qwen3-VL/issues/1378; 12 frames take about 2.5 times less",
)
TRANSCRIPTS = Rate(
    "clips-per-second-per-gpu",
    780 / 270 * 8 / CLIP_SECONDS,
    "published",
    "openai-whisper large-v2, beam 5, 13 minutes in 4m30 on a V100S (README of SYSTRAN/faster-whisper, 00cc7e1b), "
    "times the 8 by which `turbo` is faster than `large` (README of openai/whisper), over clips of 30 s",
)
SMALL_VECTORS = Rate(
    "texts-per-second-per-gpu",
    515_914 / 512,
    "published",
    "snowflake-arctic-embed-m-v1.5 (109 M), vLLM, texts of 512 tokens by 16, GPU not named: "
    "github.com/vllm-project/vllm/pull/23000; MiniLM-L6, short sentences, V100: 14,200 (sbert.net, pretrained models)",
)
LLM_VECTORS = Rate(
    "llm-texts-per-second-per-gpu",
    150.0,
    "assumption to replace by your own report",
    "a 4 B embedding model needs 8 GFLOP a token, so 1.6 TFLOP for 200 tokens; 240 TFLOP/s of a GPU's dense bf16",
)
PICTURE_VECTORS = Rate(
    "picture-vectors-per-second-per-gpu",
    500.0,
    "assumption to replace by your own report",
    "open_clip ViT-B/16 at 224 pixels, one decoded picture after the other",
)
PIXELS = Rate(
    "pictures-per-second-per-core",
    33.0,
    "measured by Vitrine's makers on two cores",
    "`pixels`, about 30 ms a picture on one core",
)
MINILM = Rate(
    "texts-per-second-per-core",
    125.0,
    "measured by Vitrine's makers on two cores",
    "all-MiniLM-L6-v2, short texts on one core",
)
LIRDREC_ROWS = Rate(
    "rows-per-second",
    10_000_000 / 237,
    "measured by Vitrine's makers on two cores",
    "an epoch of 10 million rows, 500,000 users and 200,000 items on two cores: `python -m bench.lirdrec_scale`",
)
"""Rows of a log through one epoch of LIRDRec, on two cores."""
CORE = Rate(
    "operations-per-second-per-core",
    5e10,
    "assumption to replace by your own report",
    "a core with AVX2 at float32 products; a token takes two operations a parameter",
)
"""A language model on processors alone."""
PARAMETERS_OF_CAPTIONS, PARAMETERS_OF_VECTORS = 8.3e9, 4.0e9
"""Of the models behind `CAPTIONS` and `LLM_VECTORS`: another size is reckoned in proportion."""
FRAMES_LESS = 2.5
"""By which `VIDEO_CAPTIONS` goes faster with 12 frames."""
