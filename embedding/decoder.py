"""Text vectors from a transformers decoder (Qwen3-Embedding class): last-token or mean pooling, instructions."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from catalog.vectors import Floats
from embedding.base import Embedded, TextEmbedder, unit
from embedding.opening import MOST_THREADS, check_tokenizer, opening
from embedding.tokens import TokenCounter
from embedding.torch_running import Dtype, quiet_loading, torch_dtype, torch_threads
from embedding.weights import find_model, hidden_size, provenance

if TYPE_CHECKING:
    import torch

Ids = list[int]
Pooling = Literal["last", "mean"]
Side = Literal["left", "right"]

WISH = "Instruct: Given a shopper's wish, retrieve the products that fit it\nQuery:"
"""What Qwen3-Embedding wants before a query, with our task in it; its documents have nothing before them."""


VALID = "the whole folder of a text model that transformers knows (config.json, tokenizer files, .safetensors)"


class DecoderConfig(BaseModel):
    """Which decoder, and how its states become a vector."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    """A folder on this machine, or a name in the local hub cache; nothing is downloaded."""
    name: str = Field("decoder", pattern=r"^[a-z0-9][a-z0-9_.-]*$")
    """Short name, used in the names of embedding spaces."""
    pooling: Pooling = "last"
    """`last` is the state of the last token (Qwen3-Embedding, E5-Mistral), `mean` the mean of all. Changes vectors."""
    instruction: str = ""
    """Put before every item's text. Changes vectors."""
    query_instruction: str = WISH
    """Put before what a shopper asks."""
    append_eos: bool | None = None
    """Whether the end-of-text token is put last. None: as the model's own tokenizer does (Qwen3-Embedding's does);
    E5-Mistral wants true. Changes vectors."""
    padding_side: Side = "left"
    """Where a batch is filled up. Positions are counted from each text's own first token, so that both sides give
    the same vectors; some attention kernels want one of them."""
    dim: int | None = Field(None, ge=1)
    """Keep this many leading columns (Matryoshka models). None: all. Changes vectors."""
    max_tokens: int = Field(512, ge=2)
    """Tokens of a text that are read, instruction included. Changes vectors."""
    batch_size: int = Field(8, ge=1)
    """Texts in one forward pass; they are sorted by length first. With 1 a vector does not depend, to the last bit,
    on its company; else it moves by less than 1e-5 in float32 and 2e-2 in the half-width formats."""
    dtype: Dtype = "float32"
    """How weights are held; `bfloat16` is usual on a GPU. Changes vectors."""
    device: str = "cpu"
    """A torch device."""
    threads: int | None = Field(1, ge=1, le=MOST_THREADS)
    """Torch threads while texts are encoded; None leaves them as they are."""


