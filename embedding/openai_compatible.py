"""Text vectors from any OpenAI-compatible `/v1/embeddings` server: vLLM pooling models, or a hosted one."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import ServiceError
from catalog.server_words import server_words
from catalog.vectors import Floats
from embedding.base import Embedded, TextEmbedder, unit

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import CreateEmbeddingResponse

_TOO_LONG = re.compile(r"context|too long|maximum.*length|max.*tokens|token limit|exceed", re.IGNORECASE)
_REFUSED = (400, 413, 422)


class OpenAIEmbedderConfig(BaseModel):
    """Which server and model, and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(pattern=r"^https?://\S+$")
    """Address that ends in `/v1`."""
    model: str
    """The served model's name."""
    dim: int = Field(ge=1)
    """Width of the model's vectors; anything else that comes back is refused."""
    ask_dimensions: bool = False
    """Whether to ask the server for vectors of `dim` (Matryoshka models). Changes vectors."""
    name: str = "llm"
    """Short name, used in the names of embedding spaces."""
    instruction: str = ""
    """Put before every item's text; some models (E5) want one. Changes vectors."""
    query_instruction: str | None = None
    """Put before what a shopper asks; Qwen3-Embedding wants one. None: as `instruction`."""
    encoding: Literal["float", "base64"] = "float"
    """How numbers travel: `base64` is a quarter of the bytes, and not every server knows it."""
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


class OpenAIEmbedder(TextEmbedder):
    """A `TextEmbedder` behind `/v1/embeddings`.

    A request that is refused since a text is too long is asked again in halves; a single text is cut to half its
    characters until the server takes it, and counts as cut. An empty text is sent as one blank.
    """

    def __init__(self, config: OpenAIEmbedderConfig) -> None:
        self.config = config
        self.name = config.name
        self.model = f"{config.model} [{config.instruction}]" if config.instruction else config.model
        self.dim = config.dim
        self._where = f"embedder {config.base_url!r}, model {config.model!r}"

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, dim) float32, each row of length 1, in the order of `texts`.

        Raises:
            ServiceError: When the server is unreachable, keeps failing, or answers with vectors of
                another number or width, or that are zero or not finite.
        """
        return self.embed_counted(texts).vectors

    def embed_queries(self, texts: Sequence[str]) -> Floats:
        """Return (n, dim) as `embed` does, under the instruction for queries."""
        asked = self.config.query_instruction
        return self._embed([(self.config.instruction if asked is None else asked) + text for text in texts]).vectors

    def embed_counted(self, texts: Sequence[str]) -> Embedded:
        """Return what `embed` returns, with the tokens the server counted, spread over the texts of a request."""
        return self._embed([self.config.instruction + text for text in texts])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.config,)

    def _embed(self, texts: Sequence[str]) -> Embedded:
        size = self.config.batch_size
        chunks = [[text or " " for text in texts[at : at + size]] for at in range(0, len(texts), size)]
        if not chunks:
            return Embedded(np.zeros((0, self.dim), np.float32))
        with ThreadPoolExecutor(self.config.concurrency, thread_name_prefix="embed") as pool:
            found = list(pool.map(self._ask, chunks))
        return _together(found)

    @cached_property
    def _client(self) -> OpenAI:
        from openai import OpenAI

        return OpenAI(
            base_url=self.config.base_url,
            api_key=os.environ.get(self.config.api_key_env) or "none",
            timeout=self.config.timeout_seconds,
            max_retries=self.config.retries,
        )

    def _ask(self, texts: Sequence[str]) -> Embedded:
        import openai

        try:
            return self._read(self._request(texts), len(texts))
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            raise ServiceError(f"{self._where}: cannot be reached: {cause}", retryable=True) from error
        except openai.APIStatusError as error:
            if error.status_code in _REFUSED and _TOO_LONG.search(error.message):
                if len(texts) > 1:
                    middle = len(texts) // 2
                    return _together([self._ask(texts[:middle]), self._ask(texts[middle:])])
                if len(texts[0]) > 1:
                    shorter = self._ask([texts[0][: len(texts[0]) // 2]])
                    return Embedded(shorter.vectors, shorter.tokens, (True,))
            raise ServiceError(
                f"{self._where}: answered {error.status_code}: {server_words(error)}",
                retryable=error.status_code == 429 or error.status_code >= 500,
            ) from error
        except (openai.OpenAIError, ValueError) as error:
            raise ServiceError(f"{self._where}: answered what is no embedding: {str(error)[:200]}") from error

    def _request(self, texts: Sequence[str]) -> CreateEmbeddingResponse:
        from openai import omit

        return self._client.embeddings.create(
            model=self.config.model,
            input=list(texts),
            encoding_format=self.config.encoding,
            dimensions=self.dim if self.config.ask_dimensions else omit,
        )

    def _read(self, answer: CreateEmbeddingResponse, asked: int) -> Embedded:
        rows = sorted(answer.data, key=lambda row: row.index)
        if [row.index for row in rows] != list(range(asked)):
            raise ServiceError(f"{self._where}: {len(rows)} vectors for {asked} texts")
        vectors = [_numbers(row.embedding) for row in rows]
        widths = {len(vector) for vector in vectors}
        if widths != {self.dim}:
            raise ServiceError(
                f"{self._where}: vectors of width {sorted(widths)}, the configuration says dim={self.dim}"
            )
        read = answer.usage.prompt_tokens if answer.usage else 0
        # Servers count a request; its texts share the count, so that sums over texts are right.
        tokens = tuple(read // asked + (at < read % asked) for at in range(asked))
        return Embedded(unit(np.stack(vectors), self._where), tokens, (False,) * asked)


def _numbers(embedding: Any) -> Floats:
    """Return a vector from a list of numbers, or from base64 of little-endian float32."""
    if isinstance(embedding, str):
        return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4").astype(np.float32)
    return np.asarray(embedding, np.float32)


def _together(parts: Sequence[Embedded]) -> Embedded:
    return Embedded(
        np.concatenate([part.vectors for part in parts]),
        tuple(n for part in parts for n in part.tokens),
        tuple(flag for part in parts for flag in part.cut),
    )
