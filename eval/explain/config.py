"""Settings of the measure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from tools.shop import Shop


class FaithfulnessConfig(BaseModel):
    """How much is looked at; all of it changes the figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    shoppers: int = Field(60, ge=0)
    """Lists of recommendations whose explanations are tested."""
    wishes: int = Field(30, ge=0)
    """Searches whose explanations are tested."""
    top_n: int = Field(10, ge=1, le=50)
    """Items of a list that are explained."""
    depth: int = Field(100, ge=2, le=1000)
    """Places that are looked at; an item beyond them counts as fallen."""
    events: tuple[int, int] = (5, 60)
    """Fewest and most different items that a shopper of these lists has to do with."""
    tried: int = Field(4, ge=0)
    """Items of a shopper's past that the shop tries for a page, as `pipeline.tried_events`."""
    seed: int = Field(0, ge=0)
    """Of shoppers, wishes, controls and intervals."""
    pause: timedelta = timedelta(days=1)
    """Between the last event of the log and the lists, so that no visit is at hand."""

    def reach(self, shop: Shop) -> int:
        """Return how many candidates a source proposes: as many as for a page of `top_n`, however deep we look."""
        return max(shop.pipeline.pool, 3 * self.top_n)
