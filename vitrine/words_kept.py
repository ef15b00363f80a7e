"""What a store's captions and transcripts are worth: how many, how many failed, and whether they were checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from catalog.findings import Finding
from catalog.spoken import TRANSCRIPTS_FILE
from catalog.workspace import Workspace

if TYPE_CHECKING:
    from vitrine.settings import Settings


def word_findings(workspace: Workspace, stage: str) -> list[Finding]:
    """Return a finding an artifact of `captions` or `transcripts`: rows, failures and what is pending.

    Without a single row of words it is a note, and so is what `caption_doubts` says.

    Raises:
        DataError: When a manifest or a table is damaged.
    """
    findings = []
    for name in workspace.names(stage):
        manifest = workspace.manifest(f"{stage}/{name}")
        meta = {} if manifest is None else manifest.meta
        rows = meta.get("rows")
        if stage == "transcripts":
            rows, words = _heard(workspace, name)
            parts = [f"words in {words:,} of {rows:,} recordings"]
        else:
            words = 1 if rows is None else int(rows)
            parts = [] if rows is None else [f"{words:,} pictures and videos"]
        parts += [f"{meta[what]:,} {what}" for what in ("failed", "pending") if meta.get(what)]
        text = f"{name}: {', '.join(parts)}" if parts else name
        findings.append(Finding("ok" if words else "note", f"  {stage}", text))
        if stage == "captions":
            findings += [Finding("note", f"  {stage}", doubt) for doubt in caption_doubts(workspace, name)]
    return findings


def caption_doubts(workspace: Workspace, name: str) -> list[str]:
    """Return a line each for captions that were kept with faults, and for a model that never proved that it sees.

    Raises:
        NotBuiltError: When `captions/<name>` was never finished.
        DataError: When it is damaged.
    """
    from captioning.job import caption_faults

    label, manifest = f"captions/{name}", workspace.manifest(f"captions/{name}")
    meta = {} if manifest is None else manifest.meta
    lines = []
    if meta.get("checks") == "report":
        kept = sum(caption_faults(workspace, name).values())
        lines.append(
            f"{label}: {kept:,} of {meta.get('rows', 0):,} kept with faults (captions.mllm.checks is 'report')"
        )
    if meta.get("probe") == "off":
        lines.append(f"{label}: not proven that the model sees: captions.probe is off")
    return lines


def unread_captions(settings: Settings, workspace: Workspace) -> list[str]:
    """Return a line about captions that stand in the store unread because no setting names their captioner."""
    if "captioner" in settings.captions.model_fields_set:
        return []
    used = settings.captions.captioner
    others = [name for name in workspace.names("captions") if name != used]
    if not others:
        return []
    which = " and ".join(f"captions/{name}" for name in others)
    chosen = others[-1] if others[-1] == "catalogue" else "that of those captions"
    option = f" (--set captions.captioner={chosen})" if chosen == "catalogue" else ""
    return [
        f"{which}: not read here, since captions.captioner is {used!r} unless a setting says otherwise{option}; in "
        "vitrine.toml it would hold for every command"
    ]


def _heard(workspace: Workspace, name: str) -> tuple[int, int]:
    """Return how many recordings a transcript artifact has, and in how many of them words were heard."""
    with workspace.reading(f"transcripts/{name}") as folder:
        text = pl.read_parquet(folder / TRANSCRIPTS_FILE, columns=["text"])["text"]
    return len(text), len(text) - text.null_count()
