"""Runs in vLLM's own interpreter: vectors by `VllmPooling`."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    asked = json.load(sys.stdin)

    from embedding.vllm_pooling import VllmPooling, VllmPoolingConfig

    embedder = VllmPooling(VllmPoolingConfig(**asked["config"]))
    counted = embedder.embed_counted(asked["texts"])
    found = {
        "vectors": counted.vectors.tolist(),
        "tokens": list(counted.tokens),
        "cut": list(counted.cut),
        "queries": embedder.embed_queries(asked["texts"][:1]).tolist(),
        "model": embedder.model,
    }
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":  # vLLM's engine is a process of its own, which reads this file again
    main()
