"""A tiny OpenAI-compatible embedding server for tests: its vectors hash the text, and it misbehaves on request."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from batch.scripted_http import ScriptedServer


class EmbeddingServer(ScriptedServer):
    """Serves `/v1/embeddings`, vectors `dim` wide.

    Acts: an HTTP status, "short" (a vector too few), "wide" (one number too many), "zero", "honest".
    """

    def __init__(self, dim: int, script: Sequence[str] = ()) -> None:
        super().__init__(script)
        self.dim = dim

    def vector(self, text: str) -> list[float]:
        """Return the vector of a text, not of length 1."""
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        return [float(x) for x in np.random.default_rng(seed).normal(size=self.dim)]

    def answer(self, act: str, request: dict[str, Any]) -> dict[str, Any]:
        """Return a list of embeddings."""
        vectors = [self.vector(text) for text in request["input"]]
        if act == "wide":
            vectors = [[*vector, 0.0] for vector in vectors]
        if act == "zero":
            vectors[0] = [0.0] * self.dim
        data = [{"object": "embedding", "index": at, "embedding": vector} for at, vector in enumerate(vectors)]
        # The protocol orders by `index`, not by position: an honest server may answer in any order.
        data.reverse()
        if act == "short":
            data.pop()
        usage = {"prompt_tokens": 0, "total_tokens": 0}
        return {"object": "list", "model": request["model"], "data": data, "usage": usage}
