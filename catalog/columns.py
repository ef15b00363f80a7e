"""Every column of every table, named once."""

from __future__ import annotations

from typing import TypeAlias

import polars as pl

ITEM_ID = "item_id"
USER_ID = "user_id"
TIMESTAMP = "timestamp"
KIND = "kind"

Schema: TypeAlias = dict[str, pl.DataType | type[pl.DataType]]

_ATTRIBUTES = pl.List(pl.Struct({"name": pl.String, "values": pl.List(pl.String)}))

ITEMS: Schema = {
    "item_id": pl.String,
    "parent_id": pl.String,
    "title": pl.String,
    "description": pl.String,
    "price": pl.Float64,
    "currency": pl.String,
    "brand": pl.String,
    "categories": pl.List(pl.String),
    "attributes": _ATTRIBUTES,
    "images": pl.List(pl.String),
    "videos": pl.List(pl.String),
    "url": pl.String,
    "availability": pl.Boolean,
    "language": pl.String,
    "rating": pl.Float64,
    "rating_count": pl.Int64,
    "sizes": pl.List(pl.String),
}

INTERACTIONS: Schema = {
    "event_id": pl.String,
    "user_id": pl.String,
    "session_id": pl.String,
    "item_id": pl.String,
    "timestamp": pl.Datetime("us", "UTC"),
    "kind": pl.String,
    "value": pl.Float64,
    "text": pl.String,
    "context": pl.String,  # JSON object
    "request_id": pl.String,
}
"""Further integer columns of a log that start with `x_label` are given splits: 0 train, 1 valid, 2 test."""

USERS: Schema = {
    "user_id": pl.String,
    "membership": pl.String,
    "attributes": _ATTRIBUTES,
}

CAPTIONS: Schema = {
    "item_id": pl.String,
    "media": pl.String,
    "text": pl.String,
    "model": pl.String,
    "prompt_sha": pl.String,
    "media_sha": pl.String,
    "frame_time": pl.Float64,
}

MARKETING_MEDIA: Schema = {
    "media_id": pl.String,
    "video": pl.String,
    "title": pl.String,
    "campaign": pl.String,
    "item_ids": pl.List(pl.String),
    "published_at": pl.Datetime("us", "UTC"),
}

IMPRESSIONS: Schema = {
    "media_id": pl.String,
    "user_id": pl.String,
    "timestamp": pl.Datetime("us", "UTC"),
    "clicked": pl.Boolean,
}
"""Times that a marketing medium was shown; the user is unknown where a visitor was."""

LABEL_PREFIX = "x_label"
