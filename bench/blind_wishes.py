"""Wishes written blind, played to the agent over real catalogues and held against the records that satisfy them.

    python -m bench.blind_wishes [movies fashion beauty] [--data FOLDER] [--stores FOLDER] [--json FILE]

`bench/wishes/*.jsonl` were written from the records alone, by authors who saw neither the planner nor the generator of
tasks, and frozen before any tuning: change nothing in them, and mend nothing because of them. A shop of each catalogue
under `--data` is made in `--stores` once (imported, embedded by MiniLM, indexed; nothing is trained, there are no
captions), and every wish is a new shopper's. Scores: `bench.wish_scores`. What was not answered right goes, with the
whole conversation, to `failures.jsonl` in `--stores`. *Real data, measured here.*
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl

from bench.wish_scores import Scored, Wish, load_wishes, score, table
from catalog.errors import DataError
from catalog.readers.importing import Import, save_import
from catalog.readers.mmrec import read_mmrec
from catalog.readers.rejects import Rejects
from catalog.readers.table import read_table
from catalog.workspace import Workspace
from eval.agent.harness import Harness
from vitrine.settings import Settings, load_settings

CATALOGUES = ("movies", "fashion", "beauty")
WISHES = Path(__file__).parent / "wishes"
DATA = Path(os.environ.get("TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
STORES = Path(tempfile.gettempdir()) / "vitrine-blind-wishes"
"""Outside the repository: real records and transcripts of them are not to be committed."""

COLUMNS = {
    "title": "prod_name",
    "description": "detail_desc",
    "parent_id": "product_code",
    "categories": "index_group_name + product_group_name + product_type_name",
    "attributes.colour": "colour_group_name",
    "attributes.colour_family": "perceived_colour_master_name",
    "attributes.pattern": "graphical_appearance_name",
    "attributes.section": "section_name",
    "attributes.department": "department_name",
    "attributes.garment_group": "garment_group_name",
}
"""The map a shopkeeper would write for `fashion/articles.csv`."""

CODES = (
    "product_type_no", "graphical_appearance_no", "colour_group_code", "perceived_colour_value_id",
    "perceived_colour_master_id", "department_no", "index_code", "index_group_no", "section_no", "garment_group_no",
)  # fmt: skip
"""Columns of numbers, which say nothing to a shopper and which a shopkeeper leaves out of the feed."""


def read(name: str, data: Path) -> Import:
    """Return the records of a catalogue under `data`, and their log where there is one.

    Raises:
        DataError: When its files are not there or cannot be read.
    """
    if name != "fashion":
        return read_mmrec(data / name, rejects=Rejects())
    made = read_table(data / name / "articles.csv", columns=COLUMNS, name=name, images="images/{article_id}.jpg")
    told = pl.element().filter(~pl.element().struct.field("name").is_in(CODES))
    items = made.shop.items.with_columns(pl.col("attributes").list.eval(told))
    return replace(made, shop=replace(made.shop, items=items))


def row_ids(name: str, data: Path) -> dict[str, str]:
    """Return what the wishes call a record -> its item id; beauty's are rows of its file, the others' ids."""
    if name != "beauty":
        return {}
    with (data / name / "items.jsonl").open(encoding="utf-8") as lines:
        return {str(row["itemID"]): str(row["asin"]) for row in map(json.loads, lines)}


def prepared(name: str, data: Path, stores: Path, *, embed: bool = True) -> Settings:
    """Return the settings of a store that holds a catalogue, embedded and indexed; what stands is left alone.

    Without `embed` it is searched by keywords alone.
    """
    from vitrine import jobs

    settings = load_settings({"store": str(stores / name)})
    workspace = Workspace(settings.store)
    if not workspace.has("catalog"):
        print(save_import(workspace, read(name, data)).text(), flush=True)
    if embed:
        print(*jobs.embed_store(settings), sep="\n", flush=True)
    print(*jobs.index_store(settings), sep="\n", flush=True)
    return settings


@contextmanager
def opened(name: str, data: Path, stores: Path, *, embed: bool = True) -> Iterator[Harness]:
    """Give a harness over the shop of a catalogue, made where it is not; conversations leave nothing in its store."""
    from vitrine.wiring import open_shop

    settings = prepared(name, data, stores, embed=embed)
    shop = open_shop(settings)
    with tempfile.TemporaryDirectory(prefix="vitrine-wishes-") as folder:
        # Judged is what is answered: on a busy machine a turn cut short would pass for one that was not understood.
        patient = settings.agent.model_copy(update={"llm": None, "max_seconds": 600.0})
        harness = Harness(shop, Path(folder), patient)
        try:
            asyncio.run(harness.agent.warm())
            yield harness
        finally:
            harness.close()
            shop.events.close()


async def played(harness: Harness, wish: Wish, top_n: int) -> list[dict[str, Any]]:
    """Return the conversation of one wish: each turn as the shopper's program reads it."""
    turns = [turn async for turn in harness.conversation(wish.id, wish.turns, top_n)]
    harness.forget(wish.id)
    return turns


def measured(name: str, data: Path, stores: Path, top_n: int) -> tuple[list[Scored], list[dict[str, Any]]]:
    """Return the score of every wish for a catalogue, and those not answered right with their conversations.

    Raises:
        DataError: When a wish names a record that the catalogue does not hold.
    """
    wishes = load_wishes(WISHES / f"{name}.jsonl", row_ids(name, data))
    scored, failures = [], []
    with opened(name, data, stores) as harness:
        known(wishes, harness)
        for wish in wishes:
            turns = asyncio.run(played(harness, wish, top_n))
            found = score(name, wish, turns, harness.judge.ungrounded(turns, top_n))
            scored.append(found)
            if not found.right or found.ungrounded:
                failures.append({**found.as_json(), "wish": wish.model_dump(), "turns": turns})
    return scored, failures


def known(wishes: list[Wish], harness: Harness) -> None:
    """Check that every record a wish names is there."""
    for wish in wishes:
        for item_id in (*wish.satisfied_by, *wish.must_not):
            if item_id not in harness.shop.catalog.ids:
                raise DataError(f"wish {wish.id!r} names the record {item_id!r}, which the catalogue does not hold")


def main() -> None:
    """Play the wishes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=[], metavar="CATALOGUE", help=f"of {', '.join(CATALOGUES)}")
    parser.add_argument("--data", type=Path, default=DATA, help="the folder that holds them; $TEST_DATA otherwise")
    parser.add_argument("--stores", type=Path, default=STORES, help="where the shops are kept, and the failures")
    parser.add_argument("--top-n", type=int, default=5, help="most records in one answer")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    names = given.names or list(CATALOGUES)
    if wrong := [name for name in names if name not in CATALOGUES]:
        parser.error(f"unknown catalogue {wrong[0]!r}; {', '.join(CATALOGUES)} would be valid")
    scored: list[Scored] = []
    failures: list[dict[str, Any]] = []
    for name in names:
        if not (given.data / name).is_dir():
            print(f"skipped: {str(given.data / name)!r} does not exist; name its parent, or set TEST_DATA")
            continue
        found, failed = measured(name, given.data, given.stores, given.top_n)
        scored, failures = scored + found, failures + failed
    if not scored:
        return
    path = given.stores / "failures.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in failures), encoding="utf-8")
    print(f"\n{table(scored, given.top_n)}\n\n{len(failures)} to read: {path}")
    if given.json:
        given.json.write_text(json.dumps([each.as_json() for each in scored], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
