"""`vitrine retrain`: train anew on the catalogue and every event so far, and serve it if it is no worse."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from batch.lock import exclusive
from catalog.errors import DataError
from catalog.events import open_event_store
from catalog.log import log_frame, positives
from catalog.nouns import Interaction
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.sync_journal import absorb
from catalog.workspace import Workspace
from eval.intervals import FEWEST
from models.base import Recommender
from vitrine.jobs import caption_store, embed_store, index_store
from vitrine.jobs.train import train_version
from vitrine.rematch import METRIC, Duel, Ground, Rematch, ground_of, rematch, until_of
from vitrine.retrain_begun import Begun
from vitrine.retrain_config import RetrainConfig
from vitrine.served import open_version, promote_whole, whole_versions
from vitrine.settings import Settings
from vitrine.shelf import Shelf, Version
from vitrine.surge import surge_of
from vitrine.syncing import SYNCING
from vitrine.training import with_live

_PAGE = 10_000
_REPEATS = 5
"""Takes of one item by one shopper, of one kind, that are learned from, the newest: a page that reloads itself when
something was bought tells no more, and thousands of it would be all that a training judges itself by."""

_AHEAD = timedelta(days=1)
"""How far events may be dated ahead before they count as of a clock that was set back since."""


@dataclass(frozen=True)
class Verdict:
    """Whether a candidate is served, and why in a line."""

    promoted: bool
    why: str


@dataclass(frozen=True, eq=False)
class Live:
    """What shoppers did while the shop was open.

    Attributes:
        events: Of all tenants, as they came (`columns.INTERACTIONS`).
        rows: Their rows in the event store, ascending, (n,).
        last_row: The last row that was read; 0 where there is none.
        repeats: How many more there are that only repeat what their shopper took `_REPEATS` times.
    """

    events: pl.DataFrame
    rows: pl.Series
    last_row: int
    repeats: int

    def after(self, version: Version) -> list[str]:
        """Return the ids of the events that came since a version learned, whatever date they bear.

        None are known for versions of before the store's rows were noted: their dates must do.
        """
        row = version.meta.get("last_row")
        ids: list[str] = self.events.filter(self.rows > row)["event_id"].to_list() if isinstance(row, int) else []
        return ids


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
        served, champion, damage = _served(shelf, name)
        lines += damage
        promoted = shelf.promoted(name)
        live = _live(settings, workspace)
        if live.repeats:
            lines.append(f"{live.repeats:,} events are left out: their shopper took the same {_REPEATS} times since")
        data = load_shop(workspace)
        taken = positives(with_live(data.log, live.events), settings.positives).sort("timestamp", maintain_order=True)
        ground = None
        if served is not None and champion is not None:
            came = live.after(served)
            dated = taken.filter(pl.col("timestamp") <= datetime.now(UTC) + _AHEAD)
            if ahead := len(taken) - len(dated):
                lines.append(f"{ahead:,} positives of a clock that ran ahead are learned from and judge nothing")
            until = _until(served, dated, came)
            ground = ground_of(dated, until, settings.retrain.at_least, champion.users.ids)
            if (why := _why_not(settings, served, dated, ground, came)) is not None:
                return [*lines, f"nothing is trained: {why}"]
        begun = Begun(workspace, shelf, name)
        trained = train_version(
            settings, None, progress, promote=False, live=live.events, last_row=live.last_row
        )  # fmt: skip
        candidate = trained.version
        lines += trained.lines
        if candidate.number in begun.known:
            begun.ended()
            return [*lines, "it was judged before and not promoted; vitrine models promote serves it all the same"]
        found = None
        if ground is not None and champion is not None:
            found = rematch(settings, workspace, ground, data.catalog.ids, candidate, champion, progress)
        if (now := shelf.promoted(name)) != promoted:
            return [*lines, f"{candidate} is kept, and not judged: {name}@{now} was promoted meanwhile; run it again"]
        verdict = judged(candidate, served, found, settings.retrain)
        if verdict.promoted:
            promote_whole(shelf, candidate)
            shelf.prune(name, settings.models.keep)
        begun.ended()
        return [*lines, verdict.why]


def _served(shelf: Shelf, name: str) -> tuple[Version | None, Recommender | None, list[str]]:
    """Return the served version, opened, and what is wrong; where it is damaged, one that was served before is again.

    Without one a candidate would be served unjudged.
    """
    damage: list[str] = []
    try:
        served = shelf.served(name)
        return served, open_version(served).recommender if served is not None else None, []
    except DataError as error:
        damage.append(f"{name}@{shelf.promoted(name)} is damaged ({error}), so whatever is whole takes its place")
    trail = shelf.trail(name)
    before = [each for each in whole_versions(shelf, name, but={shelf.promoted(name)}) if each.number in trail]
    if not before:
        return None, None, damage
    promote_whole(shelf, before[0])
    return before[0], open_version(before[0]).recommender, [*damage, f"{before[0]} is promoted again"]


def _until(served: Version, taken: pl.DataFrame, came: list[str]) -> datetime:
    """Return the last moment of what a version has learned from, as far as it is not of a clock that ran ahead."""
    until = until_of(served)
    if until <= datetime.now(UTC) + _AHEAD:
        return until
    last = taken.filter(~pl.col("event_id").is_in(came))["timestamp"].max()
    return last if isinstance(last, datetime) else datetime.fromisoformat(served.made_at)


def _why_not(settings: Settings, served: Version, taken: pl.DataFrame, ground: Ground, came: list[str]) -> str | None:
    """Return why nothing is trained: too little to judge by, or a surge of one item; None where all is well.

    A surge is looked for among what is judged by, and among all that the served version has not learned: an event that
    bears an old date is as new to it as any.
    """
    if (new := len(ground.after)) < (least := settings.retrain.at_least):
        return f"{new} positives since {served} learned, {least} would do to judge by (retrain.at_least)"
    new_to_it = (pl.col("timestamp") > ground.until) | pl.col("event_id").is_in(came)
    for before, after in ((ground.before, ground.after), (taken.filter(~new_to_it), taken.filter(new_to_it))):
        if (risen := surge_of(before, after, settings.retrain.surge)) is not None:
            return (
                f"since {served} learned {risen}; look at these events "
                "(retrain.surge; where it is a hit, vitrine retrain --set retrain.surge=1)"
            )
    return None


def judged(candidate: Version, served: Version | None, found: Rematch | None, config: RetrainConfig) -> Verdict:
    """Return whether a candidate is to be served in place of what is.

    Args:
        candidate: The new version.
        served: What is served; None: nothing, or nothing that can be opened.
        found: How the two did on the same events; None: too few who were met before took anything since.
        config: How much worse it may be, for all shoppers and for those whom the served version knows.
    """
    if served is None:
        return Verdict(True, f"{candidate} is promoted: nothing else can be served")
    if found is None:
        why = f"fewer than {FEWEST} shoppers met before took anything since that they did not have"
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


def _live(settings: Settings, workspace: Workspace) -> Live:
    """Read every event of every tenant, as they came."""
    events = open_event_store(settings.events, workspace.events_path)
    rows: list[int] = []

    def read() -> Iterator[Interaction]:
        last = 0
        while page := events.since(last, _PAGE):
            last = page[-1][0]
            rows.extend(row for row, _ in page)
            yield from (event for _, event in page)

    try:
        found = log_frame(read()).with_columns(row=pl.Series(rows, dtype=pl.Int64))
    finally:
        events.close()
    newest = pl.int_range(pl.len(), 0, -1).over("user_id", "item_id", "kind") <= _REPEATS
    # Of what counts as a success alone: how often a thing was shown in vain says something each time.
    kinds = positives(found, settings.positives)["kind"].unique().to_list()
    kept = found.sort("timestamp", maintain_order=True).filter(newest | ~pl.col("kind").is_in(kinds)).sort("row")
    return Live(kept.drop("row"), kept["row"], rows[-1] if rows else 0, len(found) - len(kept))
