"""`vitrine retrain`: train anew on the catalogue and every event so far, and serve it if it is no worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from batch.lock import exclusive
from catalog.events import EventStore, open_event_store
from catalog.log import log_frame
from catalog.nouns import Interaction
from catalog.progress import SILENT, Progress
from catalog.sync_journal import absorb
from catalog.workspace import Workspace
from vitrine.jobs import caption_store, embed_store, index_store, train_store
from vitrine.retrain_config import RetrainConfig
from vitrine.served import promote_whole
from vitrine.settings import Settings
from vitrine.shelf import Shelf, Version
from vitrine.syncing import SYNCING

METRIC = "ndcg@20"
"""What is compared: of each version's scout, on the newest tenth of the positives there were, which it had not seen."""

_PAGE = 10_000


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate is served, and why in a line."""

    promoted: bool
    why: str


def retrain_store(settings: Settings, progress: Progress = SILENT) -> list[str]:
    """Train anew and promote what is no worse than what is served; say what was done.

    Items that were written while the shop was open are worked into the catalogue first, with captions, vectors and
    indexes; live events are learned from beside the log, which they do not enter: who is forgotten is in no artifact.

    Raises:
        BusyError: When another retraining or sync of this store is going on.
        NotBuiltError: When the catalogue is missing.
        DataError: When there is nothing to learn from.
    """
    workspace = Workspace(settings.store)
    shelf, name = Shelf(workspace), settings.models.serve
    with exclusive(workspace.root / ".retrain.lock", "retrain"):
        lines = _renewed(settings, workspace, progress)
        served, known = shelf.served(name), {version.number for version in shelf.versions(name)}
        events = open_event_store(settings.events, workspace.events_path)
        try:
            live = log_frame(_all(events))
        finally:
            events.close()
        lines += train_store(settings, None, progress, promote=False, live=live)
        new = [version for version in shelf.versions(name) if version.number not in known]
        if not new:
            return [*lines, "nothing to promote: no version was made"]
        verdict = judged(new[-1], served, settings.retrain)
        if verdict.promoted:
            promote_whole(shelf, new[-1])
        return [*lines, verdict.why]


def judged(candidate: Version, served: Version | None, config: RetrainConfig) -> Verdict:
    """Return whether a candidate is to be served in place of what is.

    Without a figure nothing speaks for a candidate, unless nothing is served yet.
    """
    if served is None:
        return Verdict(True, f"{candidate} is promoted: nothing was served before")
    new, old = candidate.meta.get("metrics", {}).get(METRIC), served.meta.get("metrics", {}).get(METRIC)
    if new is None:
        return Verdict(False, f"{candidate} is not promoted: too few new positives to judge it; {served} is served on")
    if old is None:
        return Verdict(True, f"{candidate} is promoted: {METRIC} {new:.4f}, and {served} was never judged")
    found = f"{METRIC} {new:.4f}, {served} {old:.4f}"
    if new < old * (1 - config.worse_by):
        return Verdict(False, f"{candidate} is not promoted: {found}; it is kept, and {served} is served on")
    return Verdict(True, f"{candidate} is promoted: {found}; vitrine retrain --rollback goes back")


def _renewed(settings: Settings, workspace: Workspace, progress: Progress) -> list[str]:
    """Work what was written into catalogue, captions, vectors and indexes; nothing happens where nothing was."""
    with exclusive(workspace.root / SYNCING, "sync"):
        written = absorb(workspace)
    if not written:
        return []
    lines = [f"{written:,} items that were written while the shop was open are in the catalogue"]
    if workspace.names("captions"):
        lines.append(caption_store(settings, progress))
    if workspace.names("embeddings"):
        lines += embed_store(settings, progress)
    return [*lines, *index_store(settings, progress)]


def _all(events: EventStore) -> Iterator[Interaction]:
    """Yield every event of every tenant, as they came."""
    last = 0
    while page := events.since(last, _PAGE):
        last = page[-1][0]
        yield from (event for _, event in page)
