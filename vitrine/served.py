"""Opening a trained version: its files compared with their sums, its parts loaded, its scores tried once.

Whatever is wrong with the one that is served is told with a cure that works and loses nothing of the history.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from catalog.errors import DataError, VitrineError
from vitrine.bases import BASES
from vitrine.checksums import first_fault
from vitrine.shelf import Shelf, Version

if TYPE_CHECKING:
    from models.base import Recommender
    from models.ctr import CtrModel
    from models.ranker import LightGBMRanker

RANKER = "ranker"
"""Folder of the re-ranker inside the version of the model it was taught beside."""

CTR = "ctr"
"""Folder of the click model, likewise."""

TABLES = "model.safetensors"
"""Where every recommender keeps its tables."""


@dataclass(frozen=True, eq=False)
class Served:
    """The parts of a version; `ranker` and `ctr` are None where none was taught."""

    recommender: Recommender
    ranker: LightGBMRanker | None
    ctr: CtrModel | None = None
    scorers: Mapping[str, Recommender] = field(default_factory=dict)
    retrievers: Mapping[str, Recommender] = field(default_factory=dict)


def open_version(version: Version) -> Served:
    """Load a version that is whole.

    Raises:
        DataError: When a file is not what was written, a part cannot be loaded, or its scores are no scores.
    """
    from models import registry
    from models.ctr import CtrModel
    from models.ranker import LightGBMRanker
    from vitrine.retrievers import load_retrievers
    from vitrine.scorers import load_scorers

    folder = version.folder
    if version.files is not None and (fault := first_fault(folder, version.files)):
        raise DataError(fault)
    with _parsing(folder):
        recommender = registry.load(folder)
        if version.files is None:  # nothing to compare it with: look at the numbers themselves
            _check_tables(folder / TABLES, recommender)
        _check_scores(recommender, folder)
        ranker = LightGBMRanker.load(folder / RANKER) if version.meta.get("ranker") else None
        ctr = CtrModel.load(folder / CTR) if version.meta.get("ctr") else None
        scorers = load_scorers(folder) if version.meta.get("scorers") is not None else {}
        retrievers = load_retrievers(folder, version.meta.get("retrievers") or ())
    return Served(recommender, ranker, ctr, scorers, retrievers)


def fault_of(version: Version) -> str | None:
    """Return why a version cannot be served; None when it can."""
    from embedding.attribute_table import AttributeBasis

    try:
        open_version(version)
        with _parsing(version.folder):
            for basis in sorted((version.folder / BASES).glob("*")):
                AttributeBasis.load(basis)
    except DataError as error:
        return str(error)
    return None


def served_version(shelf: Shelf, name: str) -> Version | None:
    """Return the version that is served; None before the first.

    Raises:
        DataError: When it is gone or does not describe itself; the text names the cure.
    """
    with curing(shelf, name):
        return shelf.served(name)


@contextmanager
def curing(shelf: Shelf, name: str) -> Iterator[None]:
    """Let whoever opens the served version of a recommender tell what is wrong with it, and the cure.

    Raises:
        DataError: In place of what a damaged or missing file raises inside the block.
    """
    promoted = shelf.promoted(name)  # a damaged manifest tells its own cure
    try:
        with _parsing(shelf.home(name)):
            yield
    except DataError as error:
        label = name if promoted is None else f"{name}@{promoted}"
        raise DataError(f"{label} cannot be served ({error}): {cure(shelf, name)}") from error


def cure(shelf: Shelf, name: str) -> str:
    """Return what to run when the served version of a recommender is damaged."""
    told = "run vitrine train for a new version"
    others = whole_versions(shelf, name, but={shelf.promoted(name)})
    return f"{told}, or vitrine models promote {others[0]} to serve that one" if others else told


def whole_versions(shelf: Shelf, name: str, but: Collection[int | None] = ()) -> list[Version]:
    """Return the versions that could be served, in the order in which they would be gone back to."""
    trail = shelf.trail(name)
    found = [version for version in shelf.versions(name) if version.number not in but and fault_of(version) is None]
    return sorted(found, key=lambda v: (trail.index(v.number) if v.number in trail else -1, v.number), reverse=True)


def promote_whole(shelf: Shelf, version: Version) -> None:
    """Let a version be the one that is served, once it has been opened.

    Raises:
        DataError: When it is damaged; the text names those that are whole.
    """
    if fault := fault_of(version):
        whole = ", ".join(map(str, whole_versions(shelf, version.name, but={version.number})))
        cure = f"whole are: {whole}" if whole else "vitrine train makes a new version"
        raise DataError(f"{version} is damaged and was not promoted ({fault}); {cure}")
    shelf.promote(version)


def rollback_whole(shelf: Shelf, name: str) -> Version:
    """Promote what was promoted before, once it has been opened, and return it.

    Raises:
        NotFoundError: When no earlier promotion is kept.
        DataError: When it is damaged; the text names those that are whole.
    """
    earlier = shelf.earlier(name)
    if fault := fault_of(earlier):
        others = whole_versions(shelf, name, but={earlier.number, shelf.promoted(name)})
        cure = f"vitrine models promote {others[0]} goes further back" if others else "run vitrine train"
        raise DataError(f"{earlier} is damaged and was not promoted ({fault}); {cure}")
    return shelf.rollback(name)


@contextmanager
def _parsing(place: Path) -> Iterator[None]:
    """Let every way in which a damaged file can fail be a `DataError` that names its place."""
    from polars.exceptions import PolarsError

    try:
        yield
    except DataError:
        raise
    except VitrineError as error:  # no model.json, no ranker.txt, a name that is none
        raise DataError(str(error).removesuffix(": run vitrine train first")) from error
    except (OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, RuntimeError, PolarsError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{str(place)!r} cannot be read ({type(error).__name__}: {reason})") from error


def _check_tables(path: Path, recommender: Recommender) -> None:
    """Refuse tables with a number that is none, or with another count of shoppers than there are ids."""
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as tables:
        for name in tables.keys():  # noqa: SIM118 - not a mapping
            table = tables.get_tensor(name)
            if table.dtype.kind == "f" and not np.isfinite(table).all():
                raise DataError(f"{str(path)!r}: table {name!r} holds a number that is not finite")
            if name == "users" and len(table) != (ids := len(recommender.users)):
                raise DataError(f"{str(path)!r}: table 'users' has {len(table):,} rows, users.parquet {ids:,} ids")


def _check_scores(recommender: Recommender, folder: Path) -> None:
    """Refuse a recommender whose scores of its first and its last shopper are not one finite number an item."""
    rows = np.unique(np.array([0, len(recommender.users) - 1], np.int64)) if len(recommender.users) else None
    values = recommender.score(None).values[None] if rows is None else recommender.score_users(rows)
    wanted = (1 if rows is None else len(rows), len(recommender.items))
    if values.shape != wanted:
        raise DataError(
            f"{str(folder)!r} scores {values.shape[-1]:,} items, items.parquet names {len(recommender.items):,}"
        )
    if not np.isfinite(values).all():
        raise DataError(f"{str(folder)!r}: the saved {recommender.name!r} model gives scores that are not finite")
