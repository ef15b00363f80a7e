"""What `vitrine train video` builds, and how it is fitted."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from embedding.training_config import TrainingConfig
from embedding.video.frame_job import FrameJobConfig

Pooling = Literal["temporal", "mean"]
"""How frames become one vector: a temporal transformer, or their mean, which is blind to order."""


class VideoEncoderConfig(TrainingConfig):
    """How the temporal encoder and its engagement head are fitted; everything but `threads` changes the model."""

    frame_embedder: Literal["auto", "thumbnail"] = "auto"
    """What reads a frame. `auto`: the picture model that `vitrine embed` would use (that of `vitrine train clip`, or
    `embedding.pictures`), else `thumbnail`, which needs no model."""
    pooling: Pooling = "temporal"
    """How frames become one vector: a temporal transformer, or their mean (the baseline, blind to order)."""
    item_films: bool = False
    """Whether films of items are learned from as well, by impressions and clicks of the items in the shop's log. Where
    nobody was shown a marketing film they always are. Their click-through is calibrated either way, but vectors that
    never learned from the log can be judged on it."""
    components: int = Field(32, ge=2, le=512)
    """Principal directions of the frame vectors that the network sees."""
    width: int = Field(32, ge=8, le=512)
    """Width of the transformer, a multiple of `heads`."""
    dim: int = Field(32, ge=2, le=1024)
    """Width of a video vector."""
    blocks: int = Field(1, ge=1, le=12)
    """Transformer blocks."""
    heads: int = Field(4, ge=1, le=32)
    """Attention heads of a block."""
    queries: int = Field(6, ge=1, le=64)
    """Queries of the attention pooling; each may look at another time and thing."""
    dropout: float = Field(0.3, ge=0, lt=1)
    """Of the network, while it is fitted."""
    steps: int = Field(100, ge=1)
    """Steps of AdamW over all films together."""
    learning_rate: float = Field(5e-3, gt=0, le=1)
    """At its highest; it rises for a tenth of the steps and falls along a cosine."""
    weight_decay: float = Field(0.1, ge=0, le=10)
    """Of AdamW."""
    frame_dropout: float = Field(0.15, ge=0, lt=1)
    """Share of a film's frames left out of a step, so that no single one is leant on."""
    noise: float = Field(0.1, ge=0, le=10)
    """Spread of the noise added to what a frame shows, in units of its own spread."""
    folds: int = Field(5, ge=2, le=50)
    """Parts by campaign; each is predicted by a network that never saw it, for figures and calibration."""
    frames: FrameJobConfig = FrameJobConfig()
    """Which films are read, and how the job that reads them runs."""
