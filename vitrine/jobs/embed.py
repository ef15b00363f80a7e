"""Words, pictures and what is stated to vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from catalog.errors import NotBuiltError, NothingToDo
from catalog.media.refs import BY_URL
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace
from vitrine.jobs.bring import bring_media
from vitrine.jobs.scope import WHOLE, Scope
from vitrine.jobs.told import job_text
from vitrine.settings import Settings
from vitrine.wiring import active_captions, make_embedder, make_engine, make_picture_embedder
from vitrine.words_kept import caption_doubts, unread_captions

if TYPE_CHECKING:
    from embedding.item_text import Part


def embed_store(settings: Settings, progress: Progress = SILENT, scope: Scope = WHOLE) -> list[str]:
    """Embed what the shop wrote, where there are captions what was read from the pictures, and what the shop states.

    Raises:
        NothingToDo: When there is neither.
        JobPaused: When a signal stopped it; what was finished is kept.
    """
    from embedding.attribute_space import embed_attributes
    from embedding.attribute_table import SPACE

    workspace = Workspace(settings.store)
    lines: list[str] = []
    skipped: list[str] = []
    captions = active_captions(settings, workspace)
    runs = _text_runs(settings, captions)
    for run in runs:
        try:
            lines.append(_embed_texts(settings, workspace, run, progress, scope))
        except NothingToDo as error:
            if run is runs[-1] and not lines:
                raise
            skipped.append(f"skipped: {error}")
    try:
        lines += _embed_pictures(settings, workspace, progress, scope)
    except NothingToDo as error:
        skipped.append(f"skipped: {error}")
    if settings.embedding.attributes.enabled and not scope.dry_run:
        try:
            found = embed_attributes(workspace, settings.embedding.attributes)
            state = "made" if found.made else "already current"
            lines.append(f"embeddings/{SPACE}: {found.items:,} items, {found.dim} directions, {state}")
        except NothingToDo as error:
            skipped.append(f"skipped: {error}")
    lines += skipped
    if captions is not None:
        lines += caption_doubts(workspace, captions)
    if unread := unread_captions(settings, workspace):
        lines += unread
    elif captions is None:
        lines.append("captions: none in the store yet; after vitrine caption, vitrine embed adds their space")
    return lines


@dataclass(frozen=True, slots=True)
class _TextRun:
    """One space of texts: which parts of an item, and the captions artifact they read."""

    space: str
    parts: tuple[Part, ...]
    captions: str | None


def _text_runs(settings: Settings, captions: str | None) -> list[_TextRun]:
    """Return the space of what the shop says, and, where there are captions, theirs.

    Raises:
        NotBuiltError: When `embedding.parts` names captions and there are none.
    """
    from embedding.job import default_space

    name, parts = make_embedder(settings).name, settings.embedding.parts
    if "captions" in parts and captions is None:
        raise NotBuiltError("embedding.parts names captions, and the store has none: run vitrine caption first")
    runs = [_TextRun(default_space(name), parts, captions if "captions" in parts else None)]
    return runs + ([_TextRun(default_space(name, captions), ("captions",), captions)] if captions is not None else [])


def _embed_texts(settings: Settings, workspace: Workspace, run: _TextRun, progress: Progress, scope: Scope) -> str:
    from embedding.job import cut_items, embed_catalog, plan_embeddings

    chosen, embedder = settings.embedding, make_embedder(settings)
    if scope.dry_run:
        return plan_embeddings(
            workspace, embedder, parts=run.parts, captions=run.captions, reviews=chosen.reviews, space=run.space,
            config=chosen.job, limit=scope.limit, retry_all=scope.retry_all,
        ).text()  # fmt: skip
    report = embed_catalog(
        workspace, embedder, parts=run.parts, captions=run.captions, reviews=chosen.reviews, space=run.space,
        engine=make_engine(settings), config=chosen.job, progress=progress, limit=scope.limit,
        retry_all=scope.retry_all,
    )  # fmt: skip
    cut = len(cut_items(workspace, run.space))
    unit, most = report.meta["budget"]
    told = f"\n  {cut:,} texts were longer than {most:,} {unit} and were cut, each part in its share" if cut else ""
    return job_text(report, workspace) + told


def _embed_pictures(settings: Settings, workspace: Workspace, progress: Progress, scope: Scope) -> list[str]:
    from embedding.picture_job import embed_pictures, plan_pictures

    embedder, job = make_picture_embedder(settings), settings.embedding.picture_job
    if embedder is None:
        return []
    if scope.dry_run:
        plan = plan_pictures(workspace, embedder, config=job, limit=scope.limit, retry_all=scope.retry_all)
        return [(plan if settings.captions.job.fetch else replace(plan, unfetched=0)).text()]
    brought = bring_media(settings, progress, scope, images=job.images_per_item, videos=0)
    report = embed_pictures(
        workspace, embedder, engine=make_engine(settings), config=job, progress=progress, limit=scope.limit,
        retry_all=scope.retry_all,
    )  # fmt: skip
    return [*brought, job_text(report, workspace, (BY_URL,) if brought else ())]
