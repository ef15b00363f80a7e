"""Marketing media: films that a shop shows outside its product pages, and who saw and clicked them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from catalog.columns import IMPRESSIONS, MARKETING_MEDIA
from catalog.errors import DataError
from catalog.saving import save_tables
from catalog.workspace import Workspace

ARTIFACT = "marketing"


@dataclass(frozen=True, slots=True)
class MarketingMedia:
    """One marketing film, an entity of its own: it belongs to no item, and may show several.

    Attributes:
        media_id: External id.
        video: http(s) URL or file path (relative to the workspace root).
        title: What the shop calls it.
        campaign: What it belongs to; films of one campaign are judged together.
        item_ids: Items it shows.
        published_at: When it was first shown, aware UTC.
    """

    media_id: str
    video: str
    title: str | None = None
    campaign: str | None = None
    item_ids: tuple[str, ...] = ()
    published_at: datetime | None = None


@dataclass(frozen=True, eq=False)
class Marketing:
    """All marketing media of a shop and their impressions.

    Attributes:
        media: Table with the columns of `columns.MARKETING_MEDIA`.
        impressions: Table with the columns of `columns.IMPRESSIONS`.

    Raises:
        DataError: When an id stands twice, a medium has no video, or an impression names no known medium.
    """

    media: pl.DataFrame
    impressions: pl.DataFrame

    def __post_init__(self) -> None:
        for name, table, schema in (
            ("media", self.media, MARKETING_MEDIA),
            ("impressions", self.impressions, IMPRESSIONS),
        ):
            if dict(table.schema) != dict(schema):
                raise DataError(
                    f"marketing {name}: columns {', '.join(table.columns)}; {', '.join(schema)} (typed) would be valid"
                )
        ids = self.media["media_id"]
        if ids.null_count() or self.media["video"].null_count():
            raise DataError("marketing media: a row without media_id or video; both are needed")
        if len(twice := self.media.filter(ids.is_duplicated())["media_id"]):
            raise DataError(f"marketing media: media_id {twice[0]!r} stands {twice.value_counts()['count'][0]} times")
        unknown = self.impressions.join(self.media, on="media_id", how="anti")
        if len(unknown):
            raise DataError(
                f"marketing impressions: unknown media_id {unknown['media_id'][0]!r} (of {len(self.media)} known)"
            )
        if self.impressions["clicked"].null_count():
            raise DataError("marketing impressions: a row without clicked; true or false is needed")

    def nouns(self) -> list[MarketingMedia]:
        """Return the media in the order of the table."""
        rows = self.media.iter_rows(named=True)
        return [MarketingMedia(**{**row, "item_ids": tuple(row["item_ids"] or ())}) for row in rows]

    def counts(self, as_of: datetime | None = None) -> pl.DataFrame:
        """Return `media_id`, `impressions` and `clicks` of every medium, in the order of the table.

        Args:
            as_of: Count only what was shown before this moment; None: everything.
        """
        seen = self.impressions if as_of is None else self.impressions.filter(pl.col("timestamp") < as_of)
        summed = seen.group_by("media_id").agg(
            pl.len().cast(pl.Int64).alias("impressions"), pl.col("clicked").sum().cast(pl.Int64).alias("clicks")
        )
        return (
            self.media.select("media_id")
            .join(summed, on="media_id", how="left", maintain_order="left")
            .with_columns(pl.col("impressions", "clicks").fill_null(0))
        )

    def early(self, as_of: datetime | None = None) -> tuple[int, int]:
        """Return how many impressions, and how many of them with a click, came before their film was published.

        Args:
            as_of: Count only what was shown before this moment; None: everything.
        """
        seen = self.impressions if as_of is None else self.impressions.filter(pl.col("timestamp") < as_of)
        dated = seen.join(self.media.select("media_id", "published_at"), on="media_id")
        before = dated.filter(pl.col("timestamp") < pl.col("published_at"))
        return len(before), int(before["clicked"].sum())


def early_line(impressions: int, clicks: int) -> list[str]:
    """Return a line about impressions from before their films were published; none where there are none."""
    if not impressions:
        return []
    return [
        f"{impressions:,} impressions ({clicks:,} clicked) are dated before their film was published (published_at); "
        "they count all the same: look at the dates"
    ]


def media_frame(media: Iterable[MarketingMedia]) -> pl.DataFrame:
    """Return media as a table with the columns of `columns.MARKETING_MEDIA`."""
    rows = [{name: getattr(medium, name) for name in MARKETING_MEDIA} for medium in media]
    return pl.DataFrame(
        [{**row, "item_ids": list(row["item_ids"])} for row in rows], schema=MARKETING_MEDIA, orient="row"
    )


def save_marketing(
    workspace: Workspace,
    marketing: Marketing,
    meta: Mapping[str, Any] | None = None,
    *,
    extra: Callable[[Path], None] | None = None,
) -> str:
    """Write the `marketing` artifact and return its content key.

    Args:
        workspace: Where to.
        marketing: What to write.
        meta: Further metadata for the manifest.
        extra: Writes further files into the artifact's folder, all-or-nothing with the rest.

    Raises:
        DataError: When there is no medium at all.
    """
    if not len(marketing.media):
        raise DataError("marketing: no medium was read, so there is nothing to save")
    told = {
        "media": len(marketing.media),
        "impressions": len(marketing.impressions),
        "clicks": int(marketing.impressions["clicked"].sum()),
    }
    tables = {"media": marketing.media, "impressions": marketing.impressions}
    return save_tables(
        workspace, ARTIFACT, tables, {**told, **(meta or {})}, of=(ARTIFACT, meta), extra=extra, keep_same=True
    )


def load_marketing(workspace: Workspace) -> Marketing:
    """Read the `marketing` artifact.

    Raises:
        NotBuiltError: When the store has none.
        DataError: When it is damaged.
    """
    with workspace.reading(ARTIFACT) as folder:
        return Marketing(pl.read_parquet(folder / "media.parquet"), pl.read_parquet(folder / "impressions.parquet"))
