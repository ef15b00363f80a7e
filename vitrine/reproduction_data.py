"""The paper's data sets, built from raw public files or from MMRec's own folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl

from catalog.errors import ConfigError, did_you_mean
from catalog.readers.amazon import read_amazon
from catalog.readers.amazon_files import AmazonFiles, find_files
from catalog.readers.finishing import refine
from catalog.readers.importing import Import, ImportSummary, media_of, save_import
from catalog.readers.mmrec import read_mmrec
from catalog.readers.refining import RefineConfig
from catalog.readers.rejects import Rejects
from catalog.readers.table import read_table
from catalog.workspace import Workspace
from vitrine.published import PUBLISHED, Published

K_CORE = 5


def build_dataset(
    workspace: Workspace, *, data: str | None, raw: Path | None, folder: Path | None, seed: int
) -> ImportSummary:
    """Import one data set of the paper into the store.

    With MMRec's folder the log, its split and the original features are MMRec's; raw files beside it
    describe its items (titles, pictures to caption). With raw files alone the data set is built as MMRec
    builds it: repeated reviews once, 5-core, its split rule at random; original features it has none.

    Args:
        workspace: The store.
        data: Name of the data set, where raw files are to be read.
        raw: Folder of the raw files, as `vitrine fetch` leaves it.
        folder: MMRec's own folder, or any of its form.
        seed: Of the split rule.

    Raises:
        ConfigError: When the data set is unknown, or nothing says where its files are: it is yours to run.
        DataError: When the files cannot be read.
    """
    known_data(data)
    if raw is not None and data is None:
        raise ConfigError(f"--raw {str(raw)!r} needs --data: which of {', '.join(PUBLISHED)} it holds")
    if raw is None and folder is None:
        assert data is not None
        raise ConfigError(yours_to_run(PUBLISHED[data]))
    described = None if raw is None or data is None else _from_raw(PUBLISHED[data], raw, seed, whole=folder is None)
    if folder is None:
        assert described is not None
        return save_import(workspace, described)
    imported = read_mmrec(folder, rejects=Rejects())
    return save_import(workspace, imported if described is None else _described(imported, described))


def known_data(data: str | None) -> None:
    """Check that `data` is one of the paper's, before anything is made.

    Raises:
        ConfigError: When it is not.
    """
    if data is not None and data not in PUBLISHED:
        raise ConfigError(f"unknown data set {data!r} of the paper. {did_you_mean(data, list(PUBLISHED))}")


def yours_to_run(paper: Published) -> str:
    """Return one line: what to fetch, and what to run then."""
    raw, own = (f"data/{name.replace('/', '-')}" for name in (paper.raw, paper.folder))
    return (
        f"{paper.title} is yours to run: vitrine fetch {paper.folder} says how to get MMRec's folder with its "
        f"features, vitrine fetch {paper.raw} --accept-licence brings titles and pictures; then vitrine reproduce "
        f"lirdrec --data {paper.name} --folder {own} --raw {raw}"
    )


def _from_raw(paper: Published, raw: Path, seed: int, *, whole: bool) -> Import:
    """Read the raw files; `whole`: as MMRec builds the data set, else only for what they say of items."""
    rules = RefineConfig(k_core=K_CORE, dedup_reviews=True, split_rule="mmrec", split_seed=seed)
    wanted = rules if whole else RefineConfig()
    if paper.name != "microlens":
        files = find_files(raw)
        return read_amazon(AmazonFiles(files.reviews, files.meta), name=paper.name, refine=wanted)
    imported = read_table(
        raw / "MicroLens-100k_title_en.csv",
        raw / "MicroLens-100k_pairs.csv",
        columns={"item_id": "item"},
        name=paper.name,
    )
    return refine(imported, wanted)


def _described(imported: Import, described: Import) -> Import:
    """Return MMRec's import with what the raw files say of each of its items, by id."""
    ids = imported.shop.items.select("item_id")
    known = described.shop.items.join(ids, on="item_id", how="semi")
    rest = imported.shop.items.join(known, on="item_id", how="anti")
    items = ids.join(pl.concat([known, rest]), on="item_id", how="left", maintain_order="left")
    note = f"{known.height:,} of {ids.height:,} items described by the raw files"
    return replace(
        imported,
        shop=replace(imported.shop, items=items.select(imported.shop.items.columns)),
        counts={**imported.counts, "media": media_of(items)},
        notes=(*imported.notes, note),
    )
