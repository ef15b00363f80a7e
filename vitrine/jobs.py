"""The long jobs of the store, each with the implementation the settings choose."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from batch.base import JobReport
from batch.report import report_line
from catalog.errors import DataError, NotBuiltError, NothingToDo
from catalog.media.refs import BY_URL
from catalog.nouns import Caption
from catalog.progress import SILENT, Progress
from catalog.shop_data import ShopData
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace, content_key
from vitrine.bases import load_bases, save_bases, without_bases
from vitrine.chain import INPUTS
from vitrine.reads import lost_lines, reads_text, unread_intents
from vitrine.served import CTR, RANKER
from vitrine.settings import Settings
from vitrine.wiring import (
    active_captions,
    choose_spaces,
    load_modalities,
    make_captioner,
    make_embedder,
    make_engine,
    make_picture_embedder,
    shop_spaces,
)
from vitrine.words_kept import caption_doubts, unread_captions

if TYPE_CHECKING:
    import polars as pl

    from embedding.item_text import Part
    from vitrine.ranking import TaughtRanker
    from vitrine.training import Scout


REASONS_SHOWN = 3
"""Commonest reasons of failures that a job names on the terminal; the file it names holds all."""


def generate_boutique(
    settings: Settings, seed: int | None = None, progress: Progress = SILENT, *, again: bool = False
) -> str:
    """Write the boutique into the store and say what it holds.

    Raises:
        ConfigError: When the store holds another shop, unless `again` says to replace it.
    """
    from catalog.boutique.generate import require_same_shop, save_boutique

    config = settings.boutique if seed is None else settings.boutique.model_copy(update={"seed": seed})
    workspace = Workspace(settings.store)
    if not again:
        require_same_shop(workspace, config)
    shop = save_boutique(workspace, config, progress).shop
    films = sum(bool(item.videos) for item in shop.catalog)
    return (
        f"{shop.name}: {len(shop.items):,} products with pictures, {films:,} of them with a video, "
        f"{len(shop.users):,} shoppers, {len(shop.log):,} events"
    )


@dataclass(frozen=True, slots=True)
class Scope:
    """How much of a batch job is done now.

    Attributes:
        limit: New pieces at most; None: all.
        retry_all: Whether what failed too often is tried again.
        dry_run: Only say what would be done, and how long it would take.
    """

    limit: int | None = None
    retry_all: bool = False
    dry_run: bool = False


WHOLE = Scope()


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
    brought = _bring_media(settings, progress, scope, images=job.images_per_item, videos=job.videos_per_item)
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


def _heads_spoke(settings: Settings, workspace: Workspace) -> list[str]:
    """Return in how many captions the `catalogue` captioner's heads said something, where it is the one that reads."""
    if settings.captions.captioner != "catalogue":
        return []
    from captioning.catalogue.spoken import spoken_captions

    return [spoken_captions(workspace).line(settings.captions.catalogue.precision)]


def _bring_media(settings: Settings, progress: Progress, scope: Scope, *, images: int, videos: int) -> list[str]:
    """Bring what is named by URL and not here yet; return a line about it where there was any."""
    from catalog.media.bringing import unfetched
    from vitrine.media import bring_store, media_line, store_urls

    if not settings.captions.job.fetch:
        return []
    urls = store_urls(settings, images=images, videos=videos)
    missing = {url: urls[url] for url in unfetched(urls, Workspace(settings.store).root)}
    if not missing:
        return []
    report = bring_store(settings, missing, progress, retry=scope.retry_all, limit=scope.limit)
    report.here = len(urls) - len(missing)
    return [media_line(report)]


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
    brought = _bring_media(settings, progress, scope, images=job.images_per_item, videos=0)
    report = embed_pictures(
        workspace, embedder, engine=make_engine(settings), config=job, progress=progress, limit=scope.limit,
        retry_all=scope.retry_all,
    )  # fmt: skip
    return [*brought, job_text(report, workspace, (BY_URL,) if brought else ())]


def index_store(settings: Settings, progress: Progress = SILENT) -> list[str]:
    """Build every index the store's captions and vectors allow, and say of each how many items it lacks."""
    from indexes.job import build_indexes

    workspace = Workspace(settings.store)
    captions = store_captions(settings, workspace)
    built = build_indexes(workspace, captions, vectors=settings.indexes.vectors, progress=progress)
    return [
        f"indexes/{b.name}: {b.items:,} items, {'built' if b.built else 'already current'} ({b.kind})"
        f"{_lacking(workspace, b.items)}"
        for b in built
    ]


