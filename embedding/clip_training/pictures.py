"""Pictures as small uint8 tensors, read once; and what a step does to them so that no two rounds are alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from catalog.errors import MediaError
from catalog.media import MediaLimits, open_picture
from catalog.progress import SILENT, Progress
from embedding.clip_training.rows import Ints

if TYPE_CHECKING:
    import torch

Pixels: TypeAlias = npt.NDArray[np.uint8]

ROOM = 9 / 8
"""Pictures are kept this much larger than the model sees them, so that a part of one is no coarser than the whole."""
READERS = 2
"""Pictures decoded at the same time."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """Pictures of items, in their order.

    Attributes:
        pixels: (m, 3, side, side) uint8.
        first: (n,) the row of an item's first picture; -1 where none could be read.
        count: (n,) how many it has.
        failures: Reasons by reference.
    """

    pixels: Pixels
    first: Ints
    count: Ints
    failures: Mapping[str, str]


def read_pictures(
    refs: Sequence[Sequence[str]],
    root: Path,
    preprocess: Mapping[str, Any],
    limits: MediaLimits,
    *,
    scale: float = 1.0,
    progress: Progress = SILENT,
) -> Pictures:
    """Decode pictures as the model's own preprocessing would show them, `scale` times as large.

    Args:
        refs: References of each item's pictures.
        root: Workspace root.
        preprocess: Arguments of open_clip's `PreprocessCfg`.
        limits: What is refused.
        scale: How much larger; 1 gives the very pixels that the model sees when it is used.
        progress: Told of every picture.
    """
    from open_clip.transform import PreprocessCfg, image_transform_v2

    told = PreprocessCfg(**preprocess)
    sides = told.size if isinstance(told.size, tuple | list) else (told.size, told.size)
    size = (round(sides[0] * scale), round(sides[1] * scale))
    plain = PreprocessCfg(**{**preprocess, "size": size, "mean": (0.0, 0.0, 0.0), "std": (1.0, 1.0, 1.0)})
    transform = image_transform_v2(plain, is_train=False)

    def read(ref: str) -> Pixels | MediaError:
        try:
            picture = open_picture(ref, root, limits)
        except MediaError as error:
            return error
        return np.asarray(np.rint(np.asarray(transform(picture)) * 255), np.uint8)

    wanted = list(dict.fromkeys(ref for each in refs for ref in each))
    places: dict[str, int] = {}
    failures: dict[str, str] = {}
    pixels: list[Pixels] = []
    progress.start("read pictures", len(wanted))
    with ThreadPoolExecutor(READERS, thread_name_prefix="picture") as pool:
        for ref, found in zip(wanted, pool.map(read, wanted), strict=True):
            progress.advance()
            if isinstance(found, MediaError):
                failures[ref] = str(found)
            else:
                places[ref] = len(pixels)
                pixels.append(found)
    progress.finish()
    rows = [[places[ref] for ref in each if ref in places] for each in refs]
    count = np.array([len(each) for each in rows], np.int64)
    first = np.where(count > 0, np.cumsum(count) - count, -1)
    order = [at for each in rows for at in each]
    stacked = np.stack([pixels[at] for at in order]) if order else np.zeros((0, 3, *size), np.uint8)
    return Pictures(stacked, first, count, failures)


def augmented(pixels: torch.Tensor, sides: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
    """Return pictures as one step sees them: a part, perhaps mirrored, in a slightly other light.

    Hue is left alone and light, contrast and saturation move by a sixth at most, so that a red thing stays red.

    Args:
        pixels: (b, 3, h, w) uint8.
        sides: Height and width of what the model sees.
        generator: Draws everything.

    Returns:
        (b, 3, *sides) float32 from 0 to 1.
    """
    import torch
    from torch.nn import functional

    b = len(pixels)

    def drawn(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.rand(b, *shape, generator=generator) * (high - low) + low

    scale = drawn(0.7, 1.0, 2)
    shift = (1 - scale) * drawn(-1.0, 1.0, 2)
    mirrored = torch.where(torch.rand(b, generator=generator) < 0.5, -1.0, 1.0)
    theta = torch.zeros(b, 2, 3)
    theta[:, 0, 0], theta[:, 1, 1] = scale[:, 0] * mirrored, scale[:, 1]
    theta[:, :, 2] = shift
    device = pixels.device
    grid = functional.affine_grid(theta, [b, 3, *sides], align_corners=False).to(device)
    seen = functional.grid_sample(
        pixels.float() / 255, grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    light, contrast, colour = (drawn(5 / 6, 7 / 6, 1, 1, 1).to(device) for _ in range(3))
    middle = seen.mean((1, 2, 3), keepdim=True)
    seen = (seen - middle) * contrast + middle * light
    grey = seen.mean(1, keepdim=True)
    return ((seen - grey) * colour + grey).clamp(0, 1)


def normalised(seen: torch.Tensor, preprocess: Mapping[str, Any]) -> torch.Tensor:
    """Return pictures of 0 to 1 at the model's own mean and spread."""
    import torch
    from open_clip.transform import PreprocessCfg

    told = PreprocessCfg(**preprocess)
    mean, std = (torch.tensor(each, device=seen.device).view(1, 3, 1, 1) for each in (told.mean, told.std))
    return (seen - mean) / std
