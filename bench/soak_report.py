"""What came of a soak: latencies by the second, how soon each fault was over, and every breach."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from bench.soak_clients import Sample
from bench.soak_faults import LLM, TRACKS, Fault

WINDOW_SECONDS = 3.0
TIMES_NORMAL = 1.5
"""A window is normal while its 99th percentile is at most this many times that of the quiet beginning."""
MOST_SECONDS = 10.0
"""What a fault may cost after its end."""
WRITES = ("put", "delete")
"""Writes of items wait for all processes by design, and are told apart."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """How soon latency was normal again after a fault; `seconds` is None where it was not before `until`."""

    fault: str
    at: float
    lasted: float
    worst: float
    seconds: float | None
    until: float
    detail: str


@dataclass
class Report:
    """Everything a soak found; times are seconds from its beginning, latencies milliseconds, memory MiB by second.

    `breaches` are of what must never be, `late` of what must be in time, which a machine that others keep busy may
    break as well.
    """

    seconds: float
    seed: int
    requests: dict[str, int] = field(default_factory=dict)
    latencies: dict[str, dict[str, float]] = field(default_factory=dict)
    normal: dict[str, float] = field(default_factory=dict)
    recoveries: list[Recovery] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    away: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)
    by_second: list[dict[str, float]] = field(default_factory=list)
    longest: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def wire(self) -> dict[str, Any]:
        """Return it for a file."""
        return asdict(self)

    def text(self) -> str:
        """Return it for a terminal."""
        lines = [f"soak: {self.seconds:.0f} s, seed {self.seed}, {sum(self.requests.values()):,} requests", ""]
        lines += [f"{'kind':16}{'requests':>9}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}"]
        for kind, found in sorted(self.latencies.items()):
            lines.append(
                f"{kind:16}{self.requests[kind]:>9,}{found['p50']:>9.1f}{found['p99']:>9.1f}{found['max']:>9.1f}"
            )
        normal = ", ".join(f"{group} {value:.0f} ms" for group, value in self.normal.items())
        lines += [
            "", f"normal (p99 of {WINDOW_SECONDS:g} s, {TIMES_NORMAL:g} times the quiet beginning's): {normal}", "",
            f"{'fault':18}{'at s':>6}{'lasted s':>10}{'worst p99 ms':>14}{'normal after s':>16}  what",
        ]  # fmt: skip
        for each in self.recoveries:
            after = "-" if each.until < WINDOW_SECONDS else "no" if each.seconds is None else f"{each.seconds:.0f}"
            row = f"{each.fault:18}{each.at:>6.0f}{each.lasted:>10.1f}{each.worst:>14.0f}{after:>16}"
            lines.append(f"{row}  {each.detail}")
        told = ", ".join(f"{count} {why}" for why, count in sorted(self.refused.items())) or "none"
        lines += ["", f"refused, and why: {told}"]
        lines += [", ".join(f"{name} {count:,}" for name, count in self.counts.items())]
        if self.away.get("times"):
            lines += [f"no worker {self.away['times']:.0f} times, for {self.away['longest_seconds']:.1f} s at most"]
        lines += [
            "memory of all processes: " + ", ".join(f"{mib:.0f} MiB at {at} s" for at, mib in self.memory.items())
        ]
        for name, faults in (("breaches", self.breaches), ("late", self.late)):
            common = Counter(each.partition(":")[0] for each in faults)
            lines += ["", f"{name}: {len(faults) or 'none'}"]
            lines += [f"  {count} {what}" for what, count in common.most_common()]
            lines += [f"  {each}" for each in faults[:20]]
        return "\n".join(lines)


def measure(report: Report, samples: Sequence[Sample], faults: Sequence[Fault], start: float, quiet: float) -> None:
    """Fill in latencies and recoveries.

    Args:
        report: To be filled.
        samples: Every request.
        faults: What was done, in the order of their beginning.
        start: When the soak began, monotonic seconds.
        quiet: For how long nothing was done.
    """
    report.requests = dict(Counter(sample.kind for sample in samples))
    for kind in report.requests:
        times = [(sample.ended - sample.began) * 1000 for sample in samples if sample.kind == kind]
        p50, p99 = np.percentile(times, (50, 99))
        report.latencies[kind] = {"p50": float(p50), "p99": float(p99), "max": max(times)}
    groups = {
        "chat": [sample for sample in samples if sample.kind == "chat"],
        "answers": [sample for sample in samples if sample.kind not in ("chat", *WRITES)],
    }
    for group, some in groups.items():
        report.normal[group] = TIMES_NORMAL * (_p99(some, start, quiet) or math.nan)
    for fault in faults:
        group = "chat" if fault.name in LLM else "answers"
        track = next(names for names in TRACKS if fault.name in names)
        others = [each.began for each in faults if each is not fault and each.name in track]
        until = min([at for at in others if at > fault.began], default=start + report.seconds)
        report.recoveries.append(_recovery(fault, groups[group], report.normal[group], start, until))
    report.late += [
        f"latency not normal in time: {each.fault} at {each.at:.0f} s"
        for each in report.recoveries
        if (each.seconds is None and each.until >= MOST_SECONDS) or (each.seconds or 0.0) > MOST_SECONDS
    ]
    for at in range(int(report.seconds)):
        row = {"second": float(at)}
        for group, some in groups.items():
            times = [(s.ended - s.began) * 1000 for s in some if at <= s.began - start < at + 1]
            if times:
                row |= {f"{group}_p50": float(np.median(times)), f"{group}_p99": float(np.percentile(times, 99))}
        report.by_second.append(row)


def _recovery(fault: Fault, samples: Sequence[Sample], normal: float, start: float, until: float) -> Recovery:
    """Return when a whole window was normal again; what hangs counts to the moment it was asked.

    Where anybody is refused, be it at once and with a reason, nothing is normal yet.
    """
    near = [sample for sample in samples if fault.began - 1 <= sample.began <= until]
    after: float | None = None
    for second in range(int(max(0.0, until - fault.ended - WINDOW_SECONDS)) + 1):
        found = _p99(near, fault.ended + second)
        if found is not None and found <= normal and not _refused(near, fault.ended + second):
            after = float(second)
            break
    during = [(sample.ended - sample.began) * 1000 for sample in near if sample.ended >= fault.began]
    worst = float(np.percentile(during, 99)) if during else math.nan
    lasted = fault.ended - fault.began
    return Recovery(fault.name, fault.began - start, lasted, worst, after, until - fault.ended, fault.detail)


def _p99(samples: Sequence[Sample], begin: float, seconds: float = WINDOW_SECONDS) -> float | None:
    times = [(s.ended - s.began) * 1000 for s in samples if begin <= s.began < begin + seconds]
    return float(np.percentile(times, 99)) if times else None


def _refused(samples: Sequence[Sample], begin: float) -> bool:
    """Whether anything asked in a window was not answered; "similar" to what is still being taken in is no answer."""
    return any(
        sample.status in (0, 503) and sample.kind != "similar"
        for sample in samples
        if begin <= sample.began < begin + WINDOW_SECONDS
    )
