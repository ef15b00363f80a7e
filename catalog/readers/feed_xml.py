"""RSS 2.0 and Atom as a stream of items; nothing is expanded, fetched or kept but the item at hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from catalog.errors import DataError
from catalog.readers.feed_bytes import open_bytes
from catalog.readers.rejects import Rejects

Nested = Mapping[str, str]
"""`<g:product_detail>` and the like: one level of named texts."""

GOOGLE = "http://base.google.com/ns/1.0"
CUSTOM = "http://base.google.com/cns/1.0"
"""Namespace of attributes that the shop made up (`c:season`)."""

ITEMS = frozenset({"item", "entry", "product"})

_CHUNK = 1 << 16
_DEEPEST = 32
_VALUE_CHARACTERS = 1 << 18
_ITEM_CHARACTERS = 1 << 20
_ITEM_VALUES = 2_000
_PREFIXES = 100
_TOKEN_BYTES = 1 << 22
"""A tag of more bytes is refused: expat reads an unfinished one anew with every chunk."""


@dataclass
class XmlItem:
    """One item.

    Attributes:
        line: Where it begins.
        values: Name without prefix -> texts or nested texts, in order. Where Google's namespace and plain RSS both
            name something (`g:title`, `title`), Google's counts.
        language: What the channel says of itself.
        fault: Why it cannot be used, where it is too large.
    """

    line: int
    values: dict[str, list[str | Nested]] = field(default_factory=dict)
    language: str | None = None
    fault: str | None = None


def xml_items(path: Path, most: int, rejects: Rejects) -> Iterator[XmlItem]:
    """Yield the items of a feed in order; one that is too large is rejected.

    Names are compared without their prefix; those of other namespaces than Google's are left out, and so a
    `g:` that the feed forgot to declare does no harm.

    Raises:
        DataError: When it is no well-formed XML, has a document type (with it come entities, which are how a
            kilobyte becomes a gigabyte and how a feed reads files of this machine), or holds no item.
    """
    seen = False
    with open_bytes(path, most) as file:
        for item in _Reading(path).items(file):
            seen = True
            if item.fault is None:
                yield item
            else:
                rejects.add(path.name, item.line, "malformed row", item.fault, dict(item.values))
    if not seen:
        raise DataError(f"file {str(path)!r} holds no <item> and no <entry>; RSS 2.0 or Atom would be valid")


class _Reading:
    """One pass of expat over a file; names are put together here, since feeds forget to declare `g:`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.EntityDeclHandler = self._doctype
        self._prefixes = {"": "", "g": GOOGLE, "c": CUSTOM}
        self._depth = self._item_depth = 0
        self._item: XmlItem | None = None
        self._plain: dict[str, list[str | Nested]] = {}
        self._said: list[str] = []
        self._size = self._total = self._count = 0
        self._nested: dict[str, str] = {}
        self._language: str | None = None
        self._done: list[XmlItem] = []

    def items(self, file: BinaryIO) -> Iterator[XmlItem]:
        fed = 0
        try:
            while chunk := file.read(_CHUNK):
                fed += len(chunk)
                self._parser.Parse(chunk, False)
                if fed - max(self._parser.CurrentByteIndex, 0) > _TOKEN_BYTES:
                    raise self._refused(f"a tag of more than {_TOKEN_BYTES:,} bytes")
                yield from self._done
                self._done.clear()
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise DataError(
                f"file {str(self._path)!r} line {error.lineno}: not well-formed XML "
                f"({expat.ErrorString(error.code)}); the feed is not used, since the rest cannot be read"
            ) from error
        except (LookupError, ValueError) as error:  # an encoding that Python does not know, or not of one byte
            raise DataError(f"file {str(self._path)!r}: {error}; UTF-8 would be valid") from error
        yield from self._done

    def _doctype(self, *_: object) -> None:
        raise self._refused("a document type with entities of its own is not read; a feed without one would be valid")

    def _refused(self, why: str) -> DataError:
        return DataError(f"file {str(self._path)!r} line {self._parser.CurrentLineNumber}: {why}")

    def _name(self, name: str) -> tuple[str, str]:
        """Return namespace and local name."""
        prefix, _, local = name.rpartition(":")
        return self._prefixes.get(prefix, prefix), local.lower()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._refused(f"tags within tags beyond {_DEEPEST} levels")
        for key, value in attributes.items():
            if (key == "xmlns" or key.startswith("xmlns:")) and len(self._prefixes) < _PREFIXES:
                self._prefixes[key.partition(":")[2]] = value
        _, local = self._name(name)
        level = self._depth - self._item_depth
        if self._item is None:
            if local in ITEMS:
                self._item, self._item_depth = XmlItem(self._parser.CurrentLineNumber), self._depth
                self._plain, self._count, self._total = {}, 0, 0
            self._said.clear()
            self._size = 0
        elif level <= 2:
            self._said.clear()
            self._size = 0
            if level == 1:
                self._nested = {}
                if local == "link" and attributes.get("rel", "alternate") == "alternate":
                    self._said.append(attributes.get("href", ""))  # Atom

    def _text(self, data: str) -> None:
        self._size += len(data)
        self._total += len(data)
        if self._size <= _VALUE_CHARACTERS and (self._item is None or self._total <= _ITEM_CHARACTERS):
            self._said.append(data)
        elif self._item is not None:
            self._item.fault = f"more text than an item has ({_VALUE_CHARACTERS:,} characters a value)"

    def _end(self, name: str) -> None:
        level = self._depth - self._item_depth
        self._depth -= 1
        if self._item is None:
            if self._name(name)[1] == "language":
                self._language = "".join(self._said).strip() or None
        elif level == 0:
            self._item.values = {**self._plain, **self._item.values}
            self._item.language = self._language
            self._done.append(self._item)
            self._item = None
        elif level == 1:
            self._keep(name)
        elif level == 2:
            if len(self._nested) < _PREFIXES:
                self._nested[self._name(name)[1]] = "".join(self._said).strip()
            self._said.clear()

    def _keep(self, name: str) -> None:
        assert self._item is not None
        space, local = self._name(name)
        text: str | Nested = dict(self._nested) if self._nested else "".join(self._said).strip()
        self._count += 1
        if self._count > _ITEM_VALUES:
            self._item.fault = f"more than {_ITEM_VALUES:,} values"
        elif not text:
            return
        elif space in (GOOGLE, CUSTOM):
            self._item.values.setdefault(local, []).append(text)
        elif space in ("", self._prefixes[""]):
            self._plain.setdefault(local, []).append(text)
