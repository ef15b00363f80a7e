"""Which media of a catalogue are captioned, in its order; the catalogue is read a few thousand items at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from batch.base import PLANNED_ROWS
from batch.tables import even, read_tables
from catalog.errors import DataError
from catalog.workspace import Workspace

KINDS = {"images": "image", "videos": "video"}


class MediaListing:
    """The media to caption, and how many items have any.

    Args:
        workspace: Holds the catalogue.
        images_per_item: Of each item at most, the first.
        videos_per_item: Likewise.

    Attributes:
        items: Items of the catalogue.
        with_media: Those that have a medium to caption.
        any_video: Whether a video is among the media.

    Raises:
        NotBuiltError: When the store has no catalogue.
        DataError: When no item has any media.
    """

    def __init__(self, workspace: Workspace, images_per_item: int, videos_per_item: int) -> None:
        self._workspace = workspace
        self._most = {"images": images_per_item, "videos": videos_per_item}
        self.items = self.with_media = 0
        self.any_video = False
        has = [pl.col(column).list.head(most).list.len().fill_null(0) > 0 for column, most in self._most.items()]
        with workspace.reading("catalog") as folder:
            for table in read_tables(_items(folder), list(KINDS)):
                found = table.select(has)
                self.items += len(table)
                self.with_media += int(found.select(pl.any_horizontal(pl.all()).sum()).item())
                self.any_video |= bool(found["videos"].any())
        if not self.with_media:
            raise DataError(self._nothing())

    def frames(self) -> Iterator[pl.DataFrame]:
        """Yield tables of `item_id`, `media`, `kind`, a few thousand rows each, in the catalogue's order."""
        with self._workspace.reading("catalog") as folder:
            yield from even(map(self._explode, read_tables(_items(folder), ["item_id", *KINDS])), PLANNED_ROWS)

    def _nothing(self) -> str:
        unwanted = [column for column, most in self._most.items() if not most]
        if not unwanted:
            return f"none of the {self.items} items has a picture or video to caption"
        settings = " and ".join(f"captions.job.{column}_per_item" for column in unwanted)
        text = f"{settings} {'are' if len(unwanted) > 1 else 'is'} 0, so there is nothing to caption"
        looked = " or ".join(KINDS[column] for column in self._most if column not in unwanted)
        others = f", and none of the {self.items} items has a {looked.replace('image', 'picture')}" if looked else ""
        return f"{text}{others}; 1 or more would be valid"

    def _explode(self, table: pl.DataFrame) -> pl.DataFrame:
        kinds = [
            table.with_row_index("item")
            .select(
                "item",
                "item_id",
                pl.col(column).list.head(self._most[column]).list.unique(maintain_order=True).alias("media"),
                pl.lit(kind).alias("kind"),
            )
            .filter(pl.col("media").list.len() > 0)
            .explode("media")
            for column, kind in KINDS.items()
        ]
        # Stable: the pictures of an item stand before its videos, each in the item's own order.
        return pl.concat(kinds).sort("item", maintain_order=True).drop("item")


def _items(folder: Path) -> Path:
    return folder / "items.parquet"
