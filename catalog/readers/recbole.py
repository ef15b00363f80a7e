"""RecBole atomic files: `<name>.inter`, `.item`, `.user`, whose header says `name:type`, streamed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import polars as pl
from pydantic import ValidationError

from catalog.columns import INTERACTIONS, USERS
from catalog.errors import ConfigError, DataError, did_you_mean
from catalog.items import users_frame
from catalog.nouns import User
from catalog.readers.fields import Mapped, labels, map_columns
from catalog.readers.finishing import Parsed, finish
from catalog.readers.importing import Import
from catalog.readers.item_rows import NUMBERED_ITEMS, MediaFiles, attributes_of, item_frames, item_of
from catalog.readers.log_rows import LogRules, default_kind, log_frames
from catalog.readers.plain_rows import PlainRows, first_line
from catalog.readers.recbole_fields import CONFIG_FILE, FIELD_TYPES, FieldType, RecBoleConfig
from catalog.readers.refining import RefineConfig
from catalog.readers.rejects import Rejects, shown
from catalog.readers.rows import BATCH_ROWS, Recast, Record, batches
from catalog.readers.spool import Spool
from catalog.readers.values import as_text

PARTS = ("train", "valid", "test")
LABEL = "x_label"

_TEXTS = frozenset({"title", "description", "text", "url", "brand", "currency", "language", "membership"})
"""Nouns that are one text: their words, which RecBole keeps as a sequence, are joined again."""


@dataclass(frozen=True)
class AtomicFile:
    """One atomic file: its fields, their types, and its rows with sequences as lists."""

    rows: PlainRows
    types: dict[str, FieldType]
    seq_separator: str

    def recast(self, texts: frozenset[str] = frozenset()) -> Recast:
        """Return the rows with sequences as lists, but for the fields `texts`, which stay as they are written."""
        several = [field for field, kind in self.types.items() if kind.endswith("_seq") and field not in texts]

        def change(row: Record) -> Record:
            for field in several:
                row[field] = [part for part in row[field].split(self.seq_separator) if part]
            return row

        return Recast(self.rows, self.rows.columns, change)


def read_recbole(
    folder: Path,
    *,
    name: str | None = None,
    config: RecBoleConfig | None = None,
    refine: RefineConfig | None = None,
    rejects: Rejects | None = None,
    batch_rows: int = BATCH_ROWS,
) -> Import:
    """Read a folder of atomic files.

    Without `<name>.inter` the three files of a given split (`<name>.train.inter`, `.valid.inter`,
    `.test.inter`) are the log and its `x_label`. A `recbole.json` of our own export says which separators
    and id fields it used, where `config` is None.

    Args:
        folder: Holds the files.
        name: Their stem; None takes the only one.
        config: Field names and separators.
        refine: K-core, repeated reviews, split rule.
        rejects: Gets every row that cannot be used.
        batch_rows: Rows in memory while parsing.

    Raises:
        DataError: When a file or an id field is missing, or a header is none.
    """
    rejects = Rejects() if rejects is None else rejects
    stem, inters = _inter_files(folder, name)
    config = config or _config_of(folder)
    media = MediaFiles(folder)
    log = _log(inters, config, rejects, batch_rows)
    items = _spooled(folder / f"{stem}.item", config, partial(_item_frames, config, media, rejects, batch_rows))
    users = _users(folder / f"{stem}.user", config, rejects, batch_rows)
    timed = config.TIME_FIELD in _open(inters[0], config).types
    parsed = Parsed(stem, items, f"{stem}.item", log, users, rejects, timed=timed)
    return finish(parsed, refine or RefineConfig())


def _log(files: list[Path], config: RecBoleConfig, rejects: Rejects, size: int) -> Spool:
    atomic = [_open(path, config) for path in files]
    split = len(files) == len(PARTS)
    given = [] if split else labels(atomic[0].rows.columns)
    names = [LABEL] if split else given
    spool = Spool({**INTERACTIONS, **dict.fromkeys(names, pl.Int64)})
    for part, each in enumerate(atomic):
        if each.types.keys() != atomic[0].types.keys():
            raise DataError(f"file {each.rows.name!r} has other fields than {atomic[0].rows.name!r}")
        mapped = _mapped(each, config, "interactions")
        source = each.recast(_texts(each, mapped))
        for frame in log_frames(source, LogRules(mapped, None, default_kind(mapped)), rejects, size):
            spool.add(frame.with_columns(pl.lit(part, pl.Int64).alias(LABEL)) if split else frame)
    return spool


def _item_frames(config: RecBoleConfig, media: MediaFiles, rejects: Rejects, size: int, atomic: AtomicFile) -> Spool:
    mapped = _mapped(atomic, config, "items")
    build = partial(item_of, mapped=mapped, media=media)
    rows = atomic.recast(_texts(atomic, mapped)).records(rejects)
    return Spool(NUMBERED_ITEMS, item_frames(rows, build, atomic.rows.name, rejects, media, size))


def _spooled(path: Path, config: RecBoleConfig, read: Callable[[AtomicFile], Spool]) -> Spool | None:
    return read(_open(path, config)) if path.is_file() else None


def _users(path: Path, config: RecBoleConfig, rejects: Rejects, size: int) -> pl.DataFrame:
    if not path.is_file():
        return pl.DataFrame(schema=USERS)
    atomic = _open(path, config)
    mapped = _mapped(atomic, config, "users")
    rows = atomic.recast(_texts(atomic, mapped))
    table = pl.concat([pl.DataFrame(schema=USERS), *_user_frames(rows, mapped, rejects, size)])
    first = table["user_id"].is_first_distinct()
    for user_id in table.filter(~first)["user_id"]:
        rejects.add(rows.name, 0, "repeated user id", f"user id {shown(user_id)} stands in an earlier line", user_id)
    return table.filter(first)


def _user_frames(rows: Recast, mapped: Mapped, rejects: Rejects, size: int) -> Iterator[pl.DataFrame]:
    for batch in batches(rows, rejects, size):
        users = []
        for line, row in batch:
            user_id = as_text(row[mapped.nouns["user_id"][0]])
            if user_id is None:
                rejects.add(rows.name, line, "missing user id", "the user has no id", row)
            else:
                membership = as_text(row.get(mapped.source("membership") or ""))
                users.append(User(user_id, membership, attributes_of(row, mapped)))
        yield users_frame(users)


def _mapped(atomic: AtomicFile, config: RecBoleConfig, table: Any) -> Mapped:
    """Return what becomes of the fields: the id, rating and time fields as configured, the rest by name."""
    wanted = {
        "interactions": {"user_id": config.USER_ID_FIELD, "item_id": config.ITEM_ID_FIELD},
        "items": {"item_id": config.ITEM_ID_FIELD},
        "users": {"user_id": config.USER_ID_FIELD},
    }[table]
    for target, field in wanted.items():
        if field not in atomic.types:
            hint = did_you_mean(field, list(atomic.types))
            raise DataError(f"file {str(atomic.rows.path)!r} has no field {field!r} for {target}. {hint}")
    if table == "interactions":
        for target, field in (("value", config.RATING_FIELD), ("timestamp", config.TIME_FIELD)):
            if field in atomic.types:
                wanted[target] = field
    return map_columns(table, list(atomic.types), wanted, f"file {atomic.rows.name!r}")


def _texts(atomic: AtomicFile, mapped: Mapped) -> frozenset[str]:
    return frozenset(field for noun, fields in mapped.nouns.items() if noun in _TEXTS for field in fields) & set(
        atomic.types
    )


def _open(path: Path, config: RecBoleConfig) -> AtomicFile:
    """Read the header.

    Raises:
        DataError: When a field has no type, an unknown one, or stands twice.
    """
    types: dict[str, FieldType] = {}
    for field in first_line(path).removeprefix("\ufeff").split(config.field_separator):
        name, colon, kind = field.rpartition(":")
        known: FieldType | None = next((each for each in get_args(FieldType) if each == kind), None)
        if not colon or not name or known is None:
            raise DataError(
                f"file {str(path)!r}: header field {shown(field)} is not name:type; "
                f"a type of {', '.join(FIELD_TYPES)}, as in user_id:token, would be valid"
            )
        if name in types:
            raise DataError(f"file {str(path)!r}: field {name!r} stands twice in the header")
        types[name] = known
    rows = PlainRows(path, config.field_separator, tuple(types), header=True)
    return AtomicFile(rows, types, config.seq_separator)


def _inter_files(folder: Path, name: str | None) -> tuple[str, list[Path]]:
    """Return the stem, and the one file of the log or the three of a given split."""
    if not folder.is_dir():
        wrong = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"folder {str(folder)!r} {wrong}; the folder that holds <name>.inter would be valid")
    stems: dict[str, None] = {}
    for path in sorted(folder.glob("*.inter")):
        stem, _, last = path.stem.rpartition(".")
        stems.setdefault(stem if stem and last in PARTS else path.stem)
    if name is not None and name not in stems:
        raise DataError(f"folder {str(folder)!r} has no {name}.inter. {did_you_mean(name, list(stems))}")
    if name is None and len(stems) != 1:
        raise DataError(
            f"folder {str(folder)!r} holds {len(stems)} data sets ({', '.join(stems) or 'no .inter file'}); "
            "exactly one, or a name that picks one, would be valid"
        )
    chosen = name or next(iter(stems))
    whole = folder / f"{chosen}.inter"
    files = [whole] if whole.is_file() else [folder / f"{chosen}.{part}.inter" for part in PARTS]
    for path in files:
        if not path.is_file():
            raise DataError(f"folder {str(folder)!r} lacks {path.name!r}; all three parts of a split are needed")
    return chosen, files


def _config_of(folder: Path) -> RecBoleConfig:
    path = folder / CONFIG_FILE
    if not path.is_file():
        return RecBoleConfig()
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return RecBoleConfig.model_validate({key: said[key] for key in RecBoleConfig.model_fields if key in said})
    except (ValueError, TypeError, ValidationError) as error:
        raise ConfigError(f"{str(path)!r} is no configuration of ours: {str(error).splitlines()[0]}") from error
