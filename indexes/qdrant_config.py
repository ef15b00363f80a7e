"""Where Qdrant is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

API_KEY = "VITRINE_QDRANT_API_KEY"
"""Environment variable of the server's key; a secret, so never a setting."""


class QdrantConfig(BaseModel):
    """A Qdrant server. Its key, where it wants one, comes by the environment variable `VITRINE_QDRANT_API_KEY`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field("http://127.0.0.1:6333", pattern=r"^https?://[^\s/]+")
    """Address of the server's HTTP interface."""
    prefix: str = Field("vitrine", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    """What the names of our collections begin with; stores that share a server need different ones."""
    timeout_seconds: float = Field(10.0, gt=0)
    """Longest wait for one answer."""
    batch: int = Field(1_000, ge=1)
    """Vectors sent in one request."""
    exact: bool = False
    """Whether the server searches every vector in place of its graph."""
