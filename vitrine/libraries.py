"""Which libraries the workers of a shop will import in any case, so that they may share them (`api.preloading`)."""

from __future__ import annotations

from vitrine.settings import Settings
from vitrine.wiring import picture_config

SERVING = (
    "fastapi",
    "uvicorn",
    "mcp.server.streamable_http_manager",
    "sqlalchemy",
    "scipy.sparse",
    "faiss",
    "lightgbm",
    "llama_index.core.agent.workflow",
    "openai",
)
SENTENCES = ("torch", "transformers", "sentence_transformers")
PICTURES = ("torch", "open_clip")


def shared_libraries(settings: Settings) -> tuple[str, ...]:
    """Return their names.

    A model on a GPU keeps torch out: who asks for the GPU before a fork has none after it.
    """
    if not settings.api.share_libraries:
        return ()
    chosen, pictures = settings.embedding, picture_config(settings)
    embedder = {"minilm": chosen.minilm, "sentence": chosen.sentence}.get(chosen.embedder)
    sentences = SENTENCES if embedder is not None and embedder.device == "cpu" else ()
    seeing = PICTURES if pictures is not None and pictures.device == "cpu" else ()
    if pictures is not None and not seeing:
        sentences = ()
    return tuple(dict.fromkeys((*SERVING, *sentences, *seeing)))
