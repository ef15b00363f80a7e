"""A tiny OpenAI-compatible embedding server for tests: its vectors hash the text, and it misbehaves on request."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from batch.scripted_http import ScriptedServer


class EmbeddingServer(ScriptedServer):
    """Serves `/v1/embeddings`, vectors `dim` wide; a word is a token.

    Acts: an HTTP status, "short" (a vector too few), "wide" (one number too many), "zero", "honest".

    Args:
        dim: Width of a vector, unless a request asks for fewer `dimensions`.
        script: Acts of the first requests.
        max_words: A request with a longer text is refused with 400, as vLLM does beyond its context.
    """

    def __init__(self, dim: int, script: Sequence[str] = (), *, max_words: int | None = None) -> None:
        super().__init__(script)
        self.dim = dim
        self.max_words = max_words

    def vector(self, text: str) -> list[float]:
        """Return the vector of a text, not of length 1."""
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return [float(x) for x in np.random.default_rng(seed).normal(size=self.dim)]

    def next_act(self, request: dict[str, Any]) -> str:
        """Return the script's act, or a refusal of what is too long."""
        act = super().next_act(request)
        longest = max((len(text.split()) for text in request["input"]), default=0)
        return (
            "400 This model's maximum context length is exceeded"
            if self.max_words is not None and longest > self.max_words
            else act
        )

    def answer(self, act: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return a list of embeddings."""
        vectors = [self.vector(text)[: request.get("dimensions", self.dim)] for text in request["input"]]
        if act == "wide":
            vectors = [[*vector, 0.0] for vector in vectors]
        if act == "zero":
            vectors[0] = [0.0] * self.dim
        data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
        if request.get("encoding_format") == "base64":
            for row, vector in zip(data, vectors, strict=True):
                row["embedding"] = base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
        # The protocol orders by `index`, not by position: an honest server may answer in any order.
        data.reverse()
        if act == "short":
            data.pop()
        words = sum(len(text.split()) for text in request["input"])
        usage = {"prompt_tokens": words, "total_tokens": words}
        return {"object": "list", "model": request["model"], "data": data, "usage": usage}
