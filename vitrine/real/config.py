"""What may be told about the road; `vitrine real` itself takes the data and the three models."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Role = Literal["captions", "embeddings", "agent"]
ROLES: tuple[Role, ...] = ("captions", "embeddings", "agent")


class RealConfig(BaseModel):
    """Where things are put, how model servers are started, and what is assumed of this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Path("data")
    """Folder below which fetched data sets lie, as with `vitrine fetch`."""
    models: Path | None = None
    """Where models of the hub are kept. None: the hub's own cache (`HF_HOME`), which other projects share."""
    k_core: int | None = Field(5, ge=1)
    """Keep only users of k items and items of k users; None keeps everybody. Changes what is imported."""
    pictures: int = Field(1, ge=0)
    """Pictures of an item that are brought and captioned; on this road in place of `captions.job.images_per_item`."""
    videos: int = Field(0, ge=0)
    """Likewise videos, in place of `captions.job.videos_per_item`; most addresses of Amazon's are pages, not files."""
    protocol: Literal["mmrec", "last", "temporal"] = "mmrec"
    """By which split the models are compared: `mmrec`, `last` or `temporal`."""
    compared: tuple[str, ...] = ("popularity", "itemknn", "lirdrec")
    """Models that are compared, each fitted afresh."""
    vllm: tuple[str, ...] = Field(("vllm", "serve"), min_length=1)
    """Command that starts a model server; the model's folder and the flags follow."""
    flags: dict[Role, tuple[str, ...]] = Field(default_factory=dict)
    """Further flags by role, e.g. `{captions = ["--dtype", "half"]}`; they come last, so they win."""
    tool_parser: str | None = None
    """How the agent's model writes tool calls (`--tool-call-parser`). None: by the kind of the model."""
    device: Literal["gpu", "cpu"] = "gpu"
    """`cpu` is for a vLLM built for processors: no GPU memory is reckoned, and servers run one after another."""
    gpu_gb: float | None = Field(None, gt=0)
    """Memory of one GPU in GB (1e9 bytes); None asks nvidia-smi."""
    gpus: int | None = Field(None, ge=1)
    """How many are used; None asks nvidia-smi."""
    start_seconds: float = Field(1800.0, gt=0)
    """How long a model server may take until it answers; large weights on a slow disk take many minutes."""
    stop_seconds: float = Field(30.0, gt=0)
    """How long a server that is told to end may take before it is killed."""
    keep_free_gb: float = Field(5.0, ge=0)
    """Disk space that must be left over when all is done."""
    megabits: float = Field(200.0, gt=0)
    """Megabits a second that downloads are reckoned with."""
    cores: int | None = Field(None, ge=1)
    """Processor cores that the work without a GPU is reckoned with; None: those of this machine."""
