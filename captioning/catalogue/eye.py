"""What heads read of a picture: the tower's features of the whole, and, twice as close, those of its surface.

Patterns are lost at the size a small tower is trained at. A convolutional tower can look at a picture of twice that
size: its last map but one, by mean and spread, then tells what a surface is made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from catalog.vectors import Floats
from embedding.base import Picture
from embedding.clip import OpenClip, as_rgb
from embedding.clip_training.towers import features_of
from embedding.torch_running import torch_dtype, torch_threads

CLOSER = 2
"""How much larger the second look is."""

Looks = tuple[Floats, ...]
"""A picture, (3, h, w), and, of a convolutional tower, the same (3, 2h, 2w)."""


def look(clip: OpenClip, picture: Picture) -> Looks:
    """Return a picture as `seen` wants it, at the model's mean and spread.

    Raises:
        DataError: When an array is no picture.
    """
    whole = clip.prepare(picture)
    if not _looks_closer(clip):
        return (whole,)
    from open_clip.transform import PreprocessCfg, image_transform_v2

    told = {**clip.files.preprocess, "size": (CLOSER * whole.shape[1], CLOSER * whole.shape[2])}
    return whole, np.asarray(image_transform_v2(PreprocessCfg(**told), is_train=False)(as_rgb(picture)), np.float32)


def seen(clip: OpenClip, pictures: Sequence[Looks]) -> Floats:
    """Return (n, w) float32 features of pictures.

    Raises:
        ConfigError: When the model's files cannot be opened.
    """
    whole = features_of(clip, [each[0] for each in pictures])
    if not _looks_closer(clip):
        return whole
    import torch

    rows, config = [whole[:0, :0]] if not pictures else [], clip.config
    with torch_threads(config.threads), torch.inference_mode():
        for at in range(0, len(pictures), config.batch_size):
            batch = torch.from_numpy(np.stack([each[1] for each in pictures[at : at + config.batch_size]]))
            batch = batch.to(config.device, torch_dtype(config.dtype))
            maps = _tower(clip).forward_intermediates(batch, intermediates_only=True)["image_intermediates"]
            surface = maps[-2].float()
            rows.append(torch.cat([surface.mean((2, 3)), surface.std((2, 3))], 1).cpu().numpy())
    return np.concatenate([whole, np.concatenate(rows)], 1)


def _looks_closer(clip: OpenClip) -> bool:
    """Whether the tower takes pictures of another size than it was trained at."""
    from open_clip.modified_resnet import ModifiedResNet

    return isinstance(_tower(clip), ModifiedResNet)


def _tower(clip: OpenClip) -> Any:
    return clip.towers()[0].visual
