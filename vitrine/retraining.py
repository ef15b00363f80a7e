"""`vitrine retrain`: train anew on the catalogue and every event so far, and serve it if it is no worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from batch.lock import exclusive
from catalog.errors import DataError
from catalog.events import EventStore, open_event_store
from catalog.log import log_frame, positives
from catalog.nouns import Interaction
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.sync_journal import absorb
from catalog.workspace import Workspace
from vitrine.jobs import caption_store, embed_store, index_store, train_store
from vitrine.rematch import METRIC, Duel, Rematch, ground_of, rematch, until_of
from vitrine.retrain_config import RetrainConfig
from vitrine.served import open_version, promote_whole
from vitrine.settings import Settings
from vitrine.shelf import Shelf, Version
from vitrine.surge import surge_of
from vitrine.syncing import SYNCING
from vitrine.training import with_live

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
    Nothing is trained while too little has happened since the served version to judge a new one by.

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
        champion = None
        if served is not None:
            try:
                champion = open_version(served).recommender
            except DataError as error:
                lines.append(f"{served} is damaged ({error}), so whatever is whole takes its place")
        events = open_event_store(settings.events, workspace.events_path)
        try:
            live = log_frame(_all(events))
        finally:
            events.close()
        data = load_shop(workspace)
        taken = positives(with_live(data.log, live), settings.positives).sort("timestamp", maintain_order=True)
        if champion is None or served is None:
            ground = None
        else:
            ground = ground_of(taken, until_of(served), settings.retrain.at_least)
            if (new := len(ground.after)) < settings.retrain.at_least:
                why = f"{new} positives since {served} learned, {settings.retrain.at_least} would do to judge by"
                return [*lines, f"nothing is trained: {why} (retrain.at_least; vitrine train does it all the same)"]
            if (risen := surge_of(ground, settings.retrain.surge)) is not None:
                why = f"since {served} learned {risen}; look at these events"
                return [*lines, f"nothing is trained: {why} (retrain.surge; vitrine train does it all the same)"]
        lines += train_store(settings, None, progress, promote=False, live=live)
        made = [version for version in shelf.versions(name) if version.number not in known]
        if not made:
            return [*lines, "it was judged before and not promoted; vitrine models promote serves it all the same"]
        found = None
        if ground is not None and champion is not None:
            found = rematch(settings, workspace, ground, data.catalog.ids, made[-1], champion, progress)
        verdict = judged(made[-1], served if champion is not None else None, found, settings.retrain)
        if verdict.promoted:
            promote_whole(shelf, made[-1])
        return [*lines, verdict.why]


def judged(candidate: Version, served: Version | None, found: Rematch | None, config: RetrainConfig) -> Verdict:
    """Return whether a candidate is to be served in place of what is.

    Args:
        candidate: The new version.
        served: What is served; None: nothing, or nothing that can be opened.
        found: How the two did on the same events; None: nobody met before took anything since.
        config: How much worse it may be, for all shoppers and for those whom the served version knows.
    """
    if served is None:
        return Verdict(True, f"{candidate} is promoted: nothing else can be served")
    if found is None:
        why = "no shopper met before took anything since"
        return Verdict(False, f"{candidate} is not promoted: {why}; {served} is served on")
    by = f"the same {found.events:,} positives since {found.since:%Y-%m-%d %H:%M}, which neither had seen"
    said, lost = f"{METRIC} {_told(found.everyone, served)} on {by}", _worse(found.everyone, config)
    if found.known is not None:
        said += f"; for those whom {served} knows {_told(found.known, served)}"
        lost = lost or _worse(found.known, config)
    if lost:
        return Verdict(False, f"{candidate} is not promoted: {said}; it is kept, and {served} is served on")
    return Verdict(True, f"{candidate} is promoted: {said}; vitrine retrain --rollback goes back")


def _worse(duel: Duel, config: RetrainConfig) -> bool:
    """Whether a candidate is worse beyond what is allowed, and beyond what may be chance."""
    may_be_chance = duel.paired.difference.high >= 0
    return duel.new < duel.old * (1 - max(config.worse_by, config.noise if may_be_chance else 0.0))


def _told(duel: Duel, served: Version) -> str:
    gap = duel.paired.difference
    apart = f"{gap.mean:+.4f} [{gap.low:+.4f}, {gap.high:+.4f}]"
    return f"{duel.new:.4f}, {served} {duel.old:.4f} ({apart}, {duel.shoppers:,} shoppers)"


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
