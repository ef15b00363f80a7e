"""MMRec folders: `<name>.inter`, `*_feat.npy`, and optionally `items.jsonl` with pictures.

In these folders `itemID` is the row of the feature arrays and `userID` a number. They become the external
ids only when nothing better stands in `items.jsonl`, `i_id_mapping.csv` and `u_id_mapping.csv`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl

from catalog.errors import DataError, did_you_mean
from catalog.nouns import Item
from catalog.readers.features import feature_table, load_absent, load_features
from catalog.readers.fields import ITEM_ID_NAMES, map_columns
from catalog.readers.importing import Import, assemble
from catalog.readers.item_rows import MediaFiles, Record, item_of, read_items
from catalog.readers.log_rows import LogRules, default_kind, read_log
from catalog.readers.plain_rows import PlainRows, first_line
from catalog.readers.rejects import Rejects, shown
from catalog.readers.rows import RowSource, open_rows
from catalog.readers.values import as_text

ITEMS_FILE = "items.jsonl"
ITEM_MAP, USER_MAP = "i_id_mapping.csv", "u_id_mapping.csv"
ROW, USER = "itemID", "userID"


def read_mmrec(folder: Path, *, name: str | None = None, rejects: Rejects) -> Import:
    """Read an MMRec folder; every `x_label*` column is kept, every `*_feat.npy` becomes a space of its stem.

    Args:
        folder: Holds one `.inter` file (tab-separated: `userID`, `itemID`, and optionally `rating`,
            `timestamp`, `x_label*`).
        name: Which `<name>.inter` to read; None takes the only one.
        rejects: Gets every row that cannot be used.

    Raises:
        DataError: When a file is missing, empty or unreadable, a column is missing, a feature array
            does not have one row an item, or no item or interaction is left.
    """
    inter = open_rows(_inter_file(folder, name))
    for column in (USER, ROW):
        if column not in inter.columns:
            hint = did_you_mean(column, list(inter.columns))
            raise DataError(f"file {str(inter.path)!r} has no column {column!r}. {hint}")
    features, absent = load_features(folder), load_absent(folder)
    media = MediaFiles(folder)
    if (folder / ITEMS_FILE).exists():
        items, n_rows, spare = _items(open_rows(folder / ITEMS_FILE), media, rejects)
    else:
        n_rows, spare = _n_rows(inter, [len(array) for array in features.values()]), 0
        known = _external_ids(folder / ITEM_MAP, ROW, rejects)
        items = {row: Item(known.get(str(row), str(row))) for row in range(n_rows)}
    spaces = {
        space: feature_table(
            space, array, items, range(n_rows, n_rows + spare + 1), rejects, absent.get(space, frozenset())
        )
        for space, array in features.items()
    }
    mapped = map_columns("interactions", inter.columns, {"user_id": USER, "item_id": ROW}, inter.name)
    keys = {str(row): item.item_id for row, item in items.items()}
    log = read_log(inter, LogRules(mapped, keys, default_kind(mapped)), rejects)
    if not log.height:
        raise DataError(f"file {str(inter.path)!r}: no interaction was read; {rejects.summary()}")
    users = _external_ids(folder / USER_MAP, USER, rejects)
    if users:
        log = log.with_columns(pl.col("user_id").replace(users))
    timed = mapped.source("timestamp") is not None
    return assemble(inter.path.stem, items.values(), log, (), media, rejects, spaces=spaces, timed=timed)


def _inter_file(folder: Path, name: str | None) -> Path:
    if not folder.is_dir():
        wrong = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"folder {str(folder)!r} {wrong}; the folder that holds <name>.inter would be valid")
    found = {path.stem: path for path in sorted(folder.glob("*.inter"))}
    if name is not None and name not in found:
        raise DataError(f"folder {str(folder)!r} has no {name}.inter. {did_you_mean(name, list(found))}")
    if name is None and len(found) != 1:
        raise DataError(
            f"folder {str(folder)!r} holds {len(found)} .inter files ({', '.join(found) or 'none'}); "
            "exactly one, or a name that picks one, would be valid"
        )
    return found[name] if name is not None else next(iter(found.values()))


def _items(source: RowSource, media: MediaFiles, rejects: Rejects) -> tuple[dict[int, Item], int, int]:
    """Return the items by feature row, ascending; the least number of rows; and how many rejects may stand for more."""
    named = [column for column in source.columns if column.casefold() in ITEM_ID_NAMES and column != ROW]
    if not named and ROW not in source.columns:
        raise DataError(f"file {str(source.path)!r} has no item id; one of {', '.join(ITEM_ID_NAMES)} would be valid")
    mapped = map_columns("items", source.columns, {} if named else {"item_id": ROW}, source.name)
    build = partial(item_of, mapped=mapped, media=media, ignored=frozenset({ROW}))
    before = len(rejects)
    rows: set[int] = set()
    numbered = _numbered(source, rows, rejects)
    kept = read_items(numbered, build, source.name, rejects, media)
    items = {int(str(record[ROW])): item for item, record in kept}
    return dict(sorted(items.items())), max(rows, default=-1) + 1, len(rejects) - before


def _numbered(source: RowSource, rows: set[int], rejects: Rejects) -> Iterator[tuple[int, Record]]:
    """Yield the records with a usable `itemID`, which is the line's place where the file has none."""
    for line, record in source.records(rejects):
        given = as_text(record.get(ROW)) if ROW in source.columns else str(line - 1)
        if given is None or not given.isdecimal():
            detail = f"{ROW} {shown(record.get(ROW))}: a row of the feature arrays, from 0, would be valid"
            rejects.add(source.name, line, "bad itemID", detail, record)
        elif int(given) in rows:
            rejects.add(source.name, line, "repeated itemID", f"{ROW} {given} stands in an earlier line", record)
        else:
            rows.add(int(given))
            yield line, {**record, ROW: int(given)}


def _external_ids(path: Path, number: str, rejects: Rejects) -> dict[str, str]:
    """Return number -> external id of a map (two columns, the number's named), or nothing where there is none.

    Raises:
        DataError: When the file has no such column.
    """
    if not path.is_file():
        return {}
    header = first_line(path).removeprefix("\ufeff").split("\t")
    if number not in header or len(header) != 2:
        raise DataError(f"file {str(path)!r}: two columns, an id and {number!r}, would be valid; it has {header!r}")
    external = header[1 - header.index(number)]
    ids: dict[str, str] = {}
    met: set[str] = set()
    for line, row in PlainRows(path, "\t", tuple(header), header=True).records(rejects):
        if row[number] in ids or row[external] in met:
            detail = f"{row[number]!r} or {row[external]!r} stands in an earlier line"
            rejects.add(path.name, line, "repeated mapping", detail, row)
        else:
            ids[row[number]] = row[external]
            met.add(row[external])
    return ids


def _n_rows(inter: RowSource, feature_rows: list[int]) -> int:
    """Return how many items a folder without `items.jsonl` has: as many as array rows, else up to the highest met."""
    if feature_rows:
        return feature_rows[0]
    keys = (as_text(record.get(ROW)) or "" for _, record in inter.records(Rejects()))
    return max((int(key) for key in keys if key.isdecimal()), default=-1) + 1
