"""Bounds that every trained encoder shares."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from embedding.clip_training.config import ClipTrainingConfig
from embedding.fusion.config import FusionConfig
from embedding.video.config import VideoEncoderConfig


@pytest.mark.parametrize("kind", [ClipTrainingConfig, FusionConfig, VideoEncoderConfig])
@pytest.mark.parametrize("rate", [0.0, -1e-3, 1e30, float("inf"), float("nan")])
def test_a_rate_at_which_nothing_is_learned_is_refused(kind, rate):
    with pytest.raises(ValidationError, match="learning_rate"):
        kind(learning_rate=rate)
