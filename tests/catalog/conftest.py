"""Real data beside the project, where it is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from catalog.errors import ServiceError
from catalog.event_cluster import PrivatePostgres
from catalog.ids import IdMap
from catalog.readers.importing import Import
from catalog.readers.mmrec import read_mmrec
from catalog.readers.rejects import Rejects


def _folder(name: str) -> Path:
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("TEST_DATA", beside)) / name
    if not folder.is_dir():
        pytest.skip(f"real data {str(folder)!r} is not here; $TEST_DATA names its folder")
    return folder


@pytest.fixture(scope="session")
def movies_import() -> Import:
    return read_mmrec(_folder("movies"), rejects=Rejects())


@pytest.fixture(scope="session")
def movies(movies_import: Import) -> pl.DataFrame:
    return movies_import.shop.log


@pytest.fixture(scope="session")
def movie_ids(movies_import: Import) -> IdMap:
    return movies_import.shop.catalog.ids


@pytest.fixture(scope="session")
def beauty_import() -> Import:
    return read_mmrec(_folder("beauty"), rejects=Rejects())


@pytest.fixture(scope="session")
def fashion_folder() -> Path:
    return _folder("fashion")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PrivatePostgres]:
    try:
        server = PrivatePostgres().__enter__()
    except ServiceError as error:
        pytest.skip(str(error))
    with server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PrivatePostgres) -> str:
    """An empty database of its own."""
    return postgres_server.new_database()
