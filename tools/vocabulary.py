"""Filters in the catalogue's own words: spelling bent where the meaning is plain, the rest named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from catalog.errors import ToolRetry, did_you_mean
from catalog.filters import Filters
from indexes.facets import BRAND, CATEGORY, FacetIndex
from indexes.words import terms


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """A wanted value no item carries, and the closest ones that exist."""

    field: str
    value: str
    closest: tuple[str, ...]


def spoken(filters: Filters, facets: FacetIndex) -> tuple[Filters, tuple[UnknownValue, ...]]:
    """Return `filters` in the catalogue's spelling, and the values no item carries (left as they are).

    "Scarf" becomes the category "scarves", the attribute "color" the attribute "colour": words that
    share their search terms are one word.

    Raises:
        ToolRetry: When an attribute is none of the shop's.
    """
    unknown: list[UnknownValue] = []

    def values(field: str, facet: str, wanted: Iterable[str]) -> tuple[str, ...]:
        return tuple(_value(field, each, facets.values(facet), unknown) for each in wanted)

    bent = filters.model_copy(
        update={
            "brand": values(BRAND, BRAND, filters.brand),
            "category": values(CATEGORY, CATEGORY, filters.category),
            "attributes": {
                name: values(f"attributes.{name}", name, wanted)
                for name, wanted in _named(filters.attributes, facets).items()
            },
        }
    )
    if filters.not_ is not None:
        # What is not wanted may well not exist; that is no fault to report.
        bent = bent.model_copy(update={"not_": spoken(filters.not_, facets)[0]})
    return bent, tuple(unknown)


def named_categories(query: str, facets: FacetIndex) -> tuple[str, ...]:
    """Return the categories a query names ("a blue vase" -> "vases"), without those that contain another one named."""
    said = set(terms(query))
    named = [value for value in facets.values(CATEGORY) if (key := set(_key(value))) and key <= said]
    rows = {value: facets.rows(CATEGORY, value) for value in named}
    return tuple(value for value in named if not any(rows[value] > rows[other] for other in named))


def attribute_name(name: str, facets: FacetIndex) -> str | None:
    """Return the shop's name for an attribute ("Color" -> "colour"), or None when it has none like it."""
    if name.casefold() in facets.attribute_names:
        return name.casefold()
    return next((known for known in facets.attribute_names if _key(known) == _key(name) != ()), None)


def _named(attributes: Mapping[str, tuple[str, ...]], facets: FacetIndex) -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for name, wanted in attributes.items():
        known = attribute_name(name, facets)
        if known is None:
            hint = did_you_mean(name, list(facets.attribute_names[:50]))
            raise ToolRetry(f"'filters.attributes' names the unknown attribute {name!r}. {hint}")
        out[known] = (*out.get(known, ()), *wanted)
    return out


def _value(field: str, wanted: str, known: tuple[str, ...], unknown: list[UnknownValue]) -> str:
    folded = {value.casefold(): value for value in known}
    if wanted.strip().casefold() in folded:
        return folded[wanted.strip().casefold()]
    same = [value for value in known if _key(value) and _key(value) == _key(wanted)]
    if same:
        return same[0]
    close = get_close_matches(wanted.casefold(), list(folded), n=3, cutoff=0.6)
    unknown.append(UnknownValue(field, wanted, tuple(folded[value] for value in close)))
    return wanted


def _key(text: str) -> tuple[str, ...]:
    return tuple(terms(text.replace("_", " ")))
