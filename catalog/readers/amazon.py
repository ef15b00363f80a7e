"""Amazon Reviews (2023: McAuley Lab; 2014: what MMRec's data sets come from), streamed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import polars as pl

from catalog.columns import INTERACTIONS, USERS
from catalog.errors import DataError
from catalog.readers.amazon_files import PARTS, AmazonFiles, open_json, open_reviews
from catalog.readers.amazon_rows import ITEM_COLUMNS, REVIEW_COLUMNS, item_of_meta, review_of
from catalog.readers.fields import map_columns
from catalog.readers.finishing import Parsed, finish
from catalog.readers.importing import Import
from catalog.readers.item_rows import NUMBERED_ITEMS, MediaFiles, item_frames, item_of
from catalog.readers.log_rows import LogRules, log_frames
from catalog.readers.refining import RefineConfig
from catalog.readers.rejects import Rejects
from catalog.readers.rows import BATCH_ROWS, Recast, open_rows
from catalog.readers.spool import Spool

RATED = ("user_id", "parent_asin", "rating", "timestamp")
"""Columns of a published split; its `history` repeats other rows and is not read."""

_SAME = ["user_id", "item_id", "timestamp"]


def read_amazon(
    files: AmazonFiles,
    *,
    name: str | None = None,
    refine: RefineConfig | None = None,
    rejects: Rejects | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Import:
    """Read the files of one category.

    With published splits the log is theirs, row for row, with a label column a rule (`x_label_last_out`,
    `x_label_timestamp`), the items are those it names, and a review file only adds the words. Without,
    the log is the reviews. Items are the parents (`parent_asin`).

    Args:
        files: What there is; see `find_files`.
        name: Name of the data set; None takes the file's.
        refine: K-core, repeated reviews, split rule.
        rejects: Gets every row that cannot be used.
        batch_rows: Rows in memory while parsing.

    Raises:
        DataError: When there is neither a log nor reviews, a file is missing or unreadable, or nothing is left.
    """
    rejects = Rejects() if rejects is None else rejects
    if files.reviews is None and not files.splits:
        raise DataError("no reviews and no published split: a review file, or the three files of a split, is needed")
    reviews = None if files.reviews is None else _reviews(files.reviews, rejects, batch_rows)
    log = _published(files.splits, reviews, rejects, batch_rows) if files.splits else reviews
    assert log is not None
    media = MediaFiles((files.meta or Path()).parent)
    items = None if files.meta is None else Spool(NUMBERED_ITEMS, _items(files.meta, media, rejects, batch_rows))
    parsed = Parsed(
        name or _title(files),
        items,
        files.meta.name if files.meta is not None else "",
        log,
        pl.DataFrame(schema=USERS),
        rejects,
        published=bool(files.splits),
    )
    return finish(parsed, refine or RefineConfig())


def _reviews(path: Path, rejects: Rejects, size: int) -> Spool:
    source = Recast(open_reviews(path), REVIEW_COLUMNS, review_of)
    mapped = map_columns("interactions", REVIEW_COLUMNS, {}, source.name)
    return Spool(INTERACTIONS, log_frames(source, LogRules(mapped, None, "rating"), rejects, size))


def _items(path: Path, media: MediaFiles, rejects: Rejects, size: int) -> Iterator[pl.DataFrame]:
    source = Recast(open_json(path), ITEM_COLUMNS, item_of_meta)
    build = partial(item_of, mapped=map_columns("items", ITEM_COLUMNS, {}, source.name), media=media)
    return item_frames(source.records(rejects), build, source.name, rejects, media, size)


def _published(splits: Mapping[str, Mapping[str, Path]], reviews: Spool | None, rejects: Rejects, size: int) -> Spool:
    """Return the first rule's rows, with the other rules' labels and the reviews' words beside them."""
    first, *others = splits
    labels = {rule: _labels(splits[rule], rule, rejects, size) for rule in others}
    schema = {**INTERACTIONS, **{f"x_label_{rule}": pl.Int64 for rule in splits}}
    base = Spool({**INTERACTIONS, f"x_label_{first}": pl.Int64}, _parts(splits[first], first, rejects, size))
    words = None if reviews is None else _words(reviews, base.select(*_SAME))
    whole = Spool(schema)
    for shard in base.shards():
        for rule, table in labels.items():
            shard = shard.join(table, on=_SAME, how="left", maintain_order="left")
            for row in shard.filter(pl.col(f"x_label_{rule}").is_null()).iter_rows(named=True):
                file, _, line = str(row["event_id"]).rpartition(":")
                detail = f"this row of {first} stands in no file of {rule}, so it has no label there"
                rejects.add(file, int(line), "missing label", detail, {key: row[key] for key in _SAME})
            shard = shard.filter(pl.col(f"x_label_{rule}").is_not_null())
        if words is not None:
            shard = shard.drop("text", "context").join(words, on=_SAME, how="left", maintain_order="left")
        whole.add(shard.select(list(schema)))
    return whole


def _parts(files: Mapping[str, Path], rule: str, rejects: Rejects, size: int) -> Iterator[pl.DataFrame]:
    for number, part in enumerate(PARTS):
        source = open_rows(files[part])
        missing = [column for column in RATED if column not in source.columns]
        if missing:
            raise DataError(
                f"file {str(files[part])!r} has no column {missing[0]!r}; it has {', '.join(source.columns)}"
            )
        rated = Recast(source, RATED, lambda row: {column: row[column] for column in RATED})
        rules = LogRules(map_columns("interactions", RATED, {}, source.name), None, "rating")
        for frame in log_frames(rated, rules, rejects, size):
            yield frame.with_columns(pl.lit(number, pl.Int64).alias(f"x_label_{rule}"))


def _labels(files: Mapping[str, Path], rule: str, rejects: Rejects, size: int) -> pl.DataFrame:
    frames = (frame.select(*_SAME, f"x_label_{rule}") for frame in _parts(files, rule, rejects, size))
    return pl.concat(frames).unique(_SAME, keep="first", maintain_order=True)


def _words(reviews: Spool, wanted: pl.DataFrame) -> pl.DataFrame:
    """Return text and context of the reviews of the wanted rows, the first of each."""
    keys = wanted.unique()
    found = [
        shard.select(*_SAME, "text", "context").join(keys, on=_SAME, how="semi", maintain_order="left")
        for shard in reviews.shards()
    ]
    none = pl.DataFrame(schema=reviews.schema).select(*_SAME, "text", "context")
    return pl.concat([none, *found]).unique(_SAME, keep="first", maintain_order=True)


def _title(files: AmazonFiles) -> str:
    named = files.reviews or next(iter(next(iter(files.splits.values())).values()))
    return named.name.split(".", 1)[0].removeprefix("reviews_").removeprefix("ratings_").removesuffix("_5")
