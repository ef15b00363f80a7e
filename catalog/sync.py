"""`sync_feed`: a shop's feed into the store, changing only what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from catalog.columns import INTERACTIONS, ITEMS, USERS
from catalog.errors import DataError
from catalog.readers.feeds import Feed, FeedConfig, unnamed_currency
from catalog.readers.importing import REJECTS_FILE, media_of
from catalog.shop_data import ShopData, load_shop, save_shop
from catalog.sync_changes import Changes, compare
from catalog.workspace import Workspace

_OTHER_SHOP = frozenset({"name", "items", "interactions", "users", "generated", "boutique", "config"})
"""Of the old manifest: what is counted anew, and what is no longer true of a generated shop."""

NAMED_FIELDS = 5
"""Fields that a summary names, the most changed first."""

EXAMPLES = 5
"""Ids that a dry run names of each kind of change."""


class SyncConfig(BaseModel):
    """How `vitrine sync` reads a feed and what it may do to the catalogue."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feed: FeedConfig = FeedConfig()
    """How the feed is read."""
    removed: Literal["unavailable", "delete"] = "unavailable"
    """What becomes of items that the feed no longer names: marked as not available, or deleted with their events."""
    max_removed: float = Field(0.3, ge=0, le=1)
    """Share of the items on offer that a feed may take off offer; one that would take more, as a cut one does, is
    refused unless `--allow-removal` says it is right."""
    max_bytes: int = Field(2_000_000_000, gt=0)
    """Of a feed by URL, as it comes."""
    tries: int = Field(3, ge=1)
    """Requests for a feed by URL, where the failure may pass."""


@dataclass(frozen=True)
class SyncReport:
    """What a sync did, or would do.

    Attributes:
        name: Of the catalogue.
        form: What the feed was recognised as.
        counts: `added`, `changed`, `unchanged`, `removed` (taken off offer, or deleted), `kept` (unnamed by the feed,
            but by a rejected row), `unknown` (rows of a partial feed), `rejected`, `items` (in the catalogue after),
            `media_missing`, `events_removed`.
        fields: Field -> how many of the changed items differ in it.
        key: Content key of the catalogue; None at a dry run.
        removed_as: What became of those removed.
        rejects_text: Of the rejected rows.
        examples: `added`, `changed`, `removed` -> the first few ids.
        notes: What else there is to say.
    """

    name: str
    form: str
    counts: Mapping[str, int]
    fields: Mapping[str, int]
    key: str | None
    removed_as: str
    rejects_text: str
    examples: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = field(default=())

    @property
    def changes(self) -> int:
        """How many items become others."""
        return sum(self.counts[name] for name in ("added", "changed", "removed"))

    def text(self) -> str:
        """Return a few plain lines."""
        counts = self.counts
        named = [f"{field} {count:,}" for field, count in list(self.fields.items())[:NAMED_FIELDS]]
        of_them = f" ({', '.join(named)})" if named else ""
        as_what = f" ({self.removed_as})" if counts["removed"] else ""
        lines = [
            f"{self.name}: {counts['added']:,} added, {counts['changed']:,} changed{of_them}, "
            f"{counts['unchanged']:,} unchanged, {counts['removed']:,} removed{as_what}; "
            f"{counts['items']:,} items, read as {self.form}"
        ]
        if counts["kept"]:
            lines.append(f"left as they were, since the feed names them in rejected rows only: {counts['kept']:,}")
        if counts["unknown"]:
            lines.append(f"{counts['unknown']:,} rows of this partial feed name items that the catalogue does not have")
        if counts["events_removed"]:
            lines.append(f"{counts['events_removed']:,} events of deleted items left the log")
        if counts["media_missing"]:
            lines.append(f"{counts['media_missing']:,} pictures and videos lead nowhere")
        lines += [*self.notes, self.rejects_text]
        if self.key is None:
            lines += [f"{what}: {_few(ids, counts[what])}" for what, ids in self.examples.items() if ids]
            lines.append("dry run: nothing was written")
        return "\n".join(lines)


