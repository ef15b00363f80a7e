"""`Filters`: the one facet language of indexes, tools and the wire (design, section 8)."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, model_validator

from catalog.nouns import Item

MOST_VALUES = 1000
"""In all lists of one `Filters` together: every item is held against each of them, as often as a wish is relaxed."""


class PriceRange(BaseModel):
    """A closed price interval; an open end is None."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    min: float | None = Field(None, ge=0, description="Lowest price that passes.")
    max: float | None = Field(None, ge=0, description="Highest price that passes.")

    @model_validator(mode="after")
    def _ordered(self) -> PriceRange:
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"price min {self.min} is above max {self.max}")
        return self


class Filters(BaseModel):
    """What an item must satisfy. All parts must hold; within a list one value is enough.

    Text compares without regard to case. An item without a price fails a price range, one of
    unknown availability passes `available: true` (a shop that does not say is not out of stock).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    price: PriceRange | None = Field(None, description="Range the price must lie in.")
    brand: tuple[str, ...] = Field((), description="Any of these brands.")
    category: tuple[str, ...] = Field((), description="Any of the item's categories, broad or narrow.")
    attributes: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict, description='By name, any of these values, e.g. {"colour": ["red", "blue"]}.'
    )
    available: bool | None = Field(None, description="True: not known to be out of stock. False: out of stock.")
    not_: Filters | None = Field(None, alias="not", description="Any single part that holds excludes the item.")

    @model_validator(mode="after")
    def _few(self) -> Filters:
        values = len(self.brand) + len(self.category) + len(self.attributes) + sum(map(len, self.attributes.values()))
        if values > MOST_VALUES:
            raise ValueError(f"{values} values; up to {MOST_VALUES} together would be valid")
        return self

    @property
    def empty(self) -> bool:
        """Whether nothing is asked."""
        return self == Filters()

    def matches(self, item: Item) -> bool:
        """Whether `item` passes."""
        return all(part for part in self._parts(item)) and not (self.not_ and any(self.not_._parts(item)))

    def _parts(self, item: Item) -> list[bool]:
        """One verdict for each part that is asked."""
        parts: list[bool] = []
        if self.price is not None and (self.price.min is not None or self.price.max is not None):
            low, high = self.price.min, self.price.max
            parts.append(
                item.price is not None and (low is None or item.price >= low) and (high is None or item.price <= high)
            )
        if self.brand:
            parts.append(item.brand is not None and _overlap(self.brand, (item.brand,)))
        if self.category:
            parts.append(_overlap(self.category, item.categories))
        given = {name.casefold(): values for name, values in item.attributes.items()}
        for name, wanted in self.attributes.items():
            parts.append(_overlap(wanted, given.get(name.casefold(), ())))
        if self.available is not None:
            parts.append((item.availability is not False) == self.available)
        return parts


def _overlap(wanted: tuple[str, ...], given: tuple[str, ...]) -> bool:
    have = {value.casefold() for value in given}
    return any(value.casefold() in have for value in wanted)