class Decoder(TextEmbedder):
    """A `TextEmbedder` over `AutoModel`; loads at the first text, and calls from several threads queue.

    Raises:
        ConfigError: When the model's files are not on this machine; at the first text, when they cannot be opened.
    """

    def __init__(self, config: DecoderConfig) -> None:
        self.config = config
        self._folder = find_model(config.model, "embedding.decoder.model")
        self.name = config.name
        self.dim = config.dim or hidden_size(self._folder, "embedding.decoder.model")
        how = f"{config.pooling} {config.dtype} {config.max_tokens} tokens eos={config.append_eos} {self.dim}d"
        self.model = provenance(
            config.model, self._folder, how, *([repr(config.instruction)] * bool(config.instruction))
        )
        self._lock = threading.Lock()

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) float32, each row of length 1, in the order of `texts`."""
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
        bare = TokenCounter(self._folder, 0)
        ends = 2  # at most a token before and one after the text
        return TokenCounter(self._folder, max(1, self.config.max_tokens - ends - bare.count(self.config.instruction)))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.config,)

    def _encode(self, texts: Sequence[str]) -> Embedded:
        if not texts:
            return Embedded(np.zeros((0, self.dim), np.float32))
        import torch

        with self._lock, torch_threads(self.config.threads), torch.inference_mode():
            read, cut = self._tokens(texts)
            order = sorted(range(len(read)), key=lambda at: -len(read[at]))
            rows: list[Any] = [None] * len(read)
            for begin in range(0, len(order), self.config.batch_size):
                chosen = order[begin : begin + self.config.batch_size]
                pooled = self._pooled([read[at] for at in chosen])
                for at, row in zip(chosen, pooled, strict=True):
                    rows[at] = row
        vectors = unit(np.stack(rows)[:, : self.dim], f"decoder {self.config.model!r}")
        return Embedded(vectors, tuple(map(len, read)), tuple(cut))

    def _tokens(self, texts: Sequence[str]) -> tuple[list[Ids], list[bool]]:
        """Return the ids of each text within `max_tokens`, the tokenizer's own special tokens kept."""
        tokenizer = self._tokenizer
        eos, most = tokenizer.eos_token_id, self.config.max_tokens
        found: list[Ids] = list(tokenizer(list(texts), verbose=False)["input_ids"])
        if self.config.append_eos is None:
            cut = [len(ids) > most for ids in found]
            for at in np.flatnonzero(cut).tolist():
                found[at] = tokenizer(texts[at], truncation=True, max_length=most)["input_ids"]
        else:
            room, end = most - self.config.append_eos, [eos] * self.config.append_eos
            found = [_without_last(ids, eos) for ids in found]
            cut = [len(ids) > room for ids in found]
            found = [[*ids[:room], *end] for ids in found]
        # A text without any token still has a vector: that of the end of a text.
        return [ids or [eos if eos is not None else 0] for ids in found], cut

    def _pooled(self, batch: Sequence[Ids]) -> Floats:
        """Return one row a text (b, d), not of length 1."""
        import torch

        width = max(map(len, batch))
        ids = torch.full((len(batch), width), self._filler, dtype=torch.long)
        mask = torch.zeros((len(batch), width), dtype=torch.long)
        for row, tokens in enumerate(batch):
            place = slice(0, len(tokens)) if self.config.padding_side == "right" else slice(width - len(tokens), width)
            ids[row, place], mask[row, place] = torch.tensor(tokens), 1
        inputs = {"input_ids": ids, "attention_mask": mask, "position_ids": (mask.cumsum(1) - 1).clamp(min=0)}
        inputs["use_cache"] = False  # type: ignore[assignment]  # a flag beside tensors
        known = inspect.signature(self._model.forward).parameters
        given = {key: value for key, value in inputs.items() if key in known or "kwargs" in known}
        on_device = {k: v.to(self.config.device) if isinstance(v, torch.Tensor) else v for k, v in given.items()}
        states = self._model(**on_device).last_hidden_state
        return pool(states, mask.to(states.device), self.config.pooling).cpu().numpy()

    @cached_property
    def _filler(self) -> int:
        tokenizer = self._tokenizer
        known = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
        return int(next(token for token in known if token is not None))

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        with opening(self._what, VALID):
            tokenizer = AutoTokenizer.from_pretrained(str(self._folder), local_files_only=True, trust_remote_code=False)
        check_tokenizer(tokenizer, self._what)
        return tokenizer

    @property
    def _what(self) -> str:
        return f"embedding.decoder.model {self.config.model!r} (folder {str(self._folder)!r})"

    @cached_property
    def _model(self) -> Any:
        from transformers import AutoModel

        with opening(self._what, VALID), quiet_loading():
            model = AutoModel.from_pretrained(
                str(self._folder),
                local_files_only=True,
                trust_remote_code=False,  # None, the default, asks at the terminal
                use_safetensors=True,
                dtype=torch_dtype(self.config.dtype),
            )
            return model.to(self.config.device).eval()


def pool(states: torch.Tensor, mask: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """Return one float32 row a text (b, d) of its token states (b, t, d), whichever side the padding stands on.

    Args:
        states: The model's last hidden states.
        mask: (b, t), 1 at a text's own tokens, each text having one at least.
        pooling: `last`: the state of the last own token. `mean`: the mean of all own tokens.
    """
    import torch

    if pooling == "mean":
        weights = mask.unsqueeze(-1).float()
        return (states.float() * weights).sum(1) / weights.sum(1)
    last = mask.shape[1] - 1 - mask.flip(1).argmax(1)
    return states[torch.arange(len(states), device=states.device), last].float()


def _without_last(ids: Ids, eos: int | None) -> Ids:
    return ids[:-1] if ids and ids[-1] == eos else ids
