"""What the shop serves, fitted and kept as a version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.progress import SILENT, Progress
from catalog.shop_data import ShopData
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace, content_key
from vitrine.bases import load_bases, save_bases, without_bases
from vitrine.chain import INPUTS
from vitrine.reads import lost_lines, reads_text, unlearned, unread_intents
from vitrine.served import CTR, RANKER
from vitrine.settings import Settings
from vitrine.wiring import choose_spaces, load_modalities, shop_spaces

if TYPE_CHECKING:
    import polars as pl

    from vitrine.ranking import TaughtRanker
    from vitrine.shelf import Version
    from vitrine.training import Scout


@dataclass(frozen=True)
class Trained:
    """What a training came to: the version, new or kept from before, and what is said of it."""

    version: Version
    lines: list[str]


def train_store(
    settings: Settings, as_of: datetime | None = None, progress: Progress = SILENT, *, promote: bool = True
) -> list[str]:
    """Fit what the shop serves, on everything in its log up to `as_of`, as a new version; say what was done.

    See `train_version`. Live events are no part of the log: `vitrine.retraining` learns from them as well.
    """
    return train_version(settings, as_of, progress, promote=promote).lines


def train_version(
    settings: Settings,
    as_of: datetime | None = None,
    progress: Progress = SILENT,
    *,
    promote: bool = True,
    live: pl.DataFrame | None = None,
    last_row: int = 0,
) -> Trained:
    """Fit what the shop serves, on everything up to `as_of`, and keep it as a new version.

    Skipped while nothing it depends on has changed. A version of these very inputs that is kept but not served
    (after a rollback) is promoted in place of a new fit. One that is damaged counts as none, and stays where it is.

    Args:
        settings: Say which recommender, and how many versions are kept.
        as_of: Learn only from events before this moment; None: from all.
        progress: Told of every epoch.
        promote: Whether the shop serves the new version.
        live: Events to learn from beside the log's (`columns.INTERACTIONS`); those that stand in it count once.
        last_row: Up to which row of the event store these are all.

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
        return Trained(kept, [f"models/{name}: already current"])
    if kept is not None:
        if promote:
            shelf.promote(kept)
        same = f"models/{name}: version {kept.number} was trained on the same{', and is promoted' * promote}"
        reads = [f"  reads {reads_text(kept.meta)}", *lost_lines(last, kept.meta), *unlearned(last, kept.meta)]
        return Trained(kept, [same, *reads, *(f"in its place, since {fault}" for fault in damaged)])
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
        searched = without_bases(roles, bases)
        # Who names the vectors names those of the ranker too; without any name it reads whatever the shop searches in.
        named = sorted(set(searched.values())) if settings.models.modalities else []
        tables = load_modalities(workspace, {space: space for space in named})
        spaces = tables or shop_spaces(settings, workspace, searched)
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
        "until": _last_moment(log),
        "last_row": last_row,
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
    gone = shelf.prune(name, settings.models.keep, spare=version)
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
    lines += [*lost_lines(last, meta), *unlearned(last, meta)]
    lines += [f"trained again, since {fault}" for fault in damaged]
    if gone:
        lines.append(f"removed, since models.keep is {settings.models.keep}: {', '.join(map(str, gone))}")
    return Trained(version, lines)


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


def _last_moment(log: pl.DataFrame) -> str | None:
    last = log["timestamp"].max()
    return last.isoformat() if isinstance(last, datetime) else None
