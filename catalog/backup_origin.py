"""Whose events a backup holds: the shop, its size and the moment, said by the backup itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from catalog.errors import DataError
from catalog.readers.rejects import shown
from catalog.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Origin:
    """What a backup says of itself; None where one of an older version does not.

    Attributes:
        shop: Name of the data set.
        items: In the catalogue then.
        made_at: When, aware UTC.
    """

    shop: str | None = None
    items: int | None = None
    made_at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        made_at = None if self.made_at is None else self.made_at.isoformat(timespec="seconds")
        return {"shop": self.shop, "items": self.items, "made_at": made_at}

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Origin:
        """Read what `to_json` gave, or the head of an older backup.

        Raises:
            ValueError, OverflowError: When the moment is none.
        """
        made_at, items = said.get("made_at"), said.get("items")
        return cls(
            None if said.get("shop") is None else str(said["shop"]),
            items if isinstance(items, int) else None,
            None if made_at is None else datetime.fromisoformat(str(made_at)).astimezone(UTC),
        )

    def __str__(self) -> str:
        shop = "a shop that it does not name" if self.shop is None else f"the shop {shown(self.shop)}"
        items = "" if self.items is None else f" ({self.items:,} items)"
        return shop + items + ("" if self.made_at is None else f", {self.made_at:%Y-%m-%d %H:%M} UTC")


def origin_of(workspace: Workspace) -> Origin:
    """Return whose events a store holds now; unnamed where it has no catalogue."""
    manifest = workspace.manifest("catalog") if workspace.has("catalog") else None
    said = manifest.meta if manifest is not None else {}
    return Origin.of({**said, "shop": said.get("name"), "made_at": datetime.now(UTC).isoformat()})


def check_same_shop(source: object, theirs: Origin, ours: Origin) -> None:
    """Refuse to mix shoppers of two shops.

    Raises:
        DataError: When both are named, and not alike.
    """
    if theirs.shop is not None and ours.shop is not None and theirs.shop != ours.shop:
        raise DataError(
            f"backup {str(source)!r} is of the shop {shown(theirs.shop)} and this store of {shown(ours.shop)}; "
            "--other-shop restores it all the same"
        )
