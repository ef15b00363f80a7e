"""Text vectors from vLLM in this process: `LLM(runner="pooling").embed`."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import ConfigError, ServiceError
from catalog.vectors import Floats
from embedding.base import Embedded, TextEmbedder, unit
from embedding.decoder import WISH
from embedding.tokens import TokenCounter
from embedding.weights import find_model, hidden_size, provenance

if TYPE_CHECKING:
    from vllm import LLM

SETTING = "embedding.vllm.model"


class VllmPoolingConfig(BaseModel):
    """Which model vLLM runs, and with how much of the GPU."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    """A folder on this machine, or a name in the local hub cache; nothing is downloaded."""
    name: str = Field("vllm", pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    """Short name, used in the names of embedding spaces."""
    pooling: Literal["LAST", "MEAN", "CLS"] | None = None
    """How states become a vector. None: as the model's own files say, which is right for published embedding models.
    Changes vectors."""
    convert: Literal["auto", "embed"] = "auto"
    """`embed` makes an embedding model of one that was published to generate."""
    instruction: str = ""
    """Put before every item's text. Changes vectors."""
    query_instruction: str = WISH
    """Put before what a shopper asks."""
    dim: int | None = Field(None, ge=1)
    """Keep this many leading columns (Matryoshka models). None: all. Changes vectors."""
    max_tokens: int = Field(512, ge=2)
    """Tokens of a text that are read, instruction included. Changes vectors."""
    batch_size: int = Field(256, ge=1)
    """Texts handed to vLLM at once; it schedules them itself."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """How weights are held. Changes vectors."""
    gpu_memory_utilization: float = Field(0.9, gt=0, le=1)
    """Share of the GPU's memory that vLLM takes."""
    tensor_parallel_size: int = Field(1, ge=1)
    """GPUs one copy of the model is spread over."""
    enforce_eager: bool = False
    """Leave CUDA graphs out: quicker to start, slower to run."""


class VllmPooling(TextEmbedder):
    """A `TextEmbedder` over vLLM's offline engine; starts at the first text, and calls from several threads queue.

    vLLM puts texts of several calls into one batch, so that a vector moves with its company: by less than 1e-5 in
    float32, 2e-2 in the half-width formats.

    Raises:
        ConfigError: When the model's files are not on this machine.
    """

    def __init__(self, config: VllmPoolingConfig) -> None:
        self.config = config
        self._folder = find_model(config.model, SETTING)
        self.name = config.name
        self.dim = config.dim or hidden_size(self._folder, SETTING)
        how = f"vllm {config.pooling or 'own'} {config.dtype} {config.max_tokens} tokens {self.dim}d"
        said = [repr(config.instruction)] if config.instruction else []
        self.model = provenance(config.model, self._folder, how, *said)
        self._where = f"vLLM model {config.model!r}"
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) float32, each row of length 1, in the order of `texts`.

        Raises:
            ConfigError: When vLLM is not installed.
            ServiceError: When its vectors have another width than the model's files say.
        """
        return self.embed_counted(texts).vectors

    def embed_queries(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) as `embed` does, under the instruction for queries."""
        return self._encode([self.config.query_instruction + text for text in texts]).vectors

    def embed_counted(self, texts: Sequence[str]) -> Embedded:
        """Return what `embed` returns, and how much was read."""
        return self._encode([self.config.instruction + text for text in texts])

    def counter(self) -> TokenCounter | None:
        """Return what counts its tokens, where its tokenizer is one file."""
        if not TokenCounter.stands_in(self._folder):
            return None
        asked = TokenCounter(self._folder, 0).count(self.config.instruction)
        return TokenCounter(self._folder, max(1, self.config.max_tokens - 2 - asked))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.config,)

    def _encode(self, texts: Sequence[str]) -> Embedded:
        if not texts:
            return Embedded(np.zeros((0, self.dim), np.float32))
        with self._lock:
            read, cut = self._tokens(texts)
            answers = []
            for at in range(0, len(read), self.config.batch_size):
                prompts = [{"prompt_token_ids": ids} for ids in read[at : at + self.config.batch_size]]
                answers += self._engine.embed(prompts, use_tqdm=False)
        vectors = np.array([answer.outputs.embedding for answer in answers], np.float32)
        if vectors.shape[1] < self.dim or (self.config.dim is None and vectors.shape[1] != self.dim):
            raise ServiceError(
                f"{self._where}: vectors of width {vectors.shape[1]}, its files say {self.dim}; "
                f"embedding.vllm.dim = {vectors.shape[1]} would be valid"
            )
        return Embedded(unit(vectors[:, : self.dim], self._where), tuple(map(len, read)), tuple(cut))

    def _tokens(self, texts: Sequence[str]) -> tuple[list[list[int]], list[bool]]:
        """Return the ids of each text: vLLM refuses what is too long, so it is cut here, special tokens kept."""
        tokenizer = self._engine.get_tokenizer()
        found: list[list[int]] = []
        cut: list[bool] = []
        for text in texts:
            ids = tokenizer.encode(text)
            cut.append(len(ids) > self.config.max_tokens)
            if cut[-1]:
                ids = tokenizer.encode(text, truncation=True, max_length=self.config.max_tokens)
            # vLLM refuses a prompt without a token.
            found.append(ids or [tokenizer.eos_token_id or 0])
        return found, cut

    @cached_property
    def _engine(self) -> LLM:
        if importlib.util.find_spec("vllm") is None:
            raise ConfigError(
                "embedding.embedder is 'vllm', which is not installed: pip install -e '.[gpu]' -c "
                "constraints-gpu.txt in the checkout, or a server of its own with embedding.embedder 'openai', "
                "would be valid"
            )
        from vllm import LLM
        from vllm.config import PoolerConfig

        return LLM(
            model=str(self._folder),
            runner="pooling",
            convert=self.config.convert,
            dtype=self.config.dtype,
            max_model_len=self.config.max_tokens,
            gpu_memory_utilization=self.config.gpu_memory_utilization,
            tensor_parallel_size=self.config.tensor_parallel_size,
            enforce_eager=self.config.enforce_eager,
            pooler_config=PoolerConfig(pooling_type=self.config.pooling) if self.config.pooling else None,
        )
