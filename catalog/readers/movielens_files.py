"""The three generations of MovieLens files, under our column names."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from catalog.errors import DataError
from catalog.readers.plain_rows import PlainRows
from catalog.readers.rows import Recast, Record, Rows, open_rows

FILM_COLUMNS = ("item_id", "title", "categories", "year", "tags", "imdb_id", "tmdb_id", "imdb_url")
"""What becomes of a film; the last five are attributes."""

RATING_COLUMNS = ("user_id", "item_id", "value", "timestamp")

GENRES_100K = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
"""The flags of `u.item` in order (`u.genre`)."""

AGES_1M = {
    "1": "under 18", "18": "18-24", "25": "25-34", "35": "35-44", "45": "45-49", "50": "50-55", "56": "56 and over",
}  # fmt: skip
OCCUPATIONS_1M = (
    "other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service",
    "doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer", "programmer",
    "retired", "sales/marketing", "scientist", "self-employed", "technician/engineer", "tradesman/craftsman",
    "unemployed", "writer",
)  # fmt: skip
"""Codes of `users.dat`, as its README gives them."""

_YEAR = re.compile(r"\((\d{4})(?:[-–]\d{0,4})?\)\s*$")
_NO_GENRE = "(no genres listed)"


@dataclass(frozen=True)
class MovieLens:
    """The tables of one folder.

    Attributes:
        ratings: `RATING_COLUMNS`.
        films: `FILM_COLUMNS`, without tags and links where those are files of their own.
        tags: `item_id` and `tag`, a row for each use.
        links: `item_id`, `imdb_id`, `tmdb_id`.
        users: `user_id` and attributes.
        unread: Ratings of another generation in the same folder, which are not read.
    """

    ratings: Rows
    films: Rows | None = None
    tags: Rows | None = None
    links: Rows | None = None
    users: Rows | None = None
    unread: tuple[str, ...] = ()


def open_movielens(folder: Path) -> MovieLens:
    """Return what a MovieLens folder holds: `ratings.csv`, `ratings.dat` or `u.data` says which generation.

    Raises:
        DataError: When it is no folder or holds none of them.
    """
    if not folder.is_dir():
        wrong = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"folder {str(folder)!r} {wrong}; an unpacked ml-latest-small, ml-1m or ml-100k would be valid")
    generations = {"ratings.csv": _csv, "ratings.dat": _dat, "u.data": _hundred_k}
    there = [name for name in generations if (folder / name).is_file()]
    if there:
        return replace(generations[there[0]](folder), unread=tuple(there[1:]))
    raise DataError(
        f"folder {str(folder)!r} holds none of ratings.csv, ratings.dat, u.data; "
        "an unpacked ml-latest-small, ml-1m or ml-100k would be valid"
    )


def year_of(title: str) -> str | None:
    """Return the year a title ends with.

    Example:
        >>> year_of("Toy Story (1995)"), year_of("Fawlty Towers (1975-1979)"), year_of("2001")
        ('1995', '1975', None)
    """
    found = _YEAR.search(title)
    return found[1] if found else None


def _csv(folder: Path) -> MovieLens:
    return MovieLens(
        _renamed(folder / "ratings.csv", {"userId": "user_id", "movieId": "item_id", "rating": "value"}),
        _csv_films(folder / "movies.csv"),
        _renamed(folder / "tags.csv", {"movieId": "item_id"}) if (folder / "tags.csv").is_file() else None,
        _links(folder / "links.csv"),
    )


def _csv_films(path: Path) -> Rows | None:
    if not path.is_file():
        return None
    return Recast(_renamed(path, {"movieId": "item_id"}), FILM_COLUMNS, lambda row: _film(row, row.get("genres")))


def _renamed(path: Path, names: dict[str, str]) -> Rows:
    source = open_rows(path)
    missing = [name for name in names if name not in source.columns]
    if missing:
        raise DataError(f"file {str(path)!r} has no column {missing[0]!r}; it has {', '.join(source.columns)}")
    columns = tuple(names.get(column, column) for column in source.columns)
    return Recast(source, columns, lambda row: dict(zip(columns, row.values(), strict=True)))


def _links(path: Path) -> Rows | None:
    if not path.is_file():
        return None

    def change(row: Record) -> Record:
        imdb = row.get("imdbId") or ""
        return {
            "item_id": row["item_id"],
            "imdb_id": f"tt{imdb.zfill(7)}" if imdb else None,
            "tmdb_id": row.get("tmdbId") or None,
        }

    return Recast(_renamed(path, {"movieId": "item_id"}), ("item_id", "imdb_id", "tmdb_id"), change)


def _dat(folder: Path) -> MovieLens:
    def users(row: Record) -> Record:
        job = row["occupation"]
        named = OCCUPATIONS_1M[int(job)] if job.isdecimal() and int(job) < len(OCCUPATIONS_1M) else job
        return {**row, "age": AGES_1M.get(row["age"], row["age"]), "occupation": named}

    films = _plain(folder / "movies.dat", "::", ("item_id", "title", "genres"))
    tags = _plain(folder / "tags.dat", "::", ("user_id", "item_id", "tag", "timestamp"))
    people = _plain(folder / "users.dat", "::", ("user_id", "gender", "age", "occupation", "zip_code"))
    return MovieLens(
        PlainRows(folder / "ratings.dat", "::", RATING_COLUMNS, latin=True),
        None if films is None else Recast(films, FILM_COLUMNS, lambda row: _film(row, row["genres"])),
        tags,
        users=None if people is None else Recast(people, people.columns, users),
    )


def _hundred_k(folder: Path) -> MovieLens:
    columns = ("item_id", "title", "released", "video_released", "imdb_url", *GENRES_100K)

    def film(row: Record) -> Record:
        genres = [genre for genre in GENRES_100K[1:] if row[genre] == "1"]
        return {**_film(row, genres), "imdb_url": row["imdb_url"] or None}

    films = _plain(folder / "u.item", "|", columns)
    return MovieLens(
        PlainRows(folder / "u.data", "\t", RATING_COLUMNS, latin=True),
        None if films is None else Recast(films, FILM_COLUMNS, film),
        users=_plain(folder / "u.user", "|", ("user_id", "age", "gender", "occupation", "zip_code")),
    )


def _film(row: Record, genres: object) -> Record:
    title = str(row.get("title") or "").strip()
    return {
        "item_id": row["item_id"],
        "title": title or None,
        "categories": None if genres == _NO_GENRE else genres,
        "year": year_of(title),
    }


def _plain(path: Path, separator: str, columns: tuple[str, ...]) -> PlainRows | None:
    return PlainRows(path, separator, columns, latin=True) if path.is_file() else None
