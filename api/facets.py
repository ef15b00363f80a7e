"""`POST /v1/facets`: how many items carry each value, for a catalogue that is looked through by hand."""

from __future__ import annotations

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.fields import Body, ExternalId, WireFilters
from api.search import check_items
from api.service import Service
from catalog.filters import Filters
from catalog.items import Catalog
from catalog.vectors import Mask
from indexes.facets import BRAND, CATEGORY, FacetIndex
from tools.vocabulary import spoken

MOST_ATTRIBUTES, MOST_VALUES = 6, 24
"""Attributes told of, those most items have first; and values of each, the commonest first."""


class FacetsBody(Body):
    """Which items are counted: those that pass `filters`, of `item_ids` where these are given."""

    filters: WireFilters = Filters()
    item_ids: list[ExternalId] | None = Field(None, max_length=1000, description="Count among these alone.")


class ValueOut(BaseModel):
    """A value as the catalogue writes it, and how many of the counted items carry it."""

    value: str
    count: int


class FacetOut(BaseModel):
    """One facet; its values are counted as if nothing of this facet were chosen, so that a second one can be."""

    name: str = Field(examples=["category", "brand", "colour"])
    values: list[ValueOut]


class PriceOut(BaseModel):
    """Lowest and highest price of the counted items."""

    min: float
    max: float


class FacetsOut(BaseModel):
    """How many items pass, and what they can be told apart by."""

    total: int
    facets: list[FacetOut]
    price: PriceOut | None


def facet_routes(service: Service) -> APIRouter:
    """Return the router of facets."""
    router = APIRouter(tags=["search"])

    @router.post("/v1/facets", summary="Count the values of items that pass filters", responses={404: {}})
    def facets(body: FacetsBody) -> FacetsOut:
        """Return category, brand and the commonest attributes with their values, and the span of prices."""
        shop = service.now().shop
        check_items(body.item_ids or [], "item_ids", shop.catalog)
        filters, _ = spoken(body.filters, shop.facets)
        return counted(shop.facets, filters, None if body.item_ids is None else rows_of(body.item_ids, shop.catalog))

    return router


def rows_of(item_ids: list[str], catalog: Catalog) -> Mask:
    """Return which rows of the catalogue some items are, (n_items,) bool."""
    out = np.zeros(len(catalog), np.bool_)
    out[catalog.ids.rows(item_ids)] = True
    return out


def counted(index: FacetIndex, filters: Filters, among: Mask | None = None) -> FacetsOut:
    """Count every facet over the items that pass.

    Args:
        index: Of the catalogue.
        filters: In the catalogue's spelling.
        among: Rows that count at all, (n_items,) bool; None: every one.
    """
    everyone = np.ones(len(index), np.bool_) if among is None else among

    def passing(asked: Filters) -> Mask:
        mask = index.mask(asked)
        return everyone if mask is None else everyone & mask

    whole = passing(filters)
    chosen = {name.casefold() for name in filters.attributes}
    carried = {name: _carried(index, name) for name in index.attribute_names}
    told = sorted(carried, key=lambda name: (name not in chosen, -carried[name]))[:MOST_ATTRIBUTES]
    attributes = sorted(told, key=lambda name: -carried[name])  # a chosen one stays where it stood
    facets = [
        FacetOut(
            name=name,
            values=[
                ValueOut(value=c.value, count=c.count)
                for c in index.counts(name, passing(_without(filters, name)))[:MOST_VALUES]
            ],
        )
        for name in (CATEGORY, BRAND, *attributes)
    ]
    span = index.price_span(passing(filters.model_copy(update={"price": None})))
    return FacetsOut(
        total=int(whole.sum()),
        facets=[facet for facet in facets if facet.values],
        price=None if span is None else PriceOut(min=span.min, max=span.max),
    )


def _carried(index: FacetIndex, name: str) -> int:
    return sum(count.count for count in index.counts(name))


def _without(filters: Filters, facet: str) -> Filters:
    if facet in (CATEGORY, BRAND):
        return filters.model_copy(update={facet: ()})
    kept = {name: values for name, values in filters.attributes.items() if name.casefold() != facet}
    return filters.model_copy(update={"attributes": kept})
