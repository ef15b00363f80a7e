"""Which model server gets which part of which GPU: side by side where all fit, else one after the other.

The arithmetic of docs/models.md: vLLM takes `USABLE` of a GPU, from that go the weights and what work takes, and the
rest is KV cache.
"""

from __future__ import annotations

import math
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.errors import ConfigError
from vitrine.real.checkpoints import Checkpoint
from vitrine.real.config import RealConfig, Role

USABLE = 0.92
GB = 1e9
TOKENS: dict[Role, int] = {"captions": 1_100, "embeddings": 512, "agent": 16_384}
"""KV cache of one request: a picture with its prompt and answer, an item's text, a conversation."""
LEAST: dict[Role, int] = {"captions": 8, "embeddings": 8, "agent": 1}
"""Requests that must fit at once for a server to be worth starting."""
MOST: dict[Role, int] = {"captions": 256, "embeddings": 512, "agent": 128}
WORK_GB: dict[Role, float] = {"captions": 3.0, "embeddings": 2.0, "agent": 2.5}
"""Activations, vision tower and graphs; a fiftieth of the weights comes on top."""
HEADROOM: dict[Role, float] = {"captions": 24.0, "embeddings": 4.0, "agent": 8.0}
"""GB of KV cache beyond which more brings little; what servers side by side share in this proportion."""


@dataclass(frozen=True, slots=True)
class Gpus:
    """What this machine has; `count` 0 is none."""

    count: int
    gb: float


@dataclass(frozen=True, slots=True)
class Placement:
    """Where one server runs.

    Attributes:
        devices: Numbers of its GPUs; none: a vLLM for processors.
        share: Part of each GPU's memory it takes (`--gpu-memory-utilization`).
        replicas: Whole models side by side (`--data-parallel-size`).
        slices: GPUs that one model is cut over (`--tensor-parallel-size`).
        sequences: Requests worth having in flight (`--max-num-seqs`).
    """

    devices: tuple[int, ...] = ()
    share: float = USABLE
    replicas: int = 1
    slices: int = 1
    sequences: int = 16


Phase = tuple[Role, ...]
CAPTION: Phase = ("captions",)
EMBED: Phase = ("embeddings",)
SHOP: Phase = ("embeddings", "agent")
PHASES: tuple[Phase, ...] = (CAPTION, EMBED, SHOP)
"""Which servers are needed at once; the shop embeds what shoppers ask for."""


@dataclass(frozen=True)
class Layout:
    """Where the servers of each phase run.

    Attributes:
        together: Whether all of them run side by side from first use to last.
        places: By phase, of the roles that need a server.
    """

    together: bool
    places: Mapping[Phase, Mapping[Role, Placement]] = field(default_factory=dict)


def find_gpus(config: RealConfig) -> Gpus:
    """Return the GPUs of this machine, as the settings or nvidia-smi say; none where neither does."""
    if config.device == "cpu":
        return Gpus(0, 0.0)
    if config.gpu_gb is not None:
        return Gpus(config.gpus or 1, config.gpu_gb)
    try:
        asked = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
        told = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=True).stdout.split()
        sizes = [float(mib) * 2**20 / GB for mib in told]
    except (OSError, subprocess.SubprocessError, ValueError):
        return Gpus(0, 0.0)
    return Gpus(min(len(sizes), config.gpus or len(sizes)), min(sizes)) if sizes else Gpus(0, 0.0)


def lay_out(models: Mapping[Role, Checkpoint], gpus: Gpus) -> Layout:
    """Place the servers.

    Args:
        models: By role, those that a server is started for.
        gpus: What there is; none: one server after the other on processors.

    Raises:
        ConfigError: When a model, or the two of the open shop, do not fit; the text has the figures.
    """
    if not gpus.count:
        places = {phase: {role: Placement() for role in phase if role in models} for phase in PHASES}
        return Layout(False, places)
    usable = USABLE * gpus.gb
    if len(models) > 1 and sum(need_gb(role, models[role]) for role in models) <= usable:
        one = _share(models, gpus, (0,))
        return Layout(True, {phase: {role: one[role] for role in phase if role in models} for phase in PHASES})
    return Layout(False, {phase: _phase({r: models[r] for r in phase if r in models}, gpus) for phase in PHASES})


