"""Which source column becomes which noun: by name, or by the column map."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from catalog.columns import LABEL_PREFIX
from catalog.errors import DataError, did_you_mean

TableKind = Literal["items", "interactions", "users"]
TABLES: tuple[str, ...] = get_args(TableKind)

ATTRIBUTES = "attributes."
"""A target `attributes.colour` makes the source column the attribute `colour`."""

ITEM_ID_NAMES = ("item_id", "parent_asin", "asin", "article_id", "sku", "id", "itemid")
"""The first of these present is the item's id (design, section 8)."""

NAMES: Mapping[TableKind, Mapping[str, tuple[str, ...]]] = {
    "items": {
        "item_id": ITEM_ID_NAMES,
        "parent_id": ("parent_id", "parent_asin"),
        "title": ("title", "name", "prod_name", "product_name", "item_name", "product_title", "item_title"),
        "description": ("description", "detail_desc", "desc", "product_description", "overview", "plot", "summary"),
        "price": ("price", "unit_price"),
        "currency": ("currency", "currency_code"),
        "brand": ("brand", "brand_name", "manufacturer"),
        "categories": ("categories", "category", "genres", "genre", "category_path"),
        "images": ("images", "image", "image_urls", "image_url", "picture", "pictures", "photo", "poster", "img"),
        "videos": ("videos", "video", "video_urls", "video_url"),
        "url": ("url", "link", "product_url"),
        "availability": ("availability", "available", "in_stock", "is_available"),
        "language": ("language", "lang"),
        "rating": ("rating", "average_rating", "avg_rating", "stars"),
        "rating_count": ("rating_count", "rating_number", "ratings_count", "num_ratings", "review_count"),
        "sizes": ("sizes", "available_sizes"),
    },
    "interactions": {
        "event_id": ("event_id", "id"),
        "user_id": ("user_id", "userid", "user", "customer_id", "reviewer_id", "reviewerid", "visitor_id"),
        "session_id": ("session_id", "sessionid", "session"),
        "item_id": tuple(name for name in ITEM_ID_NAMES if name != "id"),
        "timestamp": ("timestamp", "time", "ts", "datetime", "date", "event_time", "unixreviewtime", "t_dat"),
        "kind": ("kind", "event", "event_type", "action", "behavior", "behaviour"),
        "value": ("value", "rating", "overall", "stars", "score", "quantity"),
        "text": ("text", "review_text", "reviewtext", "review", "comment"),
        "request_id": ("request_id",),
    },
    "users": {
        "user_id": ("user_id", "userid", "user", "customer_id", "reviewer_id", "reviewerid", "visitor_id", "id"),
        "membership": ("membership", "club_member_status", "tier"),
    },
}
"""Per table and noun, the source names (compared as `_plain` makes them) that are understood, the preferred first."""

LISTS = frozenset({"categories", "images", "videos", "sizes"})
"""Nouns that hold several values: of all columns that their names claim, or that a map joins
(`department + section`, broad to narrow)."""

COMMA_NAMES = frozenset({
    "actor", "actors", "artist", "artists", "author", "authors", "cast", "color", "colors", "colour", "colours",
    "composer", "composers", "country", "countries", "director", "directors", "genre", "genres", "ingredients",
    "keyword", "keywords", "language", "languages", "material", "materials", "producer", "producers", "sizes",
    "available_sizes", "tag", "tags", "writer", "writers",
})  # fmt: skip
"""Source names whose text is a list separated by commas; elsewhere a comma is a part of the text."""


@dataclass(frozen=True)
class Mapped:
    """What becomes of the columns of one table.

    Attributes:
        nouns: Target -> source columns; more than one for a joined list.
        renamed: Source column -> attribute name, as the map asks.
        given: Targets the map names; the others were found by name.
    """

    nouns: Mapping[str, tuple[str, ...]]
    renamed: Mapping[str, str]
    given: frozenset[str]

    @property
    def used(self) -> frozenset[str]:
        """Source columns that are nouns, and so no attributes."""
        return frozenset(source for sources in self.nouns.values() for source in sources)

    def source(self, target: str) -> str | None:
        """Return the one source column of `target`, or None."""
        found = self.nouns.get(target)
        return found[0] if found else None


def map_columns(table: TableKind, columns: Sequence[str], given: Mapping[str, str], where: str) -> Mapped:
    """Return what becomes of `columns`: first what the map says, then by name.

    Args:
        table: What the file holds.
        columns: Its column names.
        given: Target -> source column. The target is a noun's field or `attributes.<name>`; an empty
            source takes the field away from a column that its name would claim.
        where: The file, for error messages.

    Raises:
        DataError: When a target or a source column is unknown.
    """
    names = NAMES[table]
    nouns: dict[str, tuple[str, ...]] = {}
    renamed: dict[str, str] = {}
    for target, source in given.items():
        if target.startswith(ATTRIBUTES) and table != "interactions":
            for column in _sources(source, columns, where):
                renamed[column] = target.removeprefix(ATTRIBUTES)
        elif target not in names:
            hint = did_you_mean(target, [*names, f"{ATTRIBUTES}<name>"])
            raise DataError(f"column map: unknown target {target!r} of {table}. {hint}")
        elif source:
            nouns[target] = _sources(source, columns, where)
            if len(nouns[target]) > 1 and target not in LISTS:
                raise DataError(f"column map: {target!r} takes one column, not {source!r}")
    taken = {source for sources in nouns.values() for source in sources} | set(renamed)
    for target, known in names.items():
        found = () if target in given else _by_name(columns, known, taken)
        if found:
            nouns[target] = found if target in LISTS else found[:1]
            taken.update(nouns[target])
    return Mapped(nouns, renamed, frozenset(target for target in given if given[target]))


def has_commas(source: str) -> bool:
    """Whether the text of this column is a list separated by commas."""
    return _plain(source) in COMMA_NAMES


def labels(columns: Sequence[str]) -> list[str]:
    """Return the columns that hold given splits."""
    return [name for name in columns if name.startswith(LABEL_PREFIX)]


def split_sources(source: str, columns: Sequence[str]) -> tuple[str, ...]:
    """Return the columns a source names: itself when it is one, else those joined by `+`."""
    return (source,) if source in columns else tuple(part.strip() for part in source.split("+"))


def _sources(source: str, columns: Sequence[str], where: str) -> tuple[str, ...]:
    asked = split_sources(source, columns)
    for column in asked:
        if column not in columns:
            hint = did_you_mean(column, [name for name in columns if name])
            raise DataError(f"column map: {where} has no column {column!r}. {hint}")
    return asked


def _by_name(columns: Sequence[str], known: Sequence[str], taken: set[str]) -> tuple[str, ...]:
    """Return the columns known by name, the preferred first."""
    plain = {_plain(name): name for name in reversed(columns) if name and name not in taken}
    return tuple(plain[name] for name in known if name in plain)


def _plain(name: str) -> str:
    """Return the name in lower case, anything but letters and digits as `_`."""
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
