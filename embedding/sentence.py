"""Text vectors from any sentence-transformers model: a folder, or a name in the local cache."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import ConfigError, did_you_mean
from catalog.vectors import Floats
from embedding.base import Embedded, TextEmbedder, unit
from embedding.opening import MOST_THREADS, check_tokenizer, opening
from embedding.tokens import TokenCounter
from embedding.torch_running import Dtype, quiet_loading, torch_dtype, torch_threads
from embedding.weights import find_model, hidden_size, provenance, read_json

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

SETTING = "embedding.sentence.model"
VALID = "the whole folder of a sentence-transformers model (modules.json, config.json, tokenizer files, .safetensors)"
_ENDS = 2
"""Special tokens that may stand around a text."""


class SentenceConfig(BaseModel):
    """Which sentence-transformers model, and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    """A folder on this machine, or a name in the local hub cache; nothing is downloaded."""
    name: str = Field("sentence", pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    """Short name, used in the names of embedding spaces."""
    document_prompt: str | None = None
    """Name of the model's own prompt put before an item's text, such as `document` or `passage`. None: the one the
    model calls `document` where it has one, else its default one. Changes vectors."""
    query_prompt: str | None = None
    """Name of the prompt put before what a shopper asks. None: the one the model calls `query` where it has one."""
    prompts: dict[str, str] = Field(default_factory=dict)
    """Prompts by name, beside the model's own or in their place, e.g. `{query = "query: "}`. Changes vectors."""
    truncate_dim: int | None = Field(None, ge=1)
    """Keep this many leading columns (Matryoshka models). None: all. Changes vectors."""
    max_tokens: int | None = Field(None, ge=2)
    """Tokens of a text that are read. None: as the model says. Changes vectors."""
    batch_size: int = Field(8, ge=1)
    """Texts in one forward pass. With 1 a vector does not depend, to the last bit, on its company; else it moves by
    less than 1e-5 in float32 and 2e-2 in the half-width formats."""
    dtype: Dtype = "float32"
    """How weights are held; `bfloat16` is usual on a GPU. Changes vectors."""
    device: str = "cpu"
    """A torch device."""
    threads: int | None = Field(1, ge=1, le=MOST_THREADS)
    """Torch threads while texts are encoded; None leaves them as they are."""


class Sentence(TextEmbedder):
    """A `TextEmbedder` over `SentenceTransformer`; loads at the first text, and calls from several threads queue.

    Raises:
        ConfigError: When the model's files are not on this machine, do not say how wide its vectors are, or have no
            prompt of the name asked for; at the first text, when they cannot be opened.
    """

    def __init__(self, config: SentenceConfig) -> None:
        self.config = config
        self._folder = find_model(config.model, SETTING)
        told = read_json(self._folder / "config_sentence_transformers.json", SETTING)
        self._prompts: dict[str, str] = {**(told.get("prompts") or {}), **config.prompts}
        self._document = self._prompt(config.document_prompt, ("document", str(told.get("default_prompt_name"))))
        self._query = self._prompt(config.query_prompt, ("query",))
        self.name = config.name
        self.dim = config.truncate_dim or _width(self._folder)
        how = f"{config.dtype} {config.max_tokens} tokens {self.dim}d"
        self.model = provenance(config.model, self._folder, how, *([repr(self._document)] * bool(self._document)))
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) float32, each row of length 1, in the order of `texts`."""
        return self._encode(texts, self._document)

    def embed_queries(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) as `embed` does, under the model's prompt for queries."""
        return self._encode(texts, self._query)

    def embed_counted(self, texts: Sequence[str]) -> Embedded:
        """Return what `embed` returns, and how much was read as far as the tokenizer's own file tells."""
        vectors, counter = self.embed(texts), self.counter()
        if counter is None:
            return Embedded(vectors)
        tokens = [counter.count(self._document + text) + _ENDS for text in texts]
        return Embedded(vectors, tuple(min(n, self._most) for n in tokens), tuple(n > self._most for n in tokens))

    def counter(self) -> TokenCounter | None:
        """Return what counts its tokens, where its tokenizer is one file."""
        for folder in (self._folder, self._folder / "0_Transformer"):
            if TokenCounter.stands_in(folder):
                prompt = TokenCounter(folder, 0).count(self._document) if self._document else 0
                return TokenCounter(folder, max(1, self._most - _ENDS - prompt))
        return None

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.config,)

    def _encode(self, texts: Sequence[str], prompt: str) -> Floats:
        if not texts:
            return np.zeros((0, self.dim), np.float32)
        with self._lock, torch_threads(self.config.threads):
            vectors = self._encoder.encode(
                list(texts),
                prompt=prompt,
                batch_size=self.config.batch_size,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return unit(vectors, f"sentence model {self.config.model!r}")

    def _prompt(self, name: str | None, usual: tuple[str, ...]) -> str:
        if name is None:
            return next((self._prompts[each] for each in usual if each in self._prompts), "")
        if name not in self._prompts:
            near = did_you_mean(name, list(self._prompts))
            raise ConfigError(f"embedding.sentence: model {self.config.model!r} has no prompt {name!r}. {near}")
        return self._prompts[name]

    @cached_property
    def _most(self) -> int:
        """Tokens of a text that the model reads, as its files say."""
        if self.config.max_tokens is not None:
            return self.config.max_tokens
        for folder in (self._folder, self._folder / "0_Transformer"):
            told = read_json(folder / "sentence_bert_config.json", SETTING).get("max_seq_length")
            tokens = read_json(folder / "tokenizer_config.json", SETTING).get("model_max_length")
            states = read_json(folder / "config.json", SETTING).get("max_position_embeddings")
            known = [int(n) for n in ((told,) if told else (tokens, states)) if isinstance(n, int | float)]
            if known:
                return min(known)
        return 512

    @cached_property
    def _encoder(self) -> SentenceTransformer:
        from sentence_transformers import SentenceTransformer

        what = f"{SETTING} {self.config.model!r} (folder {str(self._folder)!r})"
        with opening(what, VALID), quiet_loading():
            encoder = SentenceTransformer(
                str(self._folder),
                device=self.config.device,
                local_files_only=True,
                trust_remote_code=False,
                truncate_dim=self.config.truncate_dim,
                model_kwargs={"dtype": torch_dtype(self.config.dtype), "use_safetensors": True},
            )
        check_tokenizer(encoder.tokenizer, what)
        if self.config.max_tokens is not None:
            encoder.max_seq_length = self.config.max_tokens
        width = encoder.get_embedding_dimension()
        if width not in (None, self.dim):
            raise ConfigError(
                f"{SETTING} is {self.config.model!r}: its vectors are {width} wide, its files say {self.dim}"
            )
        return encoder


def _width(folder: Path) -> int:
    """Return how wide the vectors are, from the files alone: the last module that changes the width says so."""
    modules = folder / "modules.json"
    if not modules.is_file():
        return hidden_size(folder, SETTING)
    import json

    for module in reversed(json.loads(modules.read_text(encoding="utf-8"))):
        config = read_json(folder / str(module.get("path", "")) / "config.json", SETTING)
        if isinstance(config.get("out_features"), int):
            return int(config["out_features"])
        for key in ("embedding_dimension", "word_embedding_dimension"):
            if isinstance(config.get(key), int):
                return int(config[key]) * _modes(config)
        if str(module.get("type", "")).endswith("Transformer"):
            return hidden_size(folder / str(module.get("path", "")), SETTING)
    raise ConfigError(
        f"{SETTING}: {str(modules)!r} does not say how wide the vectors are; set embedding.sentence.truncate_dim to it"
    )


def _modes(pooling: dict[str, Any]) -> int:
    told = pooling.get("pooling_mode")
    if told is not None:
        return 1 if isinstance(told, str) else len(told)
    return max(1, sum(value is True for key, value in pooling.items() if key.startswith("pooling_mode_")))
