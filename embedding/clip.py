"""Picture and text vectors of one space by open_clip: any model of its own list, or a folder. Nothing is downloaded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError
from catalog.vectors import Floats
from embedding.base import ImageEmbedder, Picture, unit
from embedding.clip_files import ClipFiles, find_clip, offline
from embedding.opening import MOST_THREADS
from embedding.torch_running import Dtype, quiet_loading, torch_threads

_PRECISIONS: dict[Dtype, str] = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}
_WHITE = (255, 255, 255)


class OpenClipConfig(BaseModel):
    """Which open_clip model, and how it runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    """A name of open_clip's list (`ViT-B-32`, with `pretrained`), a folder with `open_clip_config.json` and weights, or
    `hf-hub:owner/name` in the local hub cache; nothing is downloaded."""
    pretrained: str | None = None
    """For a name of the list: a tag (`laion2b_s34b_b79k`) whose file is in the local cache, or the file itself."""
    cache: Path | None = None
    """Where files of tags stand. None: the hub's own cache, and `~/.cache/clip`."""
    name: str = Field("clip", pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    """Short name: the space is `picture-<name>`."""
    batch_size: int = Field(32, ge=1)
    """Pictures or texts in one forward pass. With 1 a vector does not depend, to the last bit, on its company; else it
    moves by less than 1e-5 in float32 and 2e-2 in the half-width formats."""
    dtype: Dtype = "float32"
    """How weights are held; `bfloat16` is usual on a GPU. Changes vectors."""
    device: str = "cpu"
    """A torch device."""
    threads: int | None = Field(1, ge=1, le=MOST_THREADS)
    """Torch threads while it encodes; None leaves them as they are."""


class OpenClip(ImageEmbedder):
    """An `ImageEmbedder` over open_clip; loads at the first batch, and calls from several threads queue.

    `prepare` needs no model and runs in as many threads or processes as wanted.

    Raises:
        ConfigError: When the model is unknown, or its files are not on this machine.
    """

    def __init__(self, config: OpenClipConfig) -> None:
        self.config = config
        self.files: ClipFiles = find_clip(config.model, config.pretrained, config.cache)
        self.name = config.name
        self.dim = self.files.dim
        self.model = f"open_clip {self.files.told} {config.dtype}"
        self._lock, self._loading = threading.Lock(), threading.Lock()

    def prepare(self, picture: Picture) -> Floats:
        """Return a picture as the model wants it, (3, h, w) float32: resized, cut, and at the model's mean and spread.

        Raises:
            DataError: When an array is no picture.
        """
        return np.asarray(self._transform(as_rgb(picture)), np.float32)

    def embed_prepared(self, pixels: Sequence[Floats]) -> Floats:
        """Return (n, d) float32, rows of length 1, of what `prepare` gave."""
        return self._encode(lambda at: self._pictures(pixels[at]), len(pixels))

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) float32, rows of length 1, comparable with the pictures' rows; a long text is cut."""
        return self._encode(lambda at: self._texts(texts[at]), len(texts))

    def towers(self) -> tuple[Any, Any]:
        """Return the open_clip model and its tokenizer themselves, to be trained further.

        Raises:
            ConfigError: When they cannot be opened from files of this machine.
        """
        return self._model, self._tokenizer

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.config,)

    def _encode(self, some: Any, count: int) -> Floats:
        if not count:
            return np.zeros((0, self.dim), np.float32)
        import torch

        with self._lock, torch_threads(self.config.threads), torch.inference_mode():
            size = self.config.batch_size
            rows = [some(slice(at, at + size)).float().cpu().numpy() for at in range(0, count, size)]
        return unit(np.concatenate(rows), f"open_clip model {self.config.model!r}")

    def _pictures(self, pixels: Any) -> Any:
        import torch

        batch = torch.from_numpy(np.stack(pixels)).to(self.config.device)
        return self._model.encode_image(batch.to(getattr(torch, self.config.dtype)))

    def _texts(self, texts: Sequence[str]) -> Any:
        tokens = self._tokenizer(list(texts))
        if (
            pad := getattr(getattr(getattr(self._model, "text", None), "config", None), "pad_token_id", None)
        ) is not None:
            # A text tower of transformers masks what is padded: left out, a query takes a quarter of the time.
            tokens = tokens[:, : max(1, int((tokens != pad).sum(1).max()))]
        return self._model.encode_text(tokens.to(self.config.device))

    @cached_property
    def _transform(self) -> Any:
        from open_clip.transform import PreprocessCfg, image_transform_v2

        with self._loading:
            return image_transform_v2(PreprocessCfg(**self.files.preprocess), is_train=False)

    @cached_property
    def _tokenizer(self) -> Any:
        import open_clip

        with offline(f"the tokenizer of open_clip model {self.config.model!r}"):
            return open_clip.get_tokenizer(self.files.model)

    @cached_property
    def _model(self) -> Any:
        import open_clip

        files = self.files
        with quiet_loading(), offline(f"open_clip model {self.config.model!r}"):
            model = open_clip.create_model(
                files.model,
                pretrained=None if files.in_folder else str(files.weights),
                precision=_PRECISIONS[self.config.dtype],
                device=self.config.device,
                force_quick_gelu=files.quick_gelu,
                pretrained_text=False,
                weights_only=True,
                **files.overrides,
            )
        return model.eval()


def as_rgb(picture: Picture) -> Image.Image:
    """Return a picture as PIL in RGB, transparency laid on white.

    Args:
        picture: PIL of any mode, or an array (h, w), (h, w, 1), (h, w, 3) or (h, w, 4): uint8, or float from 0 to 1.

    Raises:
        DataError: When an array has another shape or kind, or a float beyond 0 to 1.
    """
    if not isinstance(picture, Image.Image):
        picture = _from_array(np.asarray(picture))
    if picture.mode == "RGB":
        return picture
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        white = Image.new("RGBA", layer.size, (*_WHITE, 255))
        return Image.alpha_composite(white, layer).convert("RGB")
    return picture.convert("RGB")


def _from_array(array: np.ndarray[Any, Any]) -> Image.Image:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or not array.size:
        raise DataError(f"picture array of shape {array.shape}: (h, w), (h, w, 3) or (h, w, 4) would be valid")
    if np.issubdtype(array.dtype, np.floating):
        if not (array.min() >= 0 and array.max() <= 1):
            raise DataError(f"picture array of floats from {array.min()} to {array.max()}: 0 to 1 would be valid")
        array = np.rint(array * 255).astype(np.uint8)
    if array.dtype != np.uint8:
        raise DataError(f"picture array of {array.dtype}: uint8, or float from 0 to 1, would be valid")
    return Image.fromarray(np.ascontiguousarray(array))
