"""MovieLens folders, streamed: CSV (`ml-latest*`, `ml-25m`), `::` (`ml-1m`, `ml-10m`) and `ml-100k`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import polars as pl

from catalog.columns import INTERACTIONS, USERS
from catalog.items import users_frame
from catalog.nouns import User
from catalog.readers.fields import map_columns
from catalog.readers.finishing import Parsed, finish
from catalog.readers.importing import Import
from catalog.readers.item_rows import NUMBERED_ITEMS, MediaFiles, attributes_of, item_frames, item_of
from catalog.readers.log_rows import LogRules, log_frames
from catalog.readers.movielens_files import FILM_COLUMNS, RATING_COLUMNS, open_movielens
from catalog.readers.refining import RefineConfig
from catalog.readers.rejects import Rejects
from catalog.readers.rows import BATCH_ROWS, Record, Rows, batches
from catalog.readers.spool import Spool
from catalog.readers.values import as_text

MOST_TAGS = 20
"""Tags of one film that are kept: those given most often, ties in alphabetical order."""

About = Mapping[str, Record]
"""Item id -> what other files say of it."""


def read_movielens(
    folder: Path,
    *,
    name: str | None = None,
    refine: RefineConfig | None = None,
    rejects: Rejects | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Import:
    """Read an unpacked MovieLens folder.

    Titles stay as they are (`Toy Story (1995)`), the year is an attribute as well, genres are
    categories, a film's tags one attribute; a line that is not UTF-8 is read as Latin-1.

    Args:
        folder: Holds `ratings.csv`, `ratings.dat` or `u.data`, and the films beside it; of several the first of
            these is read, and the notes say so.
        name: Name of the data set; None takes the folder's.
        refine: K-core, repeated reviews, split rule.
        rejects: Gets every row that cannot be used.
        batch_rows: Rows in memory while parsing.

    Raises:
        DataError: When a file is missing or unreadable, or nothing is left.
    """
    rejects = Rejects() if rejects is None else rejects
    files = open_movielens(folder)
    mapped = map_columns("interactions", RATING_COLUMNS, {}, files.ratings.name)
    frames = log_frames(files.ratings, LogRules(mapped, None, "rating"), rejects, batch_rows)
    about = _about(files.tags, files.links, rejects, batch_rows)
    parsed = Parsed(
        name or folder.resolve().name,
        None if files.films is None else Spool(NUMBERED_ITEMS, _films(files.films, about, rejects, batch_rows)),
        files.films.name if files.films is not None else "",
        Spool(INTERACTIONS, frames),
        pl.DataFrame(schema=USERS) if files.users is None else _people(files.users, rejects),
        rejects,
        notes=tuple(f"{files.ratings.name} is read; {name} beside it is not" for name in files.unread),
    )
    return finish(parsed, refine or RefineConfig())


def _films(films: Rows, about: About, rejects: Rejects, size: int) -> Iterator[pl.DataFrame]:
    mapped = map_columns("items", FILM_COLUMNS, {}, films.name)
    media = MediaFiles(films.path.parent)
    build = partial(item_of, mapped=mapped, media=media)
    told = ((line, {**row, **about.get(row["item_id"], {})}) for line, row in films.records(rejects))
    return item_frames(told, build, films.name, rejects, media, size)


def _about(tags: Rows | None, links: Rows | None, rejects: Rejects, size: int) -> About:
    """Return the tags and links by film: as many entries as films, however many tags were given."""
    about: dict[str, Record] = {}
    if links is not None:
        for _, row in links.records(rejects):
            about[row["item_id"]] = {name: row[name] for name in ("imdb_id", "tmdb_id")}
    if tags is not None:
        for film, given in _most_given(tags, rejects, size):
            about.setdefault(film, {})["tags"] = given
    return about


def _most_given(tags: Rows, rejects: Rejects, size: int) -> Iterator[tuple[str, list[str]]]:
    schema = {"item_id": pl.String, "tag": pl.String}
    counted = pl.DataFrame(schema={**schema, "n": pl.UInt32})
    for batch in batches(tags, rejects, size):
        rows = [(row["item_id"], row["tag"].strip().casefold()) for _, row in batch if row["tag"].strip()]
        fresh = pl.DataFrame(rows, schema=schema, orient="row").group_by("item_id", "tag").len("n")
        counted = pl.concat([counted, fresh.cast({"n": pl.UInt32})]).group_by("item_id", "tag").agg(pl.col("n").sum())
    best = counted.sort(["n", "tag"], descending=[True, False]).group_by("item_id", maintain_order=True)
    yield from best.agg(pl.col("tag").head(MOST_TAGS)).iter_rows()


def _people(users: Rows, rejects: Rejects) -> pl.DataFrame:
    mapped = map_columns("users", users.columns, {}, users.name)
    found: dict[str, User] = {}
    for line, row in users.records(rejects):
        user_id = as_text(row["user_id"])
        if user_id is None:
            rejects.add(users.name, line, "missing user id", "the user has no id", row)
        elif user_id in found:
            detail = f"user id {user_id!r} stands in an earlier line"
            rejects.add(users.name, line, "repeated user id", detail, row)
        else:
            found[user_id] = User(user_id, attributes=attributes_of(row, mapped))
    return users_frame(found.values())
