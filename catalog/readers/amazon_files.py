"""The files of an Amazon category: which is which, by name, and the forms they come in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import DataError
from catalog.readers.csv_rows import delimited, printable
from catalog.readers.rejects import Rejects, shown
from catalog.readers.rows import Record, Rows, open_rows, open_text

PARTS = ("train", "valid", "test")
RULES = ("last_out", "timestamp")
RATING_COLUMNS = ("user_id", "item_id", "rating", "timestamp")

_SPLIT = re.compile(
    r"(?P<name>.+?)(?:\.(?P<rule>last_out|timestamp)(?:_w_his)?)?\.(?P<part>train|valid|test)\.csv(?:\.gz)?"
)
_FOLDER_RULE = re.compile(r"(last_out|timestamp)(?:_w_his)?")
_REVIEWS = re.compile(r"(?:reviews_|ratings_)?(?P<name>.+?)(?:_5)?\.(?:jsonl|json|csv)(?:\.gz)?")
_FIELDS = 4


@dataclass(frozen=True)
class AmazonFiles:
    """The files of one category.

    Attributes:
        reviews: Reviews (JSON lines), or ratings alone (CSV).
        meta: Products (JSON lines).
        splits: Published split rule -> part -> file.
    """

    reviews: Path | None = None
    meta: Path | None = None
    splits: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)


def find_files(folder: Path, category: str | None = None) -> AmazonFiles:
    """Return what a folder holds, as `vitrine fetch` leaves it or as published.

    Args:
        folder: With `<Category>.jsonl`, `meta_<Category>.jsonl`, `<Category>.last_out.train.csv` and so on,
            or the published folders `last_out/` and `timestamp/`; each file may end in `.gz`.
        category: Which, where there are several.

    Raises:
        DataError: When it is no folder, or holds no such file, or several categories.
    """
    if not folder.is_dir():
        wrong = "is a file" if folder.exists() else "does not exist"
        raise DataError(f"folder {str(folder)!r} {wrong}; the folder with <Category>.jsonl would be valid")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    splits = [path for path in files if _SPLIT.fullmatch(path.name)]
    metas = {_stem(path).removeprefix("meta_"): path for path in files if _is_meta(path)}
    reviews = {_REVIEWS.sub(r"\g<name>", path.name): path for path in files if _is_reviews(path)}
    named = {match["name"] for path in splits if (match := _SPLIT.fullmatch(path.name))}
    categories = sorted({*metas, *reviews, *named})
    if category is None and len(categories) != 1:
        raise DataError(
            f"folder {str(folder)!r} holds {len(categories)} categories ({', '.join(categories) or 'none'}); "
            "exactly one, or a name that picks one, would be valid"
        )
    chosen = category or categories[0]
    if chosen not in categories:
        raise DataError(f"folder {str(folder)!r} has no category {chosen!r}; {', '.join(categories)} would be valid")
    own = [path for path in splits if path.name.startswith(f"{chosen}.")]
    return AmazonFiles(reviews.get(chosen), metas.get(chosen), split_files(own))


def split_files(paths: Iterable[Path]) -> dict[str, dict[str, Path]]:
    """Return the published split files by rule and part.

    Raises:
        DataError: When a name says no rule or part, or a part of a rule is missing or there twice.
    """
    found: dict[str, dict[str, Path]] = {}
    for path in paths:
        match = _SPLIT.fullmatch(path.name)
        above = _FOLDER_RULE.fullmatch(path.parent.name)
        rule = match["rule"] or (above and above[1]) if match else None
        if match is None or not rule:
            raise DataError(
                f"file {str(path)!r} is no published split; <Category>.last_out.train.csv, or "
                "last_out/<Category>.train.csv, would be valid"
            )
        if match["part"] in found.setdefault(rule, {}):
            raise DataError(f"files {str(found[rule][match['part']])!r} and {str(path)!r} are the same part of {rule}")
        found[rule][match["part"]] = path
    for rule, parts in found.items():
        missing = [part for part in PARTS if part not in parts]
        if missing:
            raise DataError(f"split {rule!r} lacks {', '.join(missing)} beside {str(next(iter(parts.values())))!r}")
    return dict(sorted(found.items()))


def open_reviews(path: Path) -> Rows:
    """Return the rows of reviews or ratings; the 2014 ratings CSV has no header."""
    if ".csv" in path.suffixes:
        if not path.is_file():
            raise DataError(f"file {str(path)!r} does not exist")
        with open_text(path) as file:
            first = file.readline().strip().split(",")
        if len(first) == _FIELDS and _is_number(first[2]) and _is_number(first[3]):
            return HeaderlessRatings(path)
    return open_json(path)


def open_json(path: Path) -> Rows:
    """Return the rows of a table file, or the JSON or Python literals a line of a `.json` one."""
    if path.name.removesuffix(".gz").endswith(".json"):
        if not path.is_file():
            raise DataError(f"file {str(path)!r} does not exist")
        return LiteralLines(path)
    return open_rows(path)


@dataclass(frozen=True)
class HeaderlessRatings:
    """`ratings_<Category>.csv` of 2014: user, item, rating, timestamp and no header."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name, as rejects cite it."""
        return self.path.name

    @property
    def columns(self) -> tuple[str, ...]:
        """What the four fields are."""
        return RATING_COLUMNS

    def records(self, rejects: Rejects) -> Iterator[tuple[int, Record]]:
        """Yield line number and row."""
        with open_text(self.path) as file:
            for line, fields in delimited(file, self.name, ",", rejects, width=_FIELDS):
                yield line, dict(zip(RATING_COLUMNS, fields, strict=True))


@dataclass(frozen=True)
class LiteralLines:
    """One object a line, as JSON or (2014's `meta_*.json`) as a Python literal; nothing is executed."""

    path: Path

    @property
    def name(self) -> str:
        """The file's name, as rejects cite it."""
        return self.path.name

    @property
    def columns(self) -> tuple[str, ...]:
        """Unknown before the rows are read."""
        return ()

    def records(self, rejects: Rejects) -> Iterator[tuple[int, Record]]:
        """Yield line number and row of each readable line."""
        import json

        with open_text(self.path) as file:
            for number, line in enumerate(file, 1):
                try:
                    line.encode()
                    row = json.loads(line) if line.startswith('{"') else ast.literal_eval(line.strip() or "0")
                except UnicodeEncodeError:
                    detail = "bytes or escapes that are not UTF-8"
                    rejects.add(self.name, number, "not UTF-8", detail, printable(line))
                    continue
                except (ValueError, SyntaxError, MemoryError, RecursionError) as error:
                    told = error if isinstance(error, json.JSONDecodeError) else shown(line.strip())
                    rejects.add(self.name, number, "malformed row", f"neither JSON nor a literal: {told}", line)
                    continue
                if isinstance(row, dict):
                    yield number, row
                elif not line.isspace():
                    rejects.add(self.name, number, "malformed row", "one object a line would be valid", line)


def _is_meta(path: Path) -> bool:
    return path.name.startswith("meta_") and _plain(path).endswith((".jsonl", ".json"))


def _is_reviews(path: Path) -> bool:
    if path.name.startswith("meta_") or _SPLIT.fullmatch(path.name):
        return False
    return _plain(path).endswith((".jsonl", ".csv")) or path.name.startswith("reviews_")


def _plain(path: Path) -> str:
    return path.name.removesuffix(".gz")


def _stem(path: Path) -> str:
    return path.name.split(".", 1)[0]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
