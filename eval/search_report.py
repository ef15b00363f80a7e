"""What a search found: JSON for machines, Markdown for people, TOML for `vitrine.toml`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from eval.search import SearchConfig
from eval.trials import Found

SHOWN = 10
"""Trials in the Markdown."""


def search_json(found: Found, config: SearchConfig, provenance: Mapping[str, Any]) -> dict[str, Any]:
    """Return the machine form: what was asked, every trial, the best, and where the data came from."""
    return {
        "model": found.model,
        "select_by": config.select_by,
        "best": {"number": found.best.number, "value": found.best.value, "parameters": found.parameters},
        "start": found.trials[0].value,
        "timed_out": found.timed_out,
        "space": {name: {"kind": type(span).__name__.lower(), **asdict(span)} for name, span in found.space.items()},
        "fixed": dict(found.fixed),
        "trials": [asdict(trial) for trial in found.trials],
        "config": config.model_dump(mode="json"),
        **provenance,
    }


def search_toml(found: Found) -> str:
    """Return the best settings as a part of `vitrine.toml`; None is left out, as TOML has no such value."""
    lines = [f"[models.overrides.{_word(found.model)}]"]
    for name, value in found.parameters.items():
        if value is not None:
            lines.append(f"{_word(name)} = {_toml(value)}")
    return "\n".join(lines) + "\n"


def search_markdown(report: Mapping[str, Any], toml: str) -> str:
    """Return what a person reads."""
    trials = report["trials"]
    counts = {state: sum(trial["state"] == state for trial in trials) for state in ("finished", "pruned", "failed")}
    best, metric = report["best"], report["select_by"]
    start = "the defaults failed" if report["start"] is None else f"the defaults had {report['start']:.4f}"
    lines = [
        f"## Search {report['model']} on {report['dataset']}, protocol `{report['protocol']}` ({report['label']})",
        "",
        f"Best validation {metric} {best['value']:.4f} in trial {best['number']} ({start}); "
        + ", ".join(f"{count} {state}" for state, count in counts.items())
        + f", {sum(trial['seconds'] for trial in trials):.0f} s. The test part was not read.",
        "",
        "```toml",
        toml.rstrip(),
        "```",
        "",
        f"| trial | validation {metric} | epochs | s | parameters |",
        "|---|---|---|---|---|",
    ]
    ranked = sorted((trial for trial in trials if trial["state"] == "finished"), key=lambda trial: -trial["value"])
    for trial in ranked[:SHOWN]:
        settings = ", ".join(f"{name} = {_short(value)}" for name, value in trial["parameters"].items())
        figures = f"{trial['number']} | {trial['value']:.4f} | {len(trial['history'])} | {trial['seconds']:.1f}"
        lines.append(f"| {figures} | {settings} |")
    lines += [
        "",
        f"Seed {report['config']['seed']}, data {report['data_key'][:12]}, commit {report['commit'] or 'unknown'}.",
    ]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_word(name)} = {_toml(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(inner) for inner in value) + "]"
    return json.dumps(value, ensure_ascii=False)  # a number, a text or a truth is written in TOML as in JSON


def _word(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
