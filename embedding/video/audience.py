"""Who saw a film and who clicked: counts by film, of marketing media and of items with a film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.errors import NothingToDo
from catalog.marketing import ARTIFACT, load_marketing
from catalog.workspace import Workspace
from embedding.video.frame_job import FrameSequence, Source

Values = NDArray[np.float64]

SOURCES: tuple[Source, ...] = ("marketing", "item")


@dataclass(frozen=True, eq=False)
class Audience:
    """Films with their counts, all of one length n.

    Attributes:
        sources: Whose film each is.
        ids: Media or item id.
        groups: What is judged together: the campaign of a marketing medium, the `parent_id` of an item.
        films: Their frames.
        shown: (n,) impressions.
        clicks: (n,) clicks, none without its impression.
        events: The rows of the shop's log that the counts of items were taken from.
    """

    sources: tuple[Source, ...]
    ids: tuple[str, ...]
    groups: tuple[str, ...]
    films: tuple[FrameSequence, ...]
    shown: Values
    clicks: Values
    events: pl.DataFrame

    @property
    def source_rows(self) -> NDArray[np.int64]:
        """Return (n,) 0 for marketing and 1 for items."""
        return np.array([SOURCES.index(source) for source in self.sources], np.int64)

    def of(self, source: Source) -> NDArray[np.int64]:
        """Return the rows of the films of one source."""
        return np.flatnonzero(self.source_rows == SOURCES.index(source))


def gather(
    workspace: Workspace, frames: dict[tuple[Source, str], FrameSequence], as_of: datetime | None = None
) -> Audience:
    """Return every film that could be read, with what was counted before `as_of`; one nobody was shown counts 0.

    Raises:
        NothingToDo: When no film could be read.
    """
    tables, events = [], pl.DataFrame()
    if workspace.has(ARTIFACT):
        marketing = load_marketing(workspace)
        group = pl.col("campaign").fill_null(pl.col("media_id"))
        named = marketing.media.select("media_id", ("marketing " + group).alias("group"))
        counted = marketing.counts(as_of).join(named, on="media_id", maintain_order="left")
        tables.append(counted.rename({"media_id": "id"}).with_columns(pl.lit("marketing").alias("source")))
    if workspace.has("catalog"):
        with workspace.reading("catalog") as folder:
            items = pl.read_parquet(folder / "items.parquet", columns=["item_id", "parent_id", "videos"])
            log = pl.read_parquet(folder / "log.parquet")
        filmed = items.filter(pl.col("videos").list.len() > 0)
        counted, events = item_counts(log, filmed["item_id"].to_list(), as_of)
        group = pl.col("parent_id").fill_null(pl.col("item_id"))
        named = filmed.select("item_id", ("item " + group).alias("group"))
        joined = counted.join(named, on="item_id", maintain_order="left")
        tables.append(joined.rename({"item_id": "id"}).with_columns(pl.lit("item").alias("source")))
    columns = ("source", "id", "group", "impressions", "clicks")
    rows = [row for table in tables for row in table.select(columns).iter_rows() if (row[0], row[1]) in frames]
    if not rows:
        raise NothingToDo("videos: not one film of the store could be read; failures.parquet of the frames says why")
    sources, ids, groups, shown, clicks = zip(*rows, strict=True)
    return Audience(
        sources,
        ids,
        groups,
        tuple(frames[source, each] for source, each in zip(sources, ids, strict=True)),
        np.array(shown, np.float64),
        np.array(clicks, np.float64),
        events,
    )


def item_counts(
    log: pl.DataFrame, item_ids: Sequence[str], as_of: datetime | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return `item_id`, `impressions` and `clicks` of items, in their order, and the rows of the log that were counted.

    An impression is clicked when a click on the item follows in the same request, or, where the log names no
    requests, by the same shopper in the same session. A click without its impression does not count.
    """
    own = log.filter(pl.col("item_id").is_in(list(item_ids)))
    if as_of is not None:
        own = own.filter(pl.col("timestamp") < as_of)
    columns = ["item_id", "user_id", "session_id", "request_id", "timestamp"]
    shown = own.filter(pl.col("kind") == "impression").select(columns)
    clicked = own.filter(pl.col("kind") == "click").select(columns)
    by_request, by_session = ["item_id", "request_id"], ["item_id", "user_id", "session_id"]
    keys = (by_request, pl.col("request_id").is_not_null()), (by_session, pl.col("request_id").is_null())
    parts = []
    for on, which in keys:
        some = shown.filter(which)
        hits = clicked.filter(which).select(on).unique().with_columns(pl.lit(1, pl.Int64).alias("hit"))
        parts.append(some.join(hits, on=on, how="left", nulls_equal=True))
    seen = pl.concat(parts).with_columns(pl.col("hit").fill_null(0))
    summed = seen.group_by("item_id").agg(
        pl.len().cast(pl.Int64).alias("impressions"), pl.col("hit").sum().alias("clicks")
    )
    counted = (
        pl.DataFrame({"item_id": list(item_ids)}, schema={"item_id": pl.String})
        .join(summed, on="item_id", how="left", maintain_order="left")
        .with_columns(pl.col("impressions", "clicks").fill_null(0))
    )
    return counted, own.filter(pl.col("kind").is_in(["impression", "click"])).select("item_id", "user_id", "timestamp")
