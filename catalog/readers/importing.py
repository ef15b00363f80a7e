"""`Import`: what a reader gives, and its way into the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

import polars as pl

from catalog.items import items_frame, users_frame
from catalog.nouns import Item, User
from catalog.readers.item_rows import MediaFiles
from catalog.readers.rejects import Rejects
from catalog.shop_data import ShopData, save_shop
from catalog.split_rules import CLOCK_STARTS
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace, content_key

REJECTS_FILE = "rejects.jsonl"

Clock = Literal["time", "rank", "file order", "none"]
"""What a log's timestamps are: moments, a rank in each user's own order, the order of the file, or no log at all."""


@dataclass(frozen=True, eq=False)
class Import:
    """One shop as read, not yet saved.

    Attributes:
        shop: Items, log and users.
        embeddings: Vectors that came along, by space.
        counts: `items`, `interactions`, `users`, `media` (references of the items), `media_missing` (theirs
            that lead nowhere), `rejected`.
        rejects: Every row that was not used, with its reason.
        clock: What the timestamps of the log are.
        notes: What else was left out or added, a line each; `counts` has the numbers.
        media_missing: Item id -> how many of its references lead nowhere, where any does.
    """

    shop: ShopData
    embeddings: Mapping[str, EmbeddingTable]
    counts: Mapping[str, int]
    rejects: Rejects
    clock: Clock
    notes: tuple[str, ...] = ()
    media_missing: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ImportSummary:
    """What was saved: for the terminal (`text`) and for machines."""

    name: str
    key: str
    counts: Mapping[str, int]
    spaces: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    rejected: Mapping[str, int] = field(default_factory=dict)
    rejects_text: str = ""
    clock: Clock = "none"
    notes: tuple[str, ...] = ()

    def text(self) -> str:
        """Return a few plain lines."""
        counts = self.counts
        missing = f" ({counts['media_missing']:,} more named and not there)" if counts["media_missing"] else ""
        lines = [
            f"{self.name}: {counts['items']:,} items, {counts['interactions']:,} interactions, "
            f"{counts['users']:,} users, {counts['media']:,} pictures and videos{missing}"
        ]
        lines += [f"space {name}: {n:,} vectors of width {d}" for name, (n, d) in self.spaces.items()]
        if self.clock in ("rank", "file order"):
            lines.append(f"timestamps are no clock ({self.clock}): protocol 'temporal' needs a label column")
        return "\n".join([*lines, *self.notes, self.rejects_text])


def assemble(
    name: str,
    items: Iterable[Item],
    log: pl.DataFrame,
    users: Iterable[User],
    media: MediaFiles,
    rejects: Rejects,
    *,
    spaces: Mapping[str, EmbeddingTable] | None = None,
    timed: bool,
) -> Import:
    """Return the import of what a reader read; `timed` says whether the log had timestamps."""
    shop = ShopData(name, items_frame(items), log, all_users(users_frame(users), log))
    counts = {
        "items": shop.items.height,
        "interactions": log.height,
        "users": shop.users.height,
        "media": media_of(shop.items),
        "media_missing": missing_of(shop.items, media.missing),
        "rejected": len(rejects),
    }
    notes = (media.note(),) if counts["media_missing"] else ()
    clock = clock_of(log, timed=timed)
    return Import(shop, spaces or {}, counts, rejects, clock, notes, media_missing=media.missing)


def save_import(workspace: Workspace, imported: Import, *, now: datetime | None = None) -> ImportSummary:
    """Write the `catalog` artifact with its `rejects.jsonl`, and one `embeddings/<space>` for each space.

    Spaces of an earlier import that did not come along this time are removed: their vectors belong
    to other items.

    Args:
        workspace: The store.
        imported: What was read.
        now: What timestamps are held against, aware; None: the clock's.

    Raises:
        DataError: When there is no item; nothing is written.
    """
    shop, rejects = imported.shop, imported.rejects
    stray = stray_timestamps(shop.log, now or datetime.now(UTC)) if imported.clock == "time" else ()
    notes = (*imported.notes, *stray)
    meta = {
        "counts": dict(imported.counts),
        "rejected": dict(rejects.counts),
        "clock": imported.clock,
        "notes": list(notes),
    }
    key = save_shop(workspace, shop, meta, extra=lambda folder: rejects.save(folder / REJECTS_FILE))
    for name in workspace.names("embeddings"):
        manifest = workspace.manifest(f"embeddings/{name}")
        if name not in imported.embeddings and manifest is not None and manifest.meta.get("source") == "import":
            workspace.remove(f"embeddings/{name}")
    for name, table in imported.embeddings.items():
        _save_space(workspace, name, table, key)
    return ImportSummary(
        shop.name,
        key,
        imported.counts,
        {name: table.vectors.shape for name, table in imported.embeddings.items()},
        dict(rejects.counts),
        rejects.summary(),
        imported.clock,
        notes,
    )


def _save_space(workspace: Workspace, name: str, table: EmbeddingTable, catalog_key: str) -> None:
    key = content_key(table.space, table.ids.sha(), table.vectors.tobytes())
    meta = {"source": "import", "space": table.space, "n": len(table.ids), "dim": table.dim, "catalog": catalog_key}
    with workspace.writing(f"embeddings/{name}", key, meta) as folder:
        table.save(folder)


def media_of(items: pl.DataFrame) -> int:
    """Return how many pictures and videos an item table refers to."""
    return int(items.select((pl.col("images").list.len() + pl.col("videos").list.len()).sum()).item() or 0)


def missing_of(items: pl.DataFrame, missing: Mapping[str, int]) -> int:
    """Return how many references of an item table lead nowhere, given those of each id."""
    return sum(missing.get(item_id, 0) for item_id in items["item_id"]) if missing else 0


def clock_of(log: pl.DataFrame, *, timed: bool) -> Clock:
    """Return what the timestamps of `log` are; `timed` says whether the file had any."""
    if not log.height:
        return "none"
    if not timed:
        return "file order"
    return "time" if log.filter(pl.col("timestamp") >= CLOCK_STARTS).height else "rank"


def stray_timestamps(log: pl.DataFrame, now: datetime) -> tuple[str, ...]:
    """Return a line where events are of times that cannot be: one of next year makes all others a year old."""
    late = log.filter(pl.col("timestamp") > now + timedelta(days=1))["timestamp"]
    early = log.filter(pl.col("timestamp") < CLOCK_STARTS)["timestamp"]
    found = [(late, "in the future (the last of", late.max()), (early, "before 1973 (the first of", early.min())]
    told = [
        f"{len(each):,} {where} {moment:%Y-%m-%d})" for each, where, moment in found if isinstance(moment, datetime)
    ]
    if not told:
        return ()
    return (
        f"interactions at stray times: {', '.join(told)}; what is recent and where splits cut is counted from the "
        "log's last moment, so a log without them would be better",
    )


def all_users(table: pl.DataFrame, log: pl.DataFrame) -> pl.DataFrame:
    """Return the user table: those known, then those met in the log only, in order of first appearance."""
    met = log.select("user_id").unique(maintain_order=True).join(table, on="user_id", how="anti", maintain_order="left")
    return pl.concat([table, users_frame(User(user_id) for user_id in met["user_id"])])
