"""Values of filters that no item has, said with the nearest that there are: a slip of the pen is seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from api.listing import FoundOut, RecommendationsOut
from catalog.plain_text import one_line
from tools.vocabulary import UnknownValue

MOST_SAID = 3
"""Values that the sentence names; `unknown` holds them all."""
MOST_CHARACTERS = 60
"""Of a value, in the sentence."""


class UnknownOut(BaseModel):
    """A value of the filters that no item has."""

    field: str = Field(examples=["attributes.colour"])
    value: str = Field(examples=["bleu"])
    closest: list[str] = Field(description="The nearest values that items have, nearest first.", examples=[["blue"]])


class WithUnknown(BaseModel):
    """What of the filters the catalogue does not have; what `not` names may well not exist."""

    unknown: list[UnknownOut] = Field([], description="Values of the filters that no item has.")


class RecommendedOut(RecommendationsOut, WithUnknown):
    """What the shop would show this shopper."""


class SearchedOut(FoundOut, WithUnknown):
    """What was found."""


def with_unknown(head: dict[str, Any], unknown: Sequence[UnknownValue]) -> dict[str, Any]:
    """Return the head of a list (`api.listing.header`) that names what is unknown, in its text as well."""
    if not unknown:
        return head
    said = " ".join(_sentence(each) for each in unknown[:MOST_SAID])
    told = [UnknownOut(field=each.field, value=each.value, closest=list(each.closest)) for each in unknown]
    return {**head, "text": f"{head['text']} {said}", "unknown": told}


def _sentence(unknown: UnknownValue) -> str:
    name = unknown.field.removeprefix("attributes.")
    near = [f"“{_short(value)}”" for value in unknown.closest]
    meant = f"; did you mean {' or '.join(near)}?" if near else "."
    return f"No item has the {name} “{_short(unknown.value)}”{meant}"


def _short(value: str) -> str:
    line = one_line(value)
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"
