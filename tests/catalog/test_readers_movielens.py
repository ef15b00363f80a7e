from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from catalog.errors import DataError
from catalog.readers.movielens import read_movielens
from catalog.readers.movielens_files import GENRES_100K


def write(folder: Path, **files: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        content = text if isinstance(text, bytes) else text.encode()
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder


def test_the_csv_files_of_ml_latest(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "ml-latest-small",
        ratings__csv="userId,movieId,rating,timestamp\n1,1,4.0,964982703\n1,2,3.5,964981247\n",
        movies__csv=(
            "movieId,title,genres\n1,Toy Story (1995),Adventure|Animation\n"
            '2,"American President, The (1995)",(no genres listed)\n'
        ),
        links__csv="movieId,imdbId,tmdbId\n1,0114709,862\n2,112346,\n",
        tags__csv="userId,movieId,tag,timestamp\n1,1,pixar,1\n2,1,Pixar,2\n3,1,fun,3\n3,1,a boy,3\n",
    )
    imported = read_movielens(folder)
    toys, president = imported.shop.catalog
    assert (toys.title, toys.categories) == ("Toy Story (1995)", ("Adventure", "Animation"))
    assert toys.attributes == {
        "year": ("1995",), "tags": ("pixar", "a boy", "fun"), "imdb_id": ("tt0114709",), "tmdb_id": ("862",),
    }  # fmt: skip
    assert president.title == "American President, The (1995)" and president.categories == ()
    assert president.attributes == {"year": ("1995",), "imdb_id": ("tt0112346",)}
    first = imported.shop.log.row(0, named=True)
    assert (first["user_id"], first["item_id"], first["value"]) == ("1", "1", 4.0)
    assert first["timestamp"] == datetime(2000, 7, 30, 18, 45, 3, tzinfo=UTC)
    assert imported.shop.name == "ml-latest-small" and imported.counts["rejected"] == 0


def test_the_double_colons_of_ml_1m_in_latin_1(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        ratings__dat="1::1193::5::978300760\n1::661::3::978302109\n6040::1193\n",
        movies__dat="1193::Misérables, Les (1995)::Drama|Musical\n661::Peach (1996)::Animation\n".encode("latin-1"),
        users__dat="1::F::1::10::48067\n6040::M::25::6::11106\n",
    )
    imported = read_movielens(folder, name="ml-1m")
    assert imported.shop.catalog["1193"].title == "Misérables, Les (1995)"
    assert imported.shop.catalog["1193"].categories == ("Drama", "Musical")
    assert imported.shop.user_nouns["1"].attributes == {
        "gender": ("F",), "age": ("under 18",), "occupation": ("K-12 student",), "zip_code": ("48067",),
    }  # fmt: skip
    assert dict(imported.rejects.counts) == {"malformed row": 1}
    assert next(iter(imported.rejects)).line == 3


def test_the_flags_of_ml_100k(tmp_path: Path) -> None:
    flags = ["1" if genre in ("Animation", "Comedy") else "0" for genre in GENRES_100K]
    folder = write(
        tmp_path,
        u__data="196\t242\t3\t881250949\n",
        u__item="|".join(["242", "Kolya (1996)", "24-Jan-1997", "", "http://us.imdb.com/M", *flags]) + "\n",
        u__user="196|49|M|writer|55105\n",
    )
    imported = read_movielens(folder)
    [kolya] = imported.shop.catalog
    assert kolya.categories == ("Animation", "Comedy") and kolya.attributes["year"] == ("1996",)
    assert imported.shop.user_nouns["196"].attributes["occupation"] == ("writer",)


def test_of_two_generations_in_one_folder_the_one_read_is_named(tmp_path: Path) -> None:
    folder = write(
        tmp_path / "both",
        ratings__csv="userId,movieId,rating,timestamp\n1,1,4.0,964982703\n",
        ratings__dat="1::2::5::978300760\n1::3::5::978300761\n",
        u__data="1\t2\t5\t978300760\n",
    )
    imported = read_movielens(folder)
    assert imported.counts["interactions"] == 1
    assert imported.notes == (
        "ratings.csv is read; ratings.dat beside it is not", "ratings.csv is read; u.data beside it is not",
    )  # fmt: skip
    (folder / "ratings.csv").unlink()
    assert read_movielens(folder).notes == ("ratings.dat is read; u.data beside it is not",)


def test_ratings_alone_are_enough_and_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds none of ratings.csv, ratings.dat, u.data"):
        read_movielens(tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        read_movielens(tmp_path / "no")
    write(tmp_path, ratings__csv="userId,movieId,rating\n1,1,4.0\n")
    with pytest.raises(DataError, match="no interaction was read"):
        read_movielens(tmp_path)
    write(tmp_path, ratings__csv="userId,movieId,rating,timestamp\n1,7,4.0,964982703\n")
    assert read_movielens(tmp_path).shop.items["item_id"].to_list() == ["7"]