def _lacking(workspace: Workspace, items: int) -> str:
    manifest = workspace.manifest("catalog")
    whole = manifest.meta.get("items", items) if manifest else items
    return f"; {whole - items:,} of the catalogue's {whole:,} are not in it" if items < whole else ""


def store_captions(settings: Settings, workspace: Workspace) -> dict[str, tuple[Caption, ...]]:
    """Return the captions the settings choose, or none where they were never made."""
    from captioning.job import load_captions

    name = active_captions(settings, workspace)
    return load_captions(workspace, name) if name else {}


def job_text(report: JobReport, workspace: Workspace, told: Collection[str] = ()) -> str:
    """Return a line about a finished batch job, and where something failed the reasons below it.

    `told` are reasons that were said already.
    """
    twice = f" (duplicates among them: {report.duplicates:,})" if report.duplicates else ""
    failed = f", {report.failed:,} failed" if report.failed else ""
    later = f", {report.pending:,} left for later" if report.pending else ""
    line = (
        f"{report.name}: {report.done:,} done{twice}, {report.reused:,} reused{failed}{later}, {report.seconds:.1f} s"
    )
    how = [report_line(report)] if report.rate else []
    rest = [f"{report.resting:,} failed before and left alone (--retry-all tries them)"] if report.resting else []
    return "\n  ".join([line, *how, *rest, *failure_lines(report, workspace, told)])


def failure_lines(report: JobReport, workspace: Workspace, told: Collection[str] = ()) -> list[str]:
    """Return the commonest reasons, each with its count and first case, and where every failure stands; or nothing.

    `told` are reasons that were said already.
    """
    from batch.job import FAILURES

    failures = {reason: count for reason, count in report.failures.items() if reason not in told}
    if not failures:
        return []
    return [*reason_lines(failures, report.examples), f"all of them: {workspace.path(report.name) / FAILURES}"]


def reason_lines(failures: Mapping[str, int], examples: Mapping[str, str]) -> list[str]:
    """Return the commonest reasons, each with its count and first case."""
    return [
        f"{count:,} {reason}, the first: {examples[reason]}"
        for reason, count in islice(failures.items(), REASONS_SHOWN)
    ]


