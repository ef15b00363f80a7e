"""Text vectors from any OpenAI-compatible `/v1/embeddings` server: vLLM pooling models, or a hosted one."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from batch.side_by_side import side_by_side
from catalog.errors import ServiceError
from catalog.plain_text import one_line
from catalog.server_answers import BadAnswer, answer_object, kind_of, token_count
from catalog.server_words import server_words
from catalog.vectors import Floats
from embedding.base import Embedded, TextEmbedder

if TYPE_CHECKING:
    from openai import OpenAI

_TOO_LONG = re.compile(r"context|too long|maximum.*length|max.*tokens|token limit|exceed", re.IGNORECASE)
_REFUSED = (400, 413, 422)
_NUMBER_BYTES, _SLACK_BYTES = 64, 4_000_000
"""Of an answer: of one number at most, indented and with all its digits, and of what stands around them."""
BAD = 4
"""Texts, all of one batch and none with a usable vector, from which on the model counts as broken."""


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
    """How long one try may take in all, from connecting to the last byte."""
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
        return self._all(self.embed_counted(texts))

    def embed_queries(self, texts: Sequence[str]) -> Floats:
        """Return (n, dim) as `embed` does, under the instruction for queries."""
        asked = self.config.query_instruction
        return self._all(self._embed([(self.config.instruction if asked is None else asked) + text for text in texts]))

    def embed_counted(self, texts: Sequence[str]) -> Embedded:
        """Return what `embed` returns, with the tokens the server counted, spread over the texts of a request.

        A vector that is zero or not finite is a fault of its text, where others of the batch have one.

        Raises:
            ServiceError: As `embed`, but for a vector that is zero or not finite; when all of a batch of four or more
                are.
        """
        return self._embed([self.config.instruction + text for text in texts])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.config,)

    def _embed(self, texts: Sequence[str]) -> Embedded:
        size = self.config.batch_size
        chunks = [[text or " " for text in texts[at : at + size]] for at in range(0, len(texts), size)]
        if not chunks:
            return Embedded(np.zeros((0, self.dim), np.float32))
        found = _together(side_by_side(self._ask, chunks, self.config.concurrency, "embed"))
        if len(texts) >= BAD and all(found.faults):
            raise ServiceError(
                f"{self._where}: all {len(texts)} vectors of a batch are bad, the first {found.faults[0]}"
            )
        return found

    def _all(self, found: Embedded) -> Floats:
        """Return the vectors.

        Raises:
            ServiceError: When a text has none.
        """
        for at, fault in enumerate(found.faults):
            if fault is not None:
                raise ServiceError(f"{self._where}: a vector {fault} (text {at} of {len(found.faults)})")
        return found.vectors

    @cached_property
    def _key(self) -> str:
        from catalog.server_client import api_key

        return api_key(self.config.api_key_env)

    @cached_property
    def _client(self) -> OpenAI:
        from catalog.server_client import server_client

        return server_client(
            self.config.base_url,
            self._key,
            seconds=self.config.timeout_seconds,
            retries=self.config.retries,
            most_bytes=_SLACK_BYTES + self.config.batch_size * self.dim * _NUMBER_BYTES,
        )

    def _ask(self, texts: Sequence[str]) -> Embedded:
        import httpx
        import openai

        from catalog.server_client import broke_off, redirected

        try:
            answer = self._client.post("/embeddings", body=self._body(texts), cast_to=httpx.Response)
            return self._read(answer_object(answer.content, answer.headers.get("content-type", "")), len(texts))
        except BadAnswer as error:
            raise ServiceError(f"{self._where}: answered what is no embedding: {error}") from error
        except openai.APITimeoutError as error:
            seconds = self.config.timeout_seconds
            raise ServiceError(f"{self._where}: no answer within {seconds:g} s", retryable=True) from error
        except openai.APIConnectionError as error:
            what = "the answer broke off" if broke_off(error) else "cannot be reached"
            raise ServiceError(f"{self._where}: {what}: {server_words(error, self._key)}", retryable=True) from error
        except openai.APIStatusError as error:
            if error.status_code in _REFUSED and _TOO_LONG.search(error.message):
                if len(texts) > 1:
                    middle = len(texts) // 2
                    return _together([self._ask(texts[:middle]), self._ask(texts[middle:])])
                if len(texts[0]) > 1:
                    shorter = self._ask([texts[0][: len(texts[0]) // 2]])
                    return Embedded(shorter.vectors, shorter.tokens, (True,), shorter.faults)
            redirect = redirected(error)
            raise ServiceError(
                f"{self._where}: {redirect or f'answered {error.status_code}: {server_words(error, self._key)}'}",
                retryable=error.status_code == 429 or error.status_code >= 500,
            ) from error
        except openai.OpenAIError as error:
            words = server_words(error, self._key)
            raise ServiceError(f"{self._where}: answered what is no embedding: {words}") from error

    def _body(self, texts: Sequence[str]) -> dict[str, Any]:
        asked: dict[str, Any] = {"dimensions": self.dim} if self.config.ask_dimensions else {}
        return {
            "model": self.config.model,
            "input": list(texts),
            "encoding_format": self.config.encoding,
            **asked,
        }

    def _read(self, body: Mapping[str, Any], asked: int) -> Embedded:
        """Return the vectors of an answer in the order of their texts.

        Raises:
            BadAnswer: When it is of another form.
            ServiceError: When there are fewer or more, or of another width.
        """
        rows = body.get("data")
        if not isinstance(rows, list):
            raise BadAnswer(f"data is {kind_of(rows)}; a list would be valid")
        if len(rows) != asked:
            raise ServiceError(f"{self._where}: {len(rows)} vectors for {asked} texts")
        by_text: dict[int, Floats] = {}
        for row in rows:
            at = _place(row, asked)
            if at in by_text:
                raise BadAnswer(f"index {at} comes twice")
            by_text[at] = _numbers(row.get("embedding"), at)
        vectors = [by_text[at] for at in range(asked)]
        widths = {len(vector) for vector in vectors}
        if widths != {self.dim}:
            raise ServiceError(
                f"{self._where}: vectors of width {sorted(widths)}, the configuration says dim={self.dim}"
            )
        read = token_count(body.get("usage"), "prompt_tokens") or 0
        # Servers count a request; its texts share the count, so that sums over texts are right.
        tokens = tuple(read // asked + (at < read % asked) for at in range(asked))
        found, faults = _units(np.stack(vectors))
        return Embedded(found, tokens, (False,) * asked, faults)


def _place(row: object, asked: int) -> int:
    """Return which text a row of an answer is of."""
    if not isinstance(row, dict):
        raise BadAnswer(f"a row of data is {kind_of(row)}; an object would be valid")
    at = row.get("index")
    if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < asked:
        told = "missing" if at is None else one_line(repr(at)[:40])
        raise BadAnswer(f"index is {told}; 0 to {asked - 1} would be valid")
    return at


def _numbers(embedding: object, at: int) -> Floats:
    """Return a vector from a list of numbers, or from base64 of little-endian float32; null is no number, NaN."""
    try:
        if isinstance(embedding, str):
            return np.frombuffer(base64.b64decode(embedding, validate=True), "<f4").astype(np.float32)
    except ValueError as error:
        raise BadAnswer(f"the vector of text {at} is a text that is no base64 of float32: {error}") from error
    if not isinstance(embedding, list):
        raise BadAnswer(f"the vector of text {at} is {kind_of(embedding)}; a list of numbers would be valid")
    kinds = {type(value) for value in embedding}
    if wrong := kinds - {float, int, type(None)}:
        odd = next(value for value in embedding if type(value) in wrong)
        raise BadAnswer(f"the vector of text {at} holds {kind_of(odd)} where a number belongs")
    try:
        with np.errstate(over="ignore"):
            return np.array(embedding, np.float64).astype(np.float32)
    except OverflowError:  # an integer of hundreds of digits
        return np.full(len(embedding), np.nan, np.float32)


def _units(vectors: Floats) -> tuple[Floats, tuple[str | None, ...]]:
    """Return rows at length 1, zeros where that cannot be, and why."""
    with np.errstate(all="ignore"):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        good = np.isfinite(lengths) & (lengths > 0)
        rows = np.where(good, vectors / np.where(good, lengths, 1), 0)
    faults = tuple(
        None if fine else "is zero" if length == 0 else "is not finite"
        for fine, length in zip(good.ravel(), lengths.ravel(), strict=True)
    )
    return np.ascontiguousarray(rows, np.float32), faults


def _together(parts: Sequence[Embedded]) -> Embedded:
    return Embedded(
        np.concatenate([part.vectors for part in parts]),
        tuple(n for part in parts for n in part.tokens),
        tuple(flag for part in parts for flag in part.cut),
        tuple(fault for part in parts for fault in part.faults),
    )
