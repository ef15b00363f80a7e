"""Memory and processor time of a process and of all that it started, on Linux."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Memory:
    """Megabytes (2**20): `pss` counts what several processes share once, divided among them; `rss` counts it for each.

    Attributes:
        pss: Proportional set size.
        private: What no other process has.
        rss: Resident set size.
        processes: How many were counted.
    """

    pss: float
    private: float
    rss: float
    processes: int


def tree(pid: int) -> list[int]:
    """Return a process and all its living descendants."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                # The name in brackets may hold spaces; the state and the parent follow it.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue  # it ended meanwhile
            children[parent].append(int(entry.name))
    found = [pid]
    for each in found:
        found += children[each]
    return found


def memory_of(pids: list[int]) -> Memory:
    """Return what processes hold together; those that ended meanwhile count nothing."""
    sums: dict[str, int] = defaultdict(int)
    counted = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
        except OSError:
            continue
        counted += 1
        for line in lines:
            name, _, value = line.partition(":")
            sums[name] += int(value.split()[0])
    private = sums["Private_Clean"] + sums["Private_Dirty"]
    return Memory(sums["Pss"] / 1024, private / 1024, sums["Rss"] / 1024, counted)


def processor_seconds(pids: list[int]) -> float:
    """Return the processor time that processes have spent, in user code and in the kernel."""
    ticks = 0
    for pid in pids:
        try:
            told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += int(told[11]) + int(told[12])
    return ticks / os.sysconf("SC_CLK_TCK")
