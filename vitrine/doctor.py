"""`vitrine doctor`: what is installed, what the store holds, which implementation each job uses."""

from __future__ import annotations

import importlib.util
import platform
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from catalog.errors import VitrineError
from catalog.workspace import MADE_BY, Workspace
from vitrine.settings import Settings

Level = Literal["ok", "note", "bad"]

PACKAGES = {
    "torch": "bad",
    "transformers": "bad",
    "open_clip_torch": "bad",
    "lightgbm": "bad",
    "llama-index-core": "bad",
    "fastapi": "bad",
    "qwen-vl-utils": "note",
    "openai-whisper": "note",
    "vllm": "note",
    "ray": "note",
}
"""Distributions, and how bad it is to lack one: a `note` names an optional extra."""

STAGES = ("catalog", "captions", "embeddings", "indexes", "models", "reports")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's letter."""

    level: Level
    subject: str
    text: str

    @property
    def mark(self) -> str:
        """Return a word a person can scan for."""
        return {"ok": "ok", "note": "--", "bad": "BAD"}[self.level]


def examine(settings: Settings) -> list[Finding]:
    """Look at the machine, the store and the services; nothing is changed."""
    return [
        Finding("ok", "python", platform.python_version()),
        *_packages(),
        _faiss(),
        _torch_device(),
        *_store(settings),
        *_active(settings),
    ]


def _packages() -> list[Finding]:
    findings = []
    for name, lack in PACKAGES.items():
        try:
            findings.append(Finding("ok", name, version(name)))
        except PackageNotFoundError:
            level: Level = "bad" if lack == "bad" else "note"
            text = "missing: run make test or make demo again" if lack == "bad" else "not installed (optional extra)"
            findings.append(Finding(level, name, text))
    return findings


def _faiss() -> Finding:
    found = []
    for name in ("faiss-cpu", "faiss-gpu"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    if len(found) == 2:
        return Finding(
            "bad", "faiss", f"{' and '.join(found)} overwrite each other: keep one of the extras cpu and gpu"
        )
    if not found:
        return Finding("bad", "faiss", "missing: install the extra cpu or gpu")
    return Finding("ok", "faiss", found[0])


def _torch_device() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("bad", "device", "torch is missing")
    import torch

    if torch.cuda.is_available():
        return Finding("ok", "device", torch.cuda.get_device_name(0))
    return Finding("ok", "device", f"CPU, {torch.get_num_threads()} threads")


def _store(settings: Settings) -> list[Finding]:
    workspace = Workspace(settings.store)
    findings = [Finding("ok", "store", str(workspace.root))]
    for stage in STAGES:
        if stage == "catalog":
            manifest = workspace.manifest("catalog")
            text = f"{manifest.meta['name']}: {manifest.meta['items']:,} items" if manifest else None
        else:
            names = [name for name in workspace.names(stage) if name != "cells"]
            text = ", ".join(names) or None
        missing = f"none yet: run {MADE_BY[stage]}"
        findings.append(Finding("ok" if text else "note", f"  {stage}", text or missing))
    return findings


def _active(settings: Settings) -> list[Finding]:
    from vitrine.wiring import active_parts

    findings = []
    try:
        active = active_parts(settings)
    except VitrineError as error:
        return [Finding("bad", "settings", str(error))]
    for job, name in active.items():
        findings.append(Finding("ok", f"{job} by", name))
    findings.append(_mind(settings))
    return findings


def _mind(settings: Settings) -> Finding:
    """Ask a configured LLM for its models; the planner needs asking nothing."""
    llm = settings.agent.llm
    if llm is None:
        return Finding("ok", "mind", "planner (no LLM configured)")
    import httpx

    try:
        answer = httpx.get(f"{llm.base_url.rstrip('/')}/models", timeout=5, headers=_bearer(llm.api_key()))
        answer.raise_for_status()
    except httpx.HTTPError as error:
        return Finding("bad", "mind", f"LLM at {llm.base_url} does not answer ({error!r}): the planner will stand in")
    return Finding("ok", "mind", f"{llm.model} at {llm.base_url}")


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}
