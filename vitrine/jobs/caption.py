"""Pictures and films to words."""

from __future__ import annotations

from dataclasses import replace

from catalog.errors import DataError
from catalog.media.refs import BY_URL
from catalog.nouns import Caption
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace
from vitrine.jobs.bring import bring_media
from vitrine.jobs.scope import WHOLE, Scope
from vitrine.jobs.told import failure_lines, job_text
from vitrine.settings import Settings
from vitrine.wiring import active_captions, make_captioner, make_engine


def caption_store(settings: Settings, progress: Progress = SILENT, scope: Scope = WHOLE) -> str:
    """Caption every medium of the store and say what was done, or what would be.

    Raises:
        DataError: When not one of them could be captioned; the text gives the reasons.
        JobPaused: When a signal stopped it; what was finished is kept.
    """
    from captioning.job import caption_catalog, caption_faults, plan_captions
    from captioning.speech.config import make_transcriber
    from vitrine.encoders import ready_heads

    workspace, captioner = Workspace(settings.store), make_captioner(settings)
    job = settings.captions.job
    transcriber = make_transcriber(settings.speech) if settings.speech.transcriber != "none" else None
    if scope.dry_run:
        plan = plan_captions(
            workspace, captioner, config=job, transcriber=transcriber, limit=scope.limit, retry_all=scope.retry_all
        )
        return (plan if job.fetch else replace(plan, unfetched=0)).text()
    brought = bring_media(settings, progress, scope, images=job.images_per_item, videos=job.videos_per_item)
    known = (BY_URL,) if brought else ()
    heads = ready_heads(settings, progress)
    report = caption_catalog(
        workspace,
        captioner,
        engine=make_engine(settings),
        config=job,
        transcriber=transcriber,
        progress=progress,
        limit=scope.limit,
        retry_all=scope.retry_all,
    )
    if report.failed and not report.done + report.reused:
        reasons = "; ".join([*brought, *failure_lines(report, workspace, known)])
        raise DataError(f"{report.name}: none of {report.failed:,} pictures and videos has a caption: {reasons}")
    lines = [*brought, *heads, job_text(report, workspace, known), *_heads_spoke(settings, workspace)]
    if faults := caption_faults(workspace, captioner.name):
        told = ", ".join(f"{count:,} {fault}" for fault, count in faults.items())
        lines.append(f"  kept all the same, since captions.mllm.checks is 'report': {told}")
    return "\n".join(lines)


def store_captions(settings: Settings, workspace: Workspace) -> dict[str, tuple[Caption, ...]]:
    """Return the captions the settings choose, or none where they were never made."""
    from captioning.job import load_captions

    name = active_captions(settings, workspace)
    return load_captions(workspace, name) if name else {}


def _heads_spoke(settings: Settings, workspace: Workspace) -> list[str]:
    """Return in how many captions the `catalogue` captioner's heads said something, where it is the one that reads."""
    if settings.captions.captioner != "catalogue":
        return []
    from captioning.catalogue.spoken import spoken_captions

    return [spoken_captions(workspace).line(settings.captions.catalogue.precision)]
