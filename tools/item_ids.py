"""Item ids as people and models write them."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from catalog.errors import ToolRetry
from catalog.items import Catalog
from tools.arguments import shown

MOST_NAMED = 5
"""Unknown items one error names: each is compared with every id of the catalogue, and nobody reads a hundred."""

_WRAPPING = "<>[](){}\"'`“”‘’«» \t\r\n"


def resolved(catalog: Catalog, written: str, field: str) -> str:
    """Return the item id meant by `written`; see `resolved_all`."""
    return resolved_all(catalog, (written,), field)[0]


def resolved_all(catalog: Catalog, written: Sequence[str], field: str) -> tuple[str, ...]:
    """Return the distinct item ids meant, in order: verbatim, without quotes or brackets, in another case, or by title.

    Raises:
        ToolRetry: Naming `field`, the unknown items at once (the first `MOST_NAMED`), and the closest ids.
    """
    found = {each: _meant(catalog, each) for each in written}
    unknown = [each for each, item_id in found.items() if item_id is None]
    if unknown:
        faults = ", ".join(f"{shown(each)}{_closest(catalog, each)}" for each in unknown[:MOST_NAMED])
        faults += f" and {len(unknown) - MOST_NAMED} more" if len(unknown) > MOST_NAMED else ""
        raise ToolRetry(f"{field!r} names what this shop does not have: {faults}; ids from a search would be valid")
    return tuple(dict.fromkeys(item_id for item_id in found.values() if item_id is not None))


def _meant(catalog: Catalog, written: str) -> str | None:
    bare = written.strip(_WRAPPING)
    for exact in (written, bare):
        if exact in catalog:
            return exact
    folded = bare.casefold()
    for names in ([item.item_id for item in catalog], [item.title or "" for item in catalog]):
        same = [row for row, name in enumerate(names) if name.casefold() == folded]
        if folded and len(same) == 1:
            return catalog.items[same[0]].item_id
    return None


def _closest(catalog: Catalog, written: str) -> str:
    close = get_close_matches(written.strip(_WRAPPING), catalog.ids.ids, n=3, cutoff=0.6)
    return f" (closest: {', '.join(close)})" if close else ""