def need_gb(role: Role, model: Checkpoint, slices: int = 1) -> float:
    """Return the GB of each GPU that a server needs at the least."""
    tokens = min(TOKENS[role], model.positions) * LEAST[role]
    held = (1.02 * model.weights + tokens * model.token_bytes) / slices
    return held / GB + WORK_GB[role]


def _phase(models: Mapping[Role, Checkpoint], gpus: Gpus) -> dict[Role, Placement]:
    """Place what one phase needs, on all GPUs."""
    if len(models) < 2:
        return {role: _alone(role, model, gpus, tuple(range(gpus.count))) for role, model in models.items()}
    if gpus.count > 1:  # the agent's model is the larger: it gets all GPUs but the first
        return {
            "embeddings": _alone("embeddings", models["embeddings"], gpus, (0,)),
            "agent": _alone("agent", models["agent"], gpus, tuple(range(1, gpus.count))),
        }
    needs = {role: need_gb(role, model) for role, model in models.items()}
    if sum(needs.values()) > USABLE * gpus.gb:
        told = " and ".join(f"{models[role].name} {need:.1f} GB" for role, need in needs.items())
        raise ConfigError(
            f"the open shop needs {told} of GPU memory at once, and one GPU of {gpus.gb:.0f} GB gives "
            f"{USABLE * gpus.gb:.1f}; smaller ones, FP8 folders, --llm planner or --embedder minilm would be valid"
        )
    return _share(models, gpus, (0,))


def _alone(role: Role, model: Checkpoint, gpus: Gpus, devices: tuple[int, ...]) -> Placement:
    """Give one model all of some GPUs: replicas where it fits one, else slices."""
    usable = USABLE * gpus.gb
    slices = 1
    while need_gb(role, model, slices) > usable:
        slices *= 2
        if slices > len(devices):
            raise ConfigError(
                f"{model.name} needs {need_gb(role, model):.1f} GB of GPU memory, and {len(devices)} of {gpus.gb:.0f} "
                f"GB give {usable * len(devices):.1f}; a smaller model or an FP8 folder would be valid"
            )
    held = devices[: slices * (len(devices) // slices)]
    return Placement(held, USABLE, len(held) // slices, slices, _sequences(role, model, usable, slices))


def _share(models: Mapping[Role, Checkpoint], gpus: Gpus, devices: tuple[int, ...]) -> dict[Role, Placement]:
    """Give each what it needs of one GPU, and of the rest as much as it can use."""
    needs = {role: need_gb(role, model) for role, model in models.items()}
    rest, wanted = USABLE * gpus.gb - sum(needs.values()), sum(HEADROOM[role] for role in models)
    places: dict[Role, Placement] = {}
    for role, model in models.items():
        gb = needs[role] + rest * HEADROOM[role] / wanted
        share = math.floor(100 * gb / gpus.gb) / 100
        places[role] = Placement(devices, share, sequences=_sequences(role, model, share * gpus.gb, 1))
    return places


def _sequences(role: Role, model: Checkpoint, gb: float, slices: int) -> int:
    """Return how many requests the KV cache holds."""
    free = gb * GB - 1.02 * model.weights / slices - WORK_GB[role] * GB
    tokens = free / (model.token_bytes / min(slices, model.kv_heads))
    # A conversation is a quarter of its window, as a rule; the cache is paged, so the rest may be another's.
    usual = TOKENS[role] // 4 if role == "agent" else TOKENS[role]
    return max(LEAST[role], min(MOST[role], int(tokens / min(usual, model.positions))))