def train_store(
    settings: Settings,
    as_of: datetime | None = None,
    progress: Progress = SILENT,
    *,
    promote: bool = True,
    live: pl.DataFrame | None = None,
) -> list[str]:
    """Fit what the shop serves, on everything up to `as_of`, and keep it as a new version.

    Skipped while nothing it depends on has changed. A version of these very inputs that is kept but not served
    (after a rollback) is promoted in place of a new fit. One that is damaged counts as none, and stays where it is.

    Args:
        settings: Say which recommender, and how many versions are kept.
        as_of: Learn only from events before this moment; None: from all.
        progress: Told of every epoch.
        promote: Whether the shop serves the new version.
        live: Events to learn from beside the log's (`columns.INTERACTIONS`); those that stand in it count once.

    Raises:
        NotBuiltError: When the catalogue is missing.
        DataError: When there is nothing to learn from.
        OSError: When the disk has no room for the version; nothing is lost then.
    """
    from catalog.shop_data import load_shop
    from vitrine.ctr import fit_ctr, undated_free
    from vitrine.fusing import learned_roles, relearned, require_earlier, save_encoders
    from vitrine.retrievers import fitted_beside, save_retrievers
    from vitrine.scorers import Lessons, save_scorers
    from vitrine.shelf import Shelf
    from vitrine.training import before, fit_served, kept_version, model_inputs, model_key, with_live

    workspace = Workspace(settings.store)
    data = load_shop(workspace)
    roles = choose_spaces(settings, workspace, settings.models.serve)
    name, key = settings.models.serve, model_key(settings, workspace, roles, as_of)
    if live is not None and len(live):
        data = replace(data, log=with_live(data.log, live))
        key = content_key(key, live["event_id"].to_list())
    ranker_wanted = settings.models.ranker and bool(workspace.names("indexes"))
    shelf = Shelf(workspace)
    kept, damaged = kept_version(shelf, name, key, ranker_wanted)
    last = max(shelf.versions(name), key=lambda v: (v.number == shelf.promoted(name), v.number), default=None)
    if kept is not None and kept.number == shelf.promoted(name):
        return [f"models/{name}: already current"]
    if kept is not None:
        if promote:
            shelf.promote(kept)
        same = f"models/{name}: version {kept.number} was trained on the same{', and is promoted' * promote}"
        reads = [f"  reads {reads_text(kept.meta)}", *lost_lines(last, kept.meta)]
        return [same, *reads, *(f"in its place, since {fault}" for fault in damaged)]
    log = before(data.log, as_of)
    require_earlier(workspace, roles, as_of)
    bases = load_bases(workspace, roles)
    modalities = load_modalities(workspace, roles)
    fitted = fit_served(
        settings, log, data.catalog.ids, modalities, progress,
        relearn=lambda train: relearned(workspace, roles, modalities, train, log, progress)[0],
    )  # fmt: skip
    why_not = "no index (vitrine index)" if settings.models.ranker else "models.ranker is false"
    taught, ranker_line = None, f"ranker: none, {why_not}"
    if ranker_wanted:
        spaces = shop_spaces(settings, workspace, without_bases(roles, bases))
        if fitted.scout is not None:
            spaces |= {roles[role]: fitted.scout.modalities[role] for role in learned_roles(workspace, roles)}
        taught, ranker_line = _teach(settings, workspace, replace(data, log=log), spaces, fitted.scout, progress)
    past = replace(data, log=log)
    free = undated_free(settings, workspace)
    clicks = fit_ctr(settings, past, free, progress)
    needed = taught is not None or clicks.model is not None
    scorers = Lessons(log, data.catalog.ids, free, settings.positives).fitted() if needed else {}
    retrievers = fitted_beside(settings, log, data.catalog.ids, modalities)
    meta = {
        "roles": roles,
        "bases": sorted(bases),
        "seed": settings.seed,
        "as_of": as_of.isoformat() if as_of is not None else None,
        "epochs": fitted.report.epochs,
        "seconds": round(fitted.report.seconds, 3),
        "metrics": dict(fitted.scout.metrics) if fitted.scout else {},
        "held_out": fitted.scout is not None,
        "ranker_tried": ranker_wanted,
        "ranker": taught.meta() if taught else None,
        "ctr": clicks.meta(),
        "retrievers": sorted(retrievers),
        "scorers": {role: table.space for role, table in free.items()} if scorers else None,
        INPUTS: model_inputs(settings, workspace, roles),
        **provenance(workspace),
    }

    def fill(folder: Path) -> None:
        fitted.model.save(folder)
        save_bases(bases, folder)
        save_encoders(workspace, roles, folder)
        if taught and taught.ranker:
            (folder / RANKER).mkdir()
            taught.ranker.save(folder / RANKER)
        if clicks.model:
            (folder / CTR).mkdir()
            clicks.model.save(folder / CTR)
        save_scorers(scorers, folder)
        save_retrievers(retrievers, folder)

    version = shelf.add(name, key, meta, fill)
    if promote:
        shelf.promote(version)
    gone = shelf.prune(name, settings.models.keep)
    found, epochs = "", fitted.report.epochs
    if fitted.scout and fitted.scout.recall is not None:
        found = f", enough by validation recall@20 {fitted.scout.recall:.4f}"
    lines = [
        f"models/{name}: {epochs} epoch{'' if epochs == 1 else 's'}{found}, {fitted.report.seconds:.1f} s, "
        f"version {version.number}{'' if promote else ' (not promoted)'}"
    ]
    lines += [f"  reads {reads_text(meta)}{unread_intents(settings, workspace)}", clicks.line(), ranker_line]
    if retrievers:
        lines.append(f"beside it propose: {', '.join(sorted(retrievers))}")
    lines += lost_lines(last, meta)
    lines += [f"trained again, since {fault}" for fault in damaged]
    if gone:
        lines.append(f"removed, since models.keep is {settings.models.keep}: {', '.join(map(str, gone))}")
    return lines


def _teach(
    settings: Settings,
    workspace: Workspace,
    data: ShopData,
    spaces: Mapping[str, EmbeddingTable],
    scout: Scout | None,
    progress: Progress,
) -> tuple[TaughtRanker | None, str]:
    """Return the ranker, or None, and a line that says what it learned from or why there is none."""
    from vitrine.ranking import TaughtRanker, fit_ranker
    from vitrine.training import HELD_OUT, MIN_HELD_OUT

    taught = (
        fit_ranker(settings, workspace, data, spaces, scout, progress)
        if scout
        else TaughtRanker(
            None,
            why_not=f"too few positives to hold any out: {MIN_HELD_OUT} in the newest {HELD_OUT:.0%} of them, some by "
            f"shoppers met before, would do (about {MIN_HELD_OUT / HELD_OUT:.0f} in all)",
        )
    )
    if taught.ranker is None:
        return None, f"ranker: none, {taught.why_not}"
    return taught, f"ranker: LambdaRank on {taught.groups:,} shoppers, {taught.rows:,} candidates"


def provenance(workspace: Workspace) -> dict[str, str | None]:
    """Return which data and which code a training is made of."""
    from eval.report import commit

    manifest = workspace.manifest("catalog")
    return {"data_key": manifest.key if manifest else None, "commit": commit()}
