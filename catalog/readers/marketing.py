"""Marketing media and their impressions from plain tables (CSV, TSV, JSON lines, Parquet)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from catalog.columns import IMPRESSIONS, MARKETING_MEDIA
from catalog.errors import DataError, did_you_mean
from catalog.marketing import Marketing, MarketingMedia, early_line, media_frame
from catalog.readers.item_rows import MediaFiles
from catalog.readers.rejects import Rejects, shown
from catalog.readers.rows import RowSource, batches, open_rows
from catalog.readers.values import BadValue, as_bool, as_micros, as_several, as_text

MEDIA_NAMES: Mapping[str, tuple[str, ...]] = {
    "media_id": ("media_id", "ad_id", "creative_id", "video_id", "id"),
    "video": ("video", "video_url", "video_path", "file", "url", "path"),
    "title": ("title", "name", "ad_name", "creative_name", "headline"),
    "campaign": ("campaign", "campaign_name", "campaign_id"),
    "item_ids": ("item_ids", "items", "products", "product_ids", "item_id"),
    "published_at": ("published_at", "published", "start_time", "start_date", "created_at", "date"),
}
IMPRESSION_NAMES: Mapping[str, tuple[str, ...]] = {
    "media_id": ("media_id", "ad_id", "creative_id", "video_id"),
    "user_id": ("user_id", "user", "customer_id", "visitor_id"),
    "timestamp": ("timestamp", "time", "ts", "datetime", "date", "event_time", "shown_at"),
    "clicked": ("clicked", "click", "is_click", "label"),
}
"""By noun, the source names that are understood, the preferred first."""

_NEEDED = {"media": ("media_id", "video"), "impressions": ("media_id", "timestamp", "clicked")}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, eq=False)
class MarketingImport:
    """What was read, not yet saved, and every row that was not used."""

    marketing: Marketing
    rejects: Rejects

    def text(self) -> str:
        """Return a line or two for the terminal."""
        media, impressions = self.marketing.media, self.marketing.impressions
        counted = f"{len(media):,} media, {len(impressions):,} impressions, {impressions['clicked'].sum():,} clicks"
        return "\n".join([f"marketing: {counted}", self.rejects.summary(), *early_line(*self.marketing.early())])


def read_marketing(
    media: Path, impressions: Path | None = None, columns: Mapping[str, str] | None = None
) -> MarketingImport:
    """Read marketing media and who saw and clicked them; a row that cannot be used is kept apart with its reason.

    Args:
        media: One row a medium; a video's path starts from this file's folder.
        impressions: One row each time one was shown. None: nobody was shown any yet.
        columns: Noun -> source column, e.g. `{"media_id": "ad"}`; it holds for each table that has the column.

    Raises:
        DataError: When a file cannot be read, a needed column is missing, the map names what there is not, or no
            medium is left.
    """
    rejects, given = Rejects(), dict(columns or {})
    tables = {"media": open_rows(media), **({"impressions": open_rows(impressions)} if impressions else {})}
    mapped = _mapped(tables, given)
    found = list(_media(tables["media"], mapped["media"], MediaFiles(media.parent), rejects))
    if not found:
        raise DataError(f"file {str(media)!r}: no marketing medium was read; {rejects.summary()}")
    seen = pl.DataFrame(schema=IMPRESSIONS)
    if impressions is not None:
        known = {medium.media_id for medium in found}
        frames = [seen, *_impressions(tables["impressions"], mapped["impressions"], known, rejects)]
        seen = pl.concat(frames).sort("timestamp", maintain_order=True)
    return MarketingImport(Marketing(media_frame(found), seen), rejects)


def _mapped(tables: Mapping[str, RowSource], given: Mapping[str, str]) -> dict[str, dict[str, str]]:
    nouns = {"media": MEDIA_NAMES, "impressions": IMPRESSION_NAMES}
    known = sorted({*MARKETING_MEDIA, *IMPRESSIONS})
    for target, source in given.items():
        if target not in known:
            raise DataError(f"column map: unknown target {target!r} of marketing. {did_you_mean(target, known)}")
        if not any(target in nouns[table] and source in rows.columns for table, rows in tables.items()):
            there = [name for rows in tables.values() for name in rows.columns]
            raise DataError(f"column map: no table has {source!r} for {target!r}. {did_you_mean(source, there)}")
    mapped = {table: _by_name(rows.columns, nouns[table], given) for table, rows in tables.items()}
    for table, rows in tables.items():
        for target in _NEEDED[table]:
            if target not in mapped[table]:
                raise DataError(
                    f"file {rows.name!r} has no column for {target!r} of {table}; its columns are "
                    f"{', '.join(rows.columns)}; one of {', '.join(nouns[table][target])}, or --column "
                    f"{target}=<column>, would be valid"
                )
    return mapped


def _by_name(columns: Sequence[str], names: Mapping[str, tuple[str, ...]], given: Mapping[str, str]) -> dict[str, str]:
    plain = {re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_"): name for name in reversed(columns)}
    taken = {target: given[target] for target in names if given.get(target) in columns}
    for target, known in names.items():
        free = (plain[name] for name in known if name in plain and plain[name] not in taken.values())
        if target not in taken and (source := next(free, None)) is not None:
            taken[target] = source
    return taken


def _media(
    source: RowSource, mapped: Mapping[str, str], files: MediaFiles, rejects: Rejects
) -> Iterator[MarketingMedia]:
    met: set[str] = set()
    for line, row in source.records(rejects):
        try:
            medium = _medium(row, mapped, files)
            if medium.media_id in met:
                raise BadValue("repeated media id", f"media id {shown(medium.media_id)} stands in an earlier line")
        except BadValue as error:
            rejects.add(source.name, line, error.reason, error.detail, row)
        else:
            met.add(medium.media_id)
            yield medium


def _medium(row: Mapping[str, Any], mapped: Mapping[str, str], files: MediaFiles) -> MarketingMedia:
    def text(target: str) -> str | None:
        return as_text(row.get(mapped[target])) if target in mapped else None

    media_id, video = _needed(text("media_id"), "media_id"), _needed(text("video"), "video")
    places = files.resolve([video])
    if not places:
        raise BadValue(
            "missing video", f"video {shown(video)} is not there; a file beside the table, or a URL, is valid"
        )
    published = text("published_at")
    return MarketingMedia(
        media_id,
        places[0],
        text("title"),
        text("campaign"),
        as_several(row.get(mapped["item_ids"]), commas=True) if "item_ids" in mapped else (),
        None if published is None else _EPOCH + timedelta(microseconds=as_micros(published)),
    )


def _impressions(
    source: RowSource, mapped: Mapping[str, str], known: set[str], rejects: Rejects
) -> Iterator[pl.DataFrame]:
    schema = {**IMPRESSIONS, "timestamp": pl.Int64}
    for batch in batches(source, rejects):
        rows = []
        for line, row in batch:
            try:
                rows.append(_impression(row, mapped, known))
            except BadValue as error:
                rejects.add(source.name, line, error.reason, error.detail, row)
        frame = pl.DataFrame(rows, schema=schema, orient="row")
        yield frame.with_columns(pl.col("timestamp").cast(IMPRESSIONS["timestamp"]))


def _impression(
    row: Mapping[str, Any], mapped: Mapping[str, str], known: set[str]
) -> tuple[str, str | None, int, bool]:
    media_id = _needed(as_text(row.get(mapped["media_id"])), "media_id")
    if media_id not in known:
        raise BadValue("unknown media id", f"media id {shown(media_id)} is none of the {len(known)} in the media table")
    clicked = as_bool(row.get(mapped["clicked"]), "clicked")
    if clicked is None:
        raise BadValue("missing clicked", "clicked is empty; true or false is needed")
    user = as_text(row.get(mapped["user_id"])) if "user_id" in mapped else None
    return media_id, user, as_micros(_needed(as_text(row.get(mapped["timestamp"])), "timestamp")), clicked


def _needed(text: str | None, what: str) -> str:
    if text is None:
        raise BadValue(f"missing {what}", f"{what} is empty")
    return text
