"""Whether the workers that are asked for can ever run in a cluster: Ray itself would wait for them without a word."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence

from catalog.errors import ConfigError

log = logging.getLogger(__name__)

Resources = Mapping[str, float]
"""What one machine of the cluster counts with: `CPU`, `GPU` and more."""


def check_room(
    nodes: Sequence[Resources], *, workers: int, cpus_per_worker: float, gpus_per_worker: float, may_grow: bool
) -> None:
    """Refuse what no machine, or not all of them together, can hold beside one CPU to decode on.

    Args:
        nodes: The machines that are up.
        workers: How many are to infer.
        cpus_per_worker: CPUs that each reserves.
        gpus_per_worker: GPUs that each reserves.
        may_grow: Whether machines may still come: then it is a warning and the run waits for them.

    Raises:
        ConfigError: When the run could only wait for ever.
    """
    fault = _fault(nodes, workers, cpus_per_worker, gpus_per_worker)
    if fault is None:
        return
    if not may_grow:
        raise ConfigError(fault)
    log.warning("the run waits until the cluster has grown reason=%r", fault)


def _fault(nodes: Sequence[Resources], workers: int, cpus: float, gpus: float) -> str | None:
    most_gpus, most_cpus = (max((node.get(kind, 0.0) for node in nodes), default=0.0) for kind in ("GPU", "CPU"))
    asked = f"asks for {gpus:g} GPU{'s' if gpus > 1 else ''} a worker"
    if gpus and not most_gpus:
        return (
            f"batch.ray.gpus_per_worker {asked}, this cluster has none: "
            "0 would be valid (a model on CPUs or behind a server), or a cluster with GPUs"
        )
    if gpus > most_gpus:
        return f"batch.ray.gpus_per_worker {asked}, no machine has more than {most_gpus:g}: that or less would be valid"
    if cpus > most_cpus:
        return (
            f"batch.ray.cpus_per_worker asks for {cpus:g} CPUs a worker, no machine has more than {most_cpus:g}: "
            "that or less would be valid"
        )
    room = sum(_workers_on(node, cpus, gpus, workers) for node in nodes)
    has = f"{sum(node.get('GPU', 0.0) for node in nodes):g} GPUs and {_cpus(nodes):g} CPUs"
    if room < workers:
        valid = f"{room} or fewer would be valid" if room else "less a worker would be valid"
        return (
            f"workers={workers} with {gpus:g} GPUs and {cpus:g} CPUs each do not fit: this cluster has {has}, "
            f"room for {room}; {valid}"
        )
    left = _cpus(nodes) - workers * cpus
    if left < 1:
        return (
            f"workers={workers} with {cpus:g} CPUs each leave no CPU to decode on: this cluster has {has}; "
            f"fewer workers, or a batch.ray.cpus_per_worker below {(_cpus(nodes) - 1) / workers:.3g}, would be valid"
        )
    return None


def _cpus(nodes: Sequence[Resources]) -> float:
    return sum(node.get("CPU", 0.0) for node in nodes)


def _workers_on(node: Resources, cpus: float, gpus: float, most: int) -> int:
    by_cpu = math.floor(node.get("CPU", 0.0) / cpus + 1e-6) if cpus else most
    if not gpus:
        return min(most, by_cpu)
    have = node.get("GPU", 0.0)
    # A part of a GPU lies on one card.
    by_gpu = math.floor(have) * math.floor(1 / gpus + 1e-6) if gpus < 1 else math.floor(have / gpus + 1e-6)
    return min(most, by_cpu, by_gpu)
