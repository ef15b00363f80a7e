"""Text vectors from any OpenAI-compatible `/v1/embeddings` server: vLLM pooling models, or a hosted one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import ServiceError
from catalog.vectors import Floats

if TYPE_CHECKING:
    from openai import OpenAI


class OpenAIEmbedderConfig(BaseModel):
    """Which server and model, and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(pattern=r"^https?://\S+$")
    """Address that ends in `/v1`."""
    model: str
    """The served model's name."""
    dim: int = Field(ge=1)
    """Width of the model's vectors; anything else that comes back is refused."""
    name: str = "llm"
    """Short name, used in the names of embedding spaces."""
    instruction: str = ""
    """Put before every text; some models (Qwen3-Embedding, E5) want one. Changes vectors."""
    api_key_env: str = "VITRINE_EMBED_API_KEY"
    """Environment variable that holds the key; the key itself never stands in a configuration."""
    batch_size: int = Field(64, ge=1)
    """Texts a request."""
    concurrency: int = Field(4, ge=1)
    """Requests in flight."""
    timeout_seconds: float = Field(60.0, gt=0)
    """How long one request may take."""
    retries: int = Field(4, ge=0)
    """Further tries after 408, 409, 429, 5xx, a lost connection or a timeout, with growing pauses."""


class OpenAIEmbedder:
    """A `TextEmbedder` behind `/v1/embeddings`."""

    def __init__(self, config: OpenAIEmbedderConfig) -> None:
        self.config = config
        self.name = config.name
        self.model = f"{config.model} [{config.instruction}]" if config.instruction else config.model
        self.dim = config.dim

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, dim) float32, each row of length 1, in the order of `texts`.

        Raises:
            ServiceError: When the server is unreachable, keeps failing, or answers with vectors of
                another number or width, or that are zero or not finite.
        """
        size = self.config.batch_size
        chunks = [texts[at : at + size] for at in range(0, len(texts), size)]
        out = np.zeros((len(texts), self.dim), np.float32)
        with ThreadPoolExecutor(self.config.concurrency, thread_name_prefix="embed") as pool:
            for at, vectors in enumerate(pool.map(self._ask, chunks)):
                out[at * size : at * size + len(vectors)] = vectors
        return out

    @cached_property
    def _client(self) -> OpenAI:
        from openai import OpenAI

        return OpenAI(
            base_url=self.config.base_url,
            api_key=os.environ.get(self.config.api_key_env) or "none",
            timeout=self.config.timeout_seconds,
            max_retries=self.config.retries,
        )

    def _ask(self, texts: Sequence[str]) -> Floats:
        import openai

        where = f"embedder {self.config.base_url!r}, model {self.config.model!r}"
        request = [self.config.instruction + text for text in texts]
        try:
            answer = self._client.embeddings.create(model=self.config.model, input=request, encoding_format="float")
        except openai.APIConnectionError as error:
            raise ServiceError(f"{where}: cannot be reached: {error.__cause__ or error}", retryable=True) from error
        except openai.APIStatusError as error:
            raise ServiceError(
                f"{where}: answered {error.status_code}: {error.message[:200]}",
                retryable=error.status_code == 429 or error.status_code >= 500,
            ) from error
        except (openai.OpenAIError, ValueError) as error:
            raise ServiceError(f"{where}: answered what is no embedding: {str(error)[:200]}") from error
        rows = sorted(answer.data, key=lambda row: row.index)
        if [row.index for row in rows] != list(range(len(texts))):
            raise ServiceError(f"{where}: {len(rows)} vectors for {len(texts)} texts")
        widths = {len(row.embedding) for row in rows}
        if widths != {self.dim}:
            raise ServiceError(f"{where}: vectors of width {sorted(widths)}, the configuration says dim={self.dim}")
        vectors = np.array([row.embedding for row in rows], np.float32)
        length = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not (np.isfinite(length).all() and (length > 0).all()):
            raise ServiceError(f"{where}: a vector that is zero or not finite")
        return np.asarray(vectors / length, np.float32)
