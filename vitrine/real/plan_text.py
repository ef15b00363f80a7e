"""The plan as a person reads it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from vitrine.real.choices import OPTION
from vitrine.real.commands import server_command
from vitrine.real.config import ROLES, RealConfig
from vitrine.real.estimate import Line
from vitrine.real.hub import endpoint
from vitrine.real.memory import GB, PHASES
from vitrine.real.models import Found
from vitrine.real.plan import Plan
from vitrine.real.rates import CAPTIONS, CORE, LIRDREC_ROWS, LLM_VECTORS, MINILM, PIXELS, Rate

HOUR = 3600.0
_AS_YET = Path("<folder>")


def plan_text(plan: Plan, config: RealConfig) -> list[str]:
    """Return the whole plan, a line each: data, models, servers, what each step takes, and what is in the way."""
    return [*_data(plan, config), *_models(plan), *_servers(plan, config), "", *table(plan), "", *_rates(plan),
            *_disks(plan, config)]  # fmt: skip


def table(plan: Plan) -> list[str]:
    """Return what each step takes, and the sum."""
    rows = [("step", "work", "disk GB", "hours", "M tokens read", "written")]
    for line in plan.lines:
        rows.append((line.step, "done before" if line.step in plan.done else line.what, *_figures(line)))
    total = Line(
        "all",
        "",
        sum(line.disk for line in plan.lines),
        sum(line.seconds for line in plan.lines),
        sum(line.read for line in plan.lines),
        sum(line.written for line in plan.lines),
        partly=any(line.partly and line.step not in plan.done for line in plan.lines),
    )
    rows.append((total.step, total.what, *_figures(total)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _figures(line: Line) -> tuple[str, str, str, str]:
    more = " + ?" if line.partly else ""
    return (f"{line.disk / GB:,.2f}{more}", f"{line.seconds / HOUR:,.2f}", f"{line.read / 1e6:,.1f}",
            f"{line.written / 1e6:,.1f}")  # fmt: skip


def _data(plan: Plan, config: RealConfig) -> Iterator[str]:
    counts, most = plan.counts, "at most " if plan.counts.bound else ""
    core = f", after {config.k_core}-core" if config.k_core else ""
    yield (
        f"data        {plan.data.name} -> {plan.data.folder}: {most}{counts.items:,} items, {counts.events:,} events, "
        f"{counts.pictures:,} pictures, {counts.videos:,} videos ({counts.how}{core})"
    )
    if plan.data.source is not None:
        terms = plan.data.source.licence
        yield f"  terms     {terms.name} ({terms.url}): {terms.text}"


def _models(plan: Plan) -> Iterator[str]:
    for role in ROLES:
        yield f"{role:<12}{_model(plan.models[role])}"


def _model(found: Found) -> str:
    choice = found.choice
    if choice.kind == "built in":
        return f"{choice.name}, built in"
    if choice.kind == "server":
        width = f", vectors {found.width} wide" if found.width else ""
        return f"{found.model} at {choice.name}, already running{width}"
    if found.away is not None:
        return f"{choice.text()}: size and licence unknown, since {endpoint()} cannot be asked"
    assert found.checkpoint is not None
    size = f"{found.checkpoint.parameters / 1e9:.3g} B parameters, {found.checkpoint.weights / GB:.3g} GB"
    if found.hub is None or found.folder is not None:
        return f"{choice.text()}: {size}, here in {found.folder}"
    licence = found.hub.licence or "none stated: read its page before you use it"
    return (
        f"{choice.text()}: {size}, licence {licence} ({endpoint()}/{choice.name}), "
        f"{found.hub.left / GB:.3g} GB to download"
    )


def _servers(plan: Plan, config: RealConfig) -> Iterator[str]:
    """Say how the servers share the GPUs, and the command of each as it will be started."""
    if plan.layout is None or not any(plan.layout.places.values()):
        return
    gpus = f"{plan.gpus.count} x {plan.gpus.gb:.0f} GB" if plan.gpus.count else "no GPU, vLLM for processors"
    order = "side by side" if plan.layout.together else "one after the other"
    yield f"servers     {gpus}; {order}"
    said = set()
    for phase in PHASES:
        for role, place in plan.layout.places[phase].items():
            found = plan.models[role]
            assert found.checkpoint is not None
            command = server_command(role, found.checkpoint, found.folder or _AS_YET, place, config, 0)
            words = shlex.join(command).replace("--port 0", "--port <free>").replace("'<folder>'", "<folder>")
            if words not in said:
                said.add(words)
                yield f"  {OPTION[role][2:]:<10}{words}"


def _rates(plan: Plan) -> Iterator[str]:
    """Say where the hours come from."""
    used: list[tuple[str, Rate]] = []
    for name, found, own, gpu in (
        ("captions", plan.models["captions"], PIXELS, CAPTIONS),
        ("vectors", plan.models["embeddings"], MINILM, LLM_VECTORS),
    ):
        # A model of unknown size is reckoned as the one behind the GPU's rate, whatever this machine has.
        on_cores = found.choice.is_served_here and not plan.gpus.count and found.away is None
        used.append((name, own if found.choice.kind == "built in" else CORE if on_cores else gpu))
    used.append(("fits", LIRDREC_ROWS))
    yield (
        "Hours are reckoned, nothing was measured on this machine; from these rates, models of other sizes in "
        "proportion:"
    )
    for name, rate in used:
        yield f"  {name}: {_number(rate.value)} {rate.option.replace('-', ' ')}, {rate.origin}: {rate.source}"


def _number(value: float) -> str:
    """Return four digits of a number, without an exponent."""
    return f"{float(f'{value:.4g}'):,.15g}"


def _disks(plan: Plan, config: RealConfig) -> Iterator[str]:
    for room in plan.rooms:
        yield (
            f"disk of {room.folder}: {room.needed / GB:,.2f} GB to come, {room.free / GB:,.1f} GB free, "
            f"{config.keep_free_gb:g} GB stay free"
        )
    for obstacle in plan.obstacles:
        yield f"in the way: {obstacle}"
