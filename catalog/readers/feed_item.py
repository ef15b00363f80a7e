"""What every feed reader is given, and what it gives: items one by one, each with its line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from catalog.nouns import Item
from catalog.readers.item_rows import MediaFiles
from catalog.readers.rejects import Rejects, shown
from catalog.readers.values import BadValue

PRICE_ATTRIBUTES = frozenset({"regular_price", "sale_price", "sale_price_effective_date"})
"""Attributes that belong to a price: a new price takes them with it."""


class FeedItem(NamedTuple):
    """An item, the line it begins in, and how many of its pictures and videos lead nowhere."""

    item: Item
    line: int
    missing: int


class OnlyUrls(MediaFiles):
    """Media of a feed that came over the network: a path in it would be one of this machine, so it leads nowhere."""

    def note(self) -> str:
        """Say which reference was left out first, and why."""
        return f"not brought, the first: {shown(self.first)}; of a feed by URL only addresses lead anywhere"

    def _file(self, reference: str) -> str | None:
        return None


@dataclass
class Reading:
    """How the items of a feed are read.

    Attributes:
        media: Resolves pictures and videos.
        as_of: The moment that prices and dates hold for, aware UTC.
        currency: Of prices that name none.
        refused: Gets the ids of rows that were rejected: such an item is not gone, it is only not understood.
        changes_at: The next moment after `as_of` at which something reads otherwise by itself: a sale begins or ends.
        left_out: Gets what the shop does not offer (drafts), counted by why.
    """

    media: MediaFiles
    as_of: datetime
    currency: str | None = None
    refused: set[str] = field(default_factory=set)
    changes_at: datetime | None = None
    left_out: dict[str, int] = field(default_factory=dict)

    def is_over(self, moment: datetime) -> bool:
        """Whether a moment has come; one that has not is noted in `changes_at`."""
        if moment <= self.as_of:
            return True
        self.changes_at = moment if self.changes_at is None else min(moment, self.changes_at)
        return False

    def leave_out(self, why: str) -> None:
        """Count a product that is not offered."""
        self.left_out[why] = self.left_out.get(why, 0) + 1

    def item(
        self, build: Callable[[], Item], item_id: str | None, file: str, line: int, row: object, rejects: Rejects
    ) -> FeedItem | None:
        """Return the item that `build` makes, or None where it is rejected; `item_id` is what its row says."""
        self.media.taken()
        try:
            item = build()
        except BadValue as error:
            rejects.add(file, line, error.reason, error.detail, row)
            if item_id is not None:
                self.refused.add(item_id)
            return None
        return FeedItem(item, line, self.media.taken())