def sync_feed(
    workspace: Workspace,
    feed: Feed,
    config: SyncConfig | None = None,
    *,
    partial: bool = False,
    allow_removal: bool = False,
    dry_run: bool = False,
) -> SyncReport:
    """Bring the `catalog` artifact to what a feed says; where nothing changed, nothing is written.

    The log and the users stay. The artifact is replaced as a whole: a run that is killed leaves the old catalogue.

    Args:
        workspace: Holds the catalogue; where it has none, the feed becomes one.
        feed: As read.
        config: What becomes of removed items, and how many there may be.
        partial: Whether the feed says some fields of some items only (Google's supplemental feeds).
        allow_removal: Whether more than `config.max_removed` may go.
        dry_run: Only say what would be done.

    Raises:
        DataError: When too much would go, or a partial feed names nothing that is there; nothing is written.
    """
    config = config or SyncConfig()
    standing = workspace.manifest("catalog")
    if standing is None and partial:
        raise DataError(
            f"{feed.name!r} is a partial feed, and the store has no catalogue yet; a whole one would be valid"
        )
    shop = load_shop(workspace) if standing is not None else _empty(feed.name)
    changes = compare(shop.items, feed, partial=partial, delete=config.removed == "delete")
    _allow(changes, config, feed, allowed=allow_removal)
    log = shop.log.filter(~pl.col("item_id").is_in([*changes.dropped])) if changes.dropped else shop.log
    counts = {
        "items": changes.items.height,
        "added": len(changes.added),
        "changed": len(changes.changed),
        "unchanged": changes.unchanged,
        "removed": len(changes.gone | changes.dropped),
        "kept": changes.kept,
        "unknown": changes.unknown,
        "rejected": len(feed.rejects),
        "media_missing": sum(feed.missing.values()),
        "events_removed": shop.log.height - log.height,
    }
    key = None
    if not dry_run:
        after = ShopData(shop.name, changes.items, log, shop.users)
        key = standing.key if standing is not None and not changes.any else _save(workspace, after, feed, counts)
    rejected = feed.rejects.summary()
    marked = "deleted" if config.removed == "delete" else "marked as not available"
    examples = {
        "added": _first(changes.items, changes.added),
        "changed": _first(changes.items, changes.changed),
        "removed": _first(shop.items, changes.gone | changes.dropped),
    }
    notes = (*feed.notes, *unnamed_currency(changes.items))
    return SyncReport(shop.name, feed.form, counts, changes.fields, key, marked, rejected, examples, notes)


def _first(items: pl.DataFrame, ids: frozenset[str]) -> tuple[str, ...]:
    return tuple(items.filter(pl.col("item_id").is_in([*ids]))["item_id"].head(EXAMPLES)) if ids else ()


def _few(ids: tuple[str, ...], count: int) -> str:
    more = f" and {count - len(ids):,} more" if count > len(ids) else ""
    return f"{', '.join(map(repr, ids))}{more}"


def _allow(changes: Changes, config: SyncConfig, feed: Feed, *, allowed: bool) -> None:
    share = len(changes.gone) / max(changes.offered, 1)
    if share > config.max_removed and not allowed:
        raise DataError(
            f"feed {feed.name!r} would take {len(changes.gone):,} of {changes.offered:,} items off offer "
            f"({share:.0%}; at most {config.max_removed:.0%} may go): a cut feed, or another shop's? "
            "--allow-removal would be valid where it is right"
        )


def _save(workspace: Workspace, shop: ShopData, feed: Feed, counts: Mapping[str, int]) -> str:
    standing = workspace.manifest("catalog")
    kept = dict(standing.meta) if standing is not None else {"clock": "none", "notes": []}
    meta: dict[str, Any] = {name: value for name, value in kept.items() if name not in _OTHER_SHOP}
    sizes = {"items": shop.items.height, "interactions": shop.log.height, "users": shop.users.height}
    missing = {"media_missing": counts["media_missing"], "rejected": counts["rejected"]}
    meta["counts"] = {**sizes, "media": media_of(shop.items), **missing}
    meta["rejected"] = dict(feed.rejects.counts)
    meta["sync"] = {"form": feed.form, **counts}
    return save_shop(workspace, shop, meta, extra=lambda folder: feed.rejects.save(folder / REJECTS_FILE))


def _empty(name: str) -> ShopData:
    return ShopData(name, pl.DataFrame(schema=ITEMS), pl.DataFrame(schema=INTERACTIONS), pl.DataFrame(schema=USERS))
