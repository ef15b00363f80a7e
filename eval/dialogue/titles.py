"""Finds the shop's item for what a dialogue names: by the shop's own id, or by exactly its title and year."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from typing import Literal

from catalog.items import Catalog
from catalog.nouns import Item
from eval.dialogue.nouns import Mention

Miss = Literal["not in the shop", "several of that title", "no title"]

_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_ASIDE = re.compile(r"\(([^()]*)\)")
_LAST_ARTICLE = re.compile(r"^(.*), (the|a|an|le|la|les|l'|il|el|los|las|der|die|das)$", re.IGNORECASE)
_YEARS = ("year", "release_year", "release_date")
"""Attributes that hold a year where the title has none."""


def title_key(title: str) -> tuple[str, str | None]:
    """Return a title as it is compared, and its year.

    Case, accents, punctuation and blanks do not count, `&` is `and`, and an article may stand last.

    Example:
        >>> title_key("Matrix, The  (1999)"), title_key("the matrix (1999)")
        (('the matrix', '1999'), ('the matrix', '1999'))
    """
    found = _YEAR.search(title)
    name = (title[: found.start()] if found else title).strip()
    moved = _LAST_ARTICLE.match(name)
    return _plain(f"{moved[2]} {moved[1]}" if moved else name), found[1] if found else None


def spoken_title(title: str) -> str:
    """Return a title as one would say it: without its year, the article in front.

    Example:
        >>> spoken_title("Matrix, The (1999)")
        'The Matrix'
    """
    name = " ".join(_YEAR.sub("", title).split()) or title
    moved = _LAST_ARTICLE.match(name)
    return f"{moved[2]} {moved[1]}" if moved else name


class TitleIndex:
    """The items of a catalogue by title."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._names: dict[str, dict[str, str | None]] = defaultdict(dict)
        self._asides: dict[str, dict[str, str | None]] = defaultdict(dict)
        for item in catalog:
            if item.title:
                name, year = title_key(item.title)
                year = year or _year(item)
                self._names[name][item.item_id] = year
                for other in _other_names(item.title):
                    self._asides[other][item.item_id] = year

    def find(self, mention: Mention) -> tuple[str | None, Miss | None]:
        """Return the item id, or None and why not.

        Name and year must both agree; one that either side does not know agrees with any. Names that a title holds in
        brackets count where no title as a whole does.
        """
        if mention.title is None:
            if mention.item_id is None:
                return None, "no title"
            if mention.item_id in self._catalog:
                return mention.item_id, None
        name, year = title_key(mention.title or mention.item_id or "")
        for names in (self._names, self._asides):
            known = names.get(name, {}) if name else {}
            exact = [item_id for item_id, each in known.items() if year is not None and each == year]
            found = exact or [item_id for item_id, each in known.items() if year is None or each is None]
            if len(found) == 1:
                return found[0], None
            if found:
                return (mention.item_id, None) if mention.item_id in found else (None, "several of that title")
        return None, "not in the shop"


def _year(item: Item) -> str | None:
    values = (value for name in _YEARS for value in item.attributes.get(name, ()))
    return next((value[:4] for value in values if value[:4].isdigit()), None)


def _other_names(title: str) -> set[str]:
    """Return the names of `Seven (a.k.a. Se7en) (1995)` beside the whole: `seven` and `se7en`."""
    name = _YEAR.sub("", title)
    asides = [re.sub(r"^a\.?k\.?a\.? ", "", aside.strip(), flags=re.IGNORECASE) for aside in _ASIDE.findall(name)]
    if not asides:
        return set()
    return {key for each in (_ASIDE.sub(" ", name), *asides) if (key := title_key(" ".join(each.split()))[0])}


def _plain(text: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).casefold()
    words = bare.replace("&", " and ").replace("'", "").replace("\u2019", "")
    return " ".join("".join(c if c.isalnum() else " " for c in words).split())
