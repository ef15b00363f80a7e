"""Handles: the short names (`#1`, `#2`...) under which a mind knows items, one book a conversation."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterable, Mapping

from catalog.items import Catalog

HANDLE = re.compile(r"#\s?(\d{1,6})(?!\w)")
"""A handle inside a text; group 1 is its number."""

_COSTUME = "<>[](){}\"'`*_“”‘’«».,;:!? \t\r\n"
_NUMBERED = re.compile(r"(?:item|product|handle|number|no\.?|nr\.?|option)?\s*#?\s*(\d{1,6})", re.IGNORECASE)


class HandleBook:
    """Issues a handle to every item a tool returned in this conversation; an item keeps its handle.

    Args:
        catalog: Where titles come from.
        limit: Handles kept; those issued longest ago are forgotten first, numbers are never reused.

    Example:
        >>> from catalog.nouns import Item
        >>> book = HandleBook(Catalog([Item("007", title="Blue bowl")]))
        >>> book.issue("007"), book.issue("007"), book.resolve("<#1>"), book.resolve("`blue bowl`"), book.resolve("#2")
        ('#1', '#1', '007', '007', None)
    """

    def __init__(self, catalog: Catalog, limit: int = 500) -> None:
        self._catalog: Catalog | None = catalog
        self._resting: weakref.ref[Catalog] | None = None
        self._limit = limit
        self._next = 1
        self._item_of: dict[str, str] = {}
        self._handle_of: dict[str, str] = {}
        self._by_title: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._item_of)

    def __contains__(self, item_id: object) -> bool:
        return item_id in self._handle_of

    def issue(self, item_id: str) -> str:
        """Return the handle of an item, a new one where it has none."""
        if item_id in self._handle_of:
            return self._handle_of[item_id]
        catalog = self.catalog
        # A shop may call an item `#2`: a handle of that name would be taken for it.
        while catalog is not None and f"#{self._next}" in catalog:
            self._next += 1
        handle = f"#{self._next}"
        self._next += 1
        self._item_of[handle] = item_id
        self._handle_of[item_id] = handle
        item = catalog.get(item_id) if catalog is not None else None
        if item is not None and item.title:
            self._by_title.setdefault(fold(item.title), item_id)
        if len(self._item_of) > self._limit:
            self._forget(next(iter(self._item_of)))
        return handle

    def copy(self) -> HandleBook:
        """Return a book of its own with the same handles."""
        book = HandleBook(self.catalog or Catalog(()), self._limit)
        book._next = self._next
        book._item_of = dict(self._item_of)
        book._handle_of = dict(self._handle_of)
        book._by_title = dict(self._by_title)
        return book

    @classmethod
    def reopened(cls, catalog: Catalog, issued: Mapping[str, str], given: int, limit: int) -> HandleBook:
        """Return the book that stood at `issued()` and `given`, over a catalogue of now."""
        book = cls(catalog, limit)
        book._next = given + 1
        book._item_of = dict(issued)
        book._handle_of = {item_id: handle for handle, item_id in issued.items()}
        for item_id in book._handle_of:
            item = catalog.get(item_id)
            if item is not None and item.title:
                book._by_title.setdefault(fold(item.title), item_id)
        return book

    @property
    def given(self) -> int:
        """How many handles were ever given; the next has the number after it."""
        return self._next - 1

    @property
    def catalog(self) -> Catalog | None:
        """Where titles come from; None when nobody has that snapshot any more."""
        return self._catalog if self._resting is None else self._resting()

    def rest(self) -> None:
        """Let the snapshot go where nobody else has it: an idle conversation would keep it in memory for an hour."""
        if self._catalog is not None:
            self._resting, self._catalog = weakref.ref(self._catalog), None

    def follow(self, catalog: Catalog) -> frozenset[str]:
        """Go on with another snapshot of the catalogue; return the items that are not in it, whose handles are gone."""
        gone = frozenset(item_id for item_id in self._handle_of if item_id not in catalog)
        for item_id in gone:
            self._forget(self._handle_of[item_id])
        self._catalog, self._resting = catalog, None
        for item_id in self._handle_of:
            if title := catalog[item_id].title:
                self._by_title.setdefault(fold(title), item_id)
        return gone

    def handle(self, item_id: str) -> str | None:
        """Return the handle of an item, or None where none was issued."""
        return self._handle_of.get(item_id)

    def item(self, handle: str) -> str | None:
        """Return the item id behind `#n`, or None."""
        return self._item_of.get(handle)

    def issued(self) -> Mapping[str, str]:
        """Return handle -> item id, in the order they were issued."""
        return dict(self._item_of)

    def resolve(self, text: str) -> str | None:
        """Return the item id a mind means by `text`, or None when no such item was issued.

        Minds dress references up: `#3`, `3`, `item #3`, `<#3>`, quotes and backticks around it, the raw id, or the
        exact title. A raw id wins over a handle's bare number.
        """
        naked = text.strip(_COSTUME)
        if naked in self._handle_of:
            return naked
        stripped = text.strip()
        if stripped in self._handle_of:
            return stripped
        numbered = _NUMBERED.fullmatch(naked)
        if numbered:
            return self._item_of.get(f"#{int(numbered.group(1))}")
        return self._by_title.get(fold(naked))

    def resolve_all(self, texts: Iterable[str]) -> list[str]:
        """Return the distinct item ids that `texts` mean, in order, unknown ones left out."""
        found = (self.resolve(text) for text in texts)
        return list(dict.fromkeys(item_id for item_id in found if item_id is not None))

    def _forget(self, handle: str) -> None:
        item_id = self._item_of.pop(handle)
        del self._handle_of[item_id]
        self._by_title = {title: known for title, known in self._by_title.items() if known != item_id}


def fold(text: str) -> str:
    """Return `text` for comparison: case and runs of blanks do not matter."""
    return " ".join(text.casefold().split())
