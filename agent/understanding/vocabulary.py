"""`Vocabulary`: what a catalogue's own words mean, learned from the catalogue alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np

from agent.understanding import colours
from agent.understanding.layers import side_by_side
from agent.understanding.spelling import Speller
from agent.understanding.terms import Facet, Phrase, Term, TermKind, by_phrase, facets, phrases, surnames
from agent.understanding.title_names import called, names, stands_in
from agent.understanding.words import fold, keys, split, stem
from catalog.items import Catalog
from catalog.nouns import Caption
from tools.sort_columns import DATE_ATTRIBUTES

MAX_PHRASE = 6
_ARTICLES = (("the",), ("a",), ("an",))
_PROSE_CHARS = 400
_COLOUR_NAME = re.compile(r"colou?r", re.IGNORECASE)


class Vocabulary:
    """Phrases of a catalogue and what they stand for.

    Args:
        catalog: The items; nothing else is needed for a new catalogue.
        captions: Words read from the items' media, so that what a picture shows counts as carried.

    Example:
        >>> from catalog.nouns import Item
        >>> shop = Catalog([Item("1", title="Cobalt mug", categories=("mugs",), attributes={"colour": ("navy",)})])
        >>> vocabulary = Vocabulary(shop)
        >>> vocabulary.term(("mug",)).values, vocabulary.term(("blue",)).values
        (('mugs',), ('navy',))
    """

    def __init__(self, catalog: Catalog, captions: Mapping[str, tuple[Caption, ...]] | None = None) -> None:
        self._catalog = catalog
        self.facets: Mapping[tuple[TermKind, str], Facet] = {(f.kind, f.name): f for f in facets(catalog)}
        self._by_phrase = by_phrase(self.facets.values())
        self._terms: dict[Phrase, list[Term]] = {}
        self._heads: dict[Phrase, list[Term]] = {}
        self._stems: dict[str, list[Term]] = {}
        for facet in self.facets.values():
            self._index(facet)
        self.title_words: Counter[str] = Counter()
        self._rows_titled: dict[Phrase, list[int]] = {}
        self._title_rows: dict[str, set[int]] = {}
        self._titles: dict[Phrase, str] = {}
        exactness: dict[Phrase, int] = {}
        self._prose: set[str] = set()
        for row, item in enumerate(catalog):
            title = keys(item.title or "")
            self.title_words.update(set(title))
            self._rows_titled.setdefault(title, []).append(row)
            for word in title:
                self._title_rows.setdefault(word, set()).add(row)
            for rank, name in enumerate(called(item.title or "")):
                if rank < exactness.get(name, rank + 1):  # "Alien" is the film of that name, not "Aliens"
                    self._titles[name], exactness[name] = item.title or "", rank
            self._prose.update(keys((item.description or "")[:_PROSE_CHARS]))
            for caption in (captions or {}).get(item.item_id, ()):
                self._prose.update(keys(caption.text[:_PROSE_CHARS]))

    def term(self, phrase: Phrase) -> Term | None:
        """Return what a phrase of singular words names, or None.

        Exact values come first, then a colour family, then values that end in the phrase ("lamps" -> "Desk Lamps").
        """
        colour = self._colour(phrase)
        if colour is not None:
            return colour
        found = self._terms.get(phrase)
        return self._best(found if found else self._heads.get(phrase, []))

    def exact(self, phrase: Phrase) -> Term | None:
        """Return what is called exactly a phrase of singular words, or None."""
        return self._best(self._terms.get(phrase, []))

    def title_rows(self, phrase: Phrase) -> frozenset[int]:
        """Return the rows of items in whose titles the singular words of a phrase stand together."""
        found = set.intersection(*(self._title_rows.get(word, set()) for word in phrase)) if phrase else set()
        return frozenset(row for row in found if stands_in(phrase, keys(self._catalog.items[row].title or "")))

    def title_begins(self, row: int, phrase: Phrase) -> bool:
        """Whether the title of a row begins with the singular words of a phrase, an article before them left aside."""
        title = keys(self._catalog.items[row].title or "")
        return phrase in (title[: len(phrase)], title[1 : len(phrase) + 1] if title[:1] in _ARTICLES else ())

    def record_words(self, title: str) -> frozenset[str]:
        """Return the singular words of every record of a title: its text and the values of its attributes."""
        found: set[str] = set()
        for row in self._rows_titled.get(keys(title), ()):
            item = self._catalog.items[row]
            texts = (item.title, item.description, *(v for values in item.attributes.values() for v in values))
            found.update(word for text in texts if text for word in keys(text))
        return frozenset(found)

    def having(self, phrase: Phrase) -> set[int]:
        """Return the rows with an attribute of exactly these singular words, be it one that no filter is made of."""
        return set().union(*self._by_phrase.get(phrase, ()))

    def surname(self, word: str, *, named: bool) -> Term | None:
        """Return everyone of a last name; one that titles or texts use as a word counts only where `named` as a person.

        People of one work each are left out, for any word may be somebody's name.
        """
        if not named and (word in self.title_words or word in self._prose):
            return None
        known = [term for term in self._surnames.get(word, []) if self._uses(term) >= 2]
        return max(known, key=lambda term: (self._uses(term), term.name), default=None)

    def related(self, word: str) -> Term | None:
        """Return what a word of the same root names ("wooden" -> "wood"), or a shade's family ("crimson" -> reds)."""
        found = self._best(self._stems.get(stem(word), []))
        shade = colours.family(word)
        return found or (self._colour((shade,)) if shade else None)

    def knows(self, word: str) -> bool:
        """Whether any title, description, caption or value of the shop has the singular `word`."""
        return any(word in known for known in (self.title_words, self._prose, self.facet_words, self._value_words))

    def title(self, text: str) -> str | None:
        """Return the title `text` is, or None; an article before it and a year after it may be left out."""
        found = (self._titles.get(name) for name in names(text))
        return next((title for title in found if title), None)

    def years(self, low: int, high: int) -> tuple[str, ...]:
        """Return the years of a span that stand in titles, () where titles carry none."""
        return tuple(str(year) for year in range(low, high + 1) if self.title_words[str(year)])

    def id_title(self, item_id: str) -> str | None:
        """Return the title of an item named by its raw id, or None."""
        item = self._catalog.get(item_id)
        return item.title if item else None

    def nearest(self, word: str) -> tuple[int, str] | None:
        """Return the word of the shop that a misspelt `word` was meant to be and the edits between them, or None."""
        return self._speller.nearest(word)

    def rows(self, terms: Iterable[Term]) -> set[int]:
        """Return the rows of items that have any value of any of `terms`."""
        return set().union(*(self._rows(term) for term in terms))

    def names(self, kind: TermKind, name: str = "", limit: int = 4) -> tuple[str, ...]:
        """Return the most frequent values of a facet, for a question a shopper can answer."""
        facet = self.facets.get((kind, name))
        if facet is None:
            return ()
        ranked = sorted(facet.rows, key=lambda value: (-len(facet.rows[value]), value))
        return tuple(ranked[:limit])

    def choices(self, limit: int = 4) -> tuple[str, ...]:
        """Return a few frequent categories that are neither everything nor a department above others."""
        facet = self.facets.get(("category", ""))
        if facet is None:
            return ()
        narrow = [v for v, rows in facet.rows.items() if not any(rows > other for other in facet.rows.values())]
        return tuple(sorted(narrow, key=lambda value: (-len(facet.rows[value]), value))[:limit])

    def facet_named(self, word: str) -> tuple[TermKind, str] | None:
        """Return the facet a singular word names: "colour", "brand", "material", "genre"..."""
        fixed: dict[str, tuple[TermKind, str]] = {
            "category": ("category", ""), "genre": ("category", ""), "kind": ("category", ""),
            "brand": ("brand", ""), "maker": ("brand", ""), "size": ("size", ""),
        }  # fmt: skip
        for kind, name in self.facets:
            if kind == "attribute" and word in keys(name.replace("_", " ")):
                return kind, name
        if word == "shade":
            return self.facet_named("colour")
        return fixed[word] if fixed.get(word) in self.facets else None

    @cached_property
    def prices(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        """Price by row (n_items,), NaN where the shop names none."""
        return np.array([np.nan if i.price is None else i.price for i in self._catalog], np.float64)

    @cached_property
    def flat(self) -> bool:
        """Whether categories stand side by side ("Comedy, Drama") rather than one within the other."""
        return side_by_side(self._catalog.items)

    def alike(self, facet: tuple[TermKind, str]) -> tuple[tuple[TermKind, str], ...]:
        """Return the facets that speak of the same as one, with it: a shade, its family and the colour."""
        return tuple(self._colour_values) if facet in self._colour_values else (facet,)

    @cached_property
    def dated(self) -> bool:
        """Whether any item says when it came out, so that "the newest" can be told."""
        return any(name.casefold() in DATE_ATTRIBUTES for name in self._catalog.attribute_names)

    @property
    def priced(self) -> bool:
        """Whether any item has a price."""
        return bool(np.isfinite(self.prices).any())

    @cached_property
    def currency(self) -> str | None:
        """The most frequent currency."""
        counts = Counter(item.currency for item in self._catalog if item.currency)
        return counts.most_common(1)[0][0] if counts else None

    @cached_property
    def facet_words(self) -> frozenset[str]:
        """Every singular word of any facet value."""
        return frozenset(word for phrase in (*self._terms, *self._heads) for word in phrase)

    @cached_property
    def _value_words(self) -> frozenset[str]:
        return frozenset(word for phrase in self._by_phrase for word in phrase)

    @cached_property
    def meanings(self) -> tuple[tuple[str, Term], ...]:
        """Values whose synonyms are worth finding: categories and small attributes, most frequent first."""
        found: dict[str, tuple[int, Term]] = {}
        for facet in self.facets.values():
            if facet.kind in ("category", "attribute") and facet.closed:
                for value, rows in facet.rows.items():
                    single = not any(c.isdigit() or c in "|;," for c in value)
                    if single and value.casefold() not in found:
                        found[value.casefold()] = (len(rows), Term(facet.kind, facet.name, (value,)))
        ranked = sorted(found.items(), key=lambda entry: (-entry[1][0], entry[0]))
        return tuple((value, term) for value, (_, term) in ranked)

    @cached_property
    def _surnames(self) -> dict[str, list[Term]]:
        return surnames(self.facets.values())

    @cached_property
    def _speller(self) -> Speller:
        counts = Counter(self.title_words)
        for phrase, terms in self._terms.items():
            uses = max(self._uses(term) for term in terms)
            counts.update(dict.fromkeys(phrase, uses))
        for facet in self.facets.values():
            for value, rows in facet.rows.items() if facet.closed else ():
                # As written, too: "drsses" is one letter from "dresses", its singular two from "dress".
                counts.update({word.text: len(rows) for word in split(fold(value)) if word.text not in counts})
        rare = 1 if len(self._catalog) < 500 else 3
        return Speller({word: n for word, n in counts.items() if n >= rare})

    @cached_property
    def _colour_values(self) -> dict[tuple[TermKind, str], dict[str, list[str]]]:
        """Colour family -> values, plain before shades, by each attribute that speaks of colour."""
        result: dict[tuple[TermKind, str], dict[str, list[str]]] = {}
        for facet in self.facets.values():
            if facet.kind == "attribute" and _COLOUR_NAME.search(facet.name):
                families = result.setdefault((facet.kind, facet.name), {})
                for value in sorted(facet.rows, key=lambda v: (len(keys(v)), not colours.is_family(v.casefold()), v)):
                    shade = colours.family(value)
                    if shade:
                        families.setdefault(shade, []).append(value)
        return result

    def _colour(self, phrase: Phrase) -> Term | None:
        if len(phrase) != 1 or not colours.is_family(phrase[0]):
            return None
        found = [
            Term(kind, name, tuple(families[phrase[0]]))
            for (kind, name), families in self._colour_values.items()
            if phrase[0] in families
        ]
        return self._best(found)

    def _index(self, facet: Facet) -> None:
        exact: dict[Phrase, list[str]] = {}
        heads: dict[Phrase, list[str]] = {}
        for value in facet.rows:
            for phrase in phrases(facet, value):
                exact.setdefault(phrase, []).append(value)
                for cut in range(1, len(phrase) if facet.closed and facet.kind != "brand" else 0):
                    heads.setdefault(phrase[cut:], []).append(value)
        for table, source in ((self._terms, exact), (self._heads, heads)):
            for phrase, values in source.items():
                table.setdefault(phrase, []).append(Term(facet.kind, facet.name, tuple(dict.fromkeys(values))))
        if facet.kind != "brand" and facet.closed:
            for phrase, values in exact.items():
                if len(phrase) == 1:
                    self._stems.setdefault(stem(phrase[0]), []).append(Term(facet.kind, facet.name, tuple(values)))

    def _rows(self, term: Term) -> set[int]:
        facet = self.facets[term.facet]
        return set().union(*(facet.rows.get(value, set()) for value in term.values))

    def _best(self, terms: Sequence[Term]) -> Term | None:
        """Categories before brands before attributes; among attributes the one that covers most items."""
        order = {"category": 0, "brand": 1, "attribute": 2, "size": 3}
        return min(terms, key=lambda t: (order[t.kind], -self._uses(t), t.name), default=None)

    def _uses(self, term: Term) -> int:
        rows = self.facets[term.facet].rows
        return sum(len(rows[value]) for value in term.values)
