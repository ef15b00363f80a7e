"""`vitrine doctor`: what is installed, what the store holds, which implementation each job uses."""

from __future__ import annotations

import importlib.util
import platform
import re
import shlex
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from math import inf, isinf
from pathlib import Path

from catalog.errors import NotBuiltError, VitrineError
from catalog.findings import Finding, Level
from catalog.workspace import MADE_BY, Workspace
from vitrine.doctor_databases import database_findings
from vitrine.doctor_media import media_findings
from vitrine.doctor_servers import model_findings
from vitrine.settings import Settings
from vitrine.words_kept import word_findings

PACKAGES: dict[str, Level] = {
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

STAGES = ("catalog", "captions", "transcripts", "encoders", "intents", "embeddings", "indexes", "models", "reports")

STORED = (
    "generate",
    "import",
    "media",
    "caption",
    "embed",
    "index",
    "train",
    "sync",
    "models",
    "evaluate",
    "transcribe",
    "intents",
    "events",
    "keys",
)
"""Commands that work on a store and that findings name."""


def examine(settings: Settings, probe: bool | None = None, store: Path | None = None) -> list[Finding]:
    """Look at the machine, the store and the services; nothing is changed.

    Args:
        settings: What is examined.
        probe: Whether models must prove that they see, call tools and stream. None: those behind a server; True: those
            of this process as well, which loads them.
        store: `--store` where it was given: the commands that help name it.
    """
    found = [
        Finding("ok", "python", platform.python_version()),
        *_packages(),
        _faiss(),
        _torch_device(),
        *_store(settings),
        *_stale(settings),
        *database_findings(settings),
        *_active(settings),
        *model_findings(settings, probe),
    ]
    return [_with_store(finding, store) for finding in found] if store is not None else found


_REMEDY = re.compile(
    rf"\bvitrine (?:{'|'.join(STORED)})\b"
    r"(?: (?:(?:table|clip|video|fusion|remove|promote|rollback|list|restore|add)\b|[\w.-]+@\d+))*(?! --store)"
)


def _with_store(finding: Finding, store: Path) -> Finding:
    """Return a finding whose commands name the store, as whoever reads them must type them."""
    if finding.level == "ok":
        return finding
    text = _REMEDY.sub(lambda found: f"{found[0]} --store {shlex.quote(str(store))}", finding.text)
    return replace(finding, text=text)


def _packages() -> list[Finding]:
    findings = []
    for name, lack in PACKAGES.items():
        try:
            findings.append(Finding("ok", name, version(name)))
        except PackageNotFoundError:
            text = "missing: install vitrine again" if lack == "bad" else "not installed (optional extra)"
            findings.append(Finding(lack, name, text))
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
    return Finding("ok", "device", f"CPU, torch threads: {torch.get_num_threads()}")


def _store(settings: Settings) -> list[Finding]:
    try:
        workspace = Workspace(settings.store)
    except VitrineError as error:
        return [Finding("bad", "store", str(error))]
    findings = [Finding("ok", "store", str(workspace.root))]
    for stage in STAGES:
        if damaged := _damaged(workspace, stage):
            findings += damaged
            continue
        try:
            if stage in ("captions", "transcripts") and (worth := word_findings(workspace, stage)):
                findings += worth
                continue
            if stage == "catalog" and workspace.has("catalog"):
                findings += _catalogue(workspace)
                continue
            text = _held(workspace, stage)
        except VitrineError as error:
            findings.append(Finding("bad", f"  {stage}", str(error)))
            continue
        versions = _damaged_versions(workspace) if stage == "models" else []
        if not any(finding.level == "bad" for finding in versions):
            missing = f"none yet: run {MADE_BY[stage]}"
            findings.append(Finding("ok" if text else "note", f"  {stage}", text or missing))
        findings += versions
    return findings


def _catalogue(workspace: Workspace) -> list[Finding]:
    """Read the catalogue, so that damage shows, and look for the media it names."""
    from catalog.shop_data import load_shop

    shop = load_shop(workspace)
    text = f"{shop.name}: {len(shop.items):,} items, {len(shop.users):,} shoppers, {len(shop.log):,} events"
    return [Finding("ok", "  catalog", text), *media_findings(shop.catalog, workspace.root)]


def _damaged(workspace: Workspace, stage: str) -> list[Finding]:
    """Compare the files of a stage with their manifests: vectors with other bytes in them load all the same."""
    if stage in ("models", "reports"):  # versions have sums of their own, reports none
        return []
    found = []
    for name in ["catalog"] if stage == "catalog" else [f"{stage}/{each}" for each in workspace.names(stage)]:
        try:
            with workspace.reading(name, whole=True):
                pass
        except NotBuiltError:
            continue
        except VitrineError as error:
            found.append(Finding("bad", f"  {stage}", str(error)))
    return found


def _damaged_versions(workspace: Workspace) -> list[Finding]:
    """Open every kept version; one that is served and cannot be is bad, another only worth a note."""
    from vitrine.served import cure, fault_of
    from vitrine.shelf import Shelf

    shelf, findings = Shelf(workspace), []
    for name in workspace.names("models"):
        promoted = shelf.promoted(name)
        try:
            served = shelf.served(name)
            fault = fault_of(served) if served else None
        except VitrineError as error:
            fault = str(error)
        if fault:
            label = name if promoted is None else f"{name}@{promoted}"
            findings.append(Finding("bad", "  models", f"{label} is damaged ({fault}): {cure(shelf, name)}"))
        unreadable = {number: (fault, "remove its folder") for number, fault in shelf.unreadable(name).items()}
        unloadable = {
            version.number: (fault, f"vitrine models remove {version} removes it")
            for version in shelf.versions(name)
            if version.number != promoted and (fault := fault_of(version))
        }
        for number, (fault, remedy) in sorted({**unreadable, **unloadable}.items()):
            if number != promoted:
                text = f"{name}@{number} is damaged ({fault}) and not served: {remedy}"
                findings.append(Finding("note", "  models", text))
    return findings


def _held(workspace: Workspace, stage: str) -> str:
    """Return what the store holds of a stage, "" for nothing; the manifests are read, so that damage shows."""
    if stage == "catalog":
        return ""
    if stage == "reports":
        folder = workspace.root / "reports"
        found = [*folder.glob("*.json"), *folder.glob("captions/*.json")]
        return ", ".join(sorted(path.relative_to(folder).with_suffix("").as_posix() for path in found))
    names = workspace.names(stage)
    for name in names:
        workspace.manifest(f"{stage}/{name}")
    if stage == "models":
        return _trained(workspace, names)
    return ", ".join(names)


def _trained(workspace: Workspace, names: list[str]) -> str:
    """Return every promoted model with what it reads."""
    from vitrine.reads import reads_text

    manifests = {name: workspace.manifest(f"models/{name}") for name in names}
    return "; ".join(f"{name} reads {reads_text(manifest.meta)}" for name, manifest in manifests.items() if manifest)


def _stale(settings: Settings) -> list[Finding]:
    """Say what was made of something that has been made anew since, and how it is renewed."""
    from vitrine.chain import commands, stale_artifacts

    try:
        found = stale_artifacts(settings, Workspace(settings.store))
    except VitrineError:
        return []  # damage is told where the stages are
    told = [Finding("note", "  stale", str(each)) for each in found]
    order = commands(found)
    return [*told, Finding("note", "  stale", f"in this order: {', then '.join(order)}")] if len(order) > 1 else told


def _speech(settings: Settings) -> list[Finding]:
    """Say what a speech model that was asked for lacks."""
    if settings.speech.transcriber == "none":
        return []
    from captioning.speech.whisper_transcriber import find_checkpoint

    try:
        return [Finding("ok", "speech model", str(find_checkpoint(settings.speech.whisper)[0]))]
    except VitrineError as error:
        return [Finding("bad", "speech model", str(error))]


def _heads(settings: Settings) -> list[Finding]:
    """Say what the `catalogue` captioner can say, where it was asked for."""
    if settings.captions.captioner != "catalogue":
        return []
    from captioning.catalogue.places import WHOLE
    from captioning.catalogue.trained import load_trained

    label = "attribute heads"
    try:
        speakers = load_trained(Workspace(settings.store)).speakers
    except NotBuiltError as error:
        return [Finding("note", label, str(error))]
    except VitrineError as error:
        return [Finding("bad", label, str(error))]
    # What the heads of the whole catalogue dare to say, they say of shoppers' photos alone.
    own = [speaker.least for fold, speaker in speakers.items() if fold != WHOLE]
    names = list(speakers[WHOLE].least)
    silent = [name for name in names if all(isinf(least.get(name, inf)) for least in own)]
    told = ", ".join(name for name in names if name not in silent) or "nothing is certain enough to be said"
    return [Finding("ok", label, told + (f"; never certain enough: {', '.join(silent)}" if silent else ""))]


def _active(settings: Settings) -> list[Finding]:
    """Say who does which job; nothing falls back silently."""
    from vitrine.wiring import active_parts, make_captioner

    try:
        make_captioner(settings)
        parts = [Finding("ok", f"{job} by", name) for job, name in active_parts(settings).items()]
        return [*parts, *_heads(settings), *_speech(settings)]
    except VitrineError as error:
        return [Finding("bad", "jobs", str(error))]
