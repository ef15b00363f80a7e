"""The pipeline's settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.pipeline.business import Rule
from tools.pipeline.exploration import ExplorationConfig


class PipelineConfig(BaseModel):
    """How candidates are found and ordered; all of it changes results but for `pool`, which trades speed for depth."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pool: int = Field(200, ge=1)
    """Candidates each source may propose; deeper pages ask for more."""
    retrievers: Mapping[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """Who proposes what to recommend, and how many each: `{lirdrec = 200, itemknn = 100, liked = 99, popularity = 50}`.
    A recommender that is not `models.serve` is fitted beside it by `vitrine train`; `liked` stands for every space,
    `liked:text-minilm` for one. Empty: the served model, every space and popularity, `pool` each."""
    exact_items: int = Field(50_000, ge=1)
    """Items from which on the best of a factor model (`als`, `bprmf`, `lightgcn`, `vbpr`, `freedom`, `two_tower`) are
    searched for in half a byte a number; below, and for other models, every item is scored."""
    taste_share: float = Field(0.1, ge=0, le=0.5)
    """How much of the score of a *search* is the shopper's taste; what was asked for has the rest."""
    settled_taste: float = Field(0.5, ge=0, le=1)
    """The same where the filters say all that the words do: everything that passes is right, and words only say how
    plainly. What the shopper owns or turned down then stands last."""
    words_share: float = Field(0.5, ge=0, le=1)
    """How much of the relevance is shared words (BM25); nearness of meaning (cosine) has the rest."""
    min_cosine: float = Field(0.42, ge=-1, le=1)
    """Below this, and with no word in common, the best find does not answer the wish: it is only the nearest. For
    MiniLM: over film plots, things no film is about found 0.29 to 0.40, things some film is about 0.46 to 0.63."""
    relevant: float = Field(0.6, ge=0, le=1)
    """Share of the best relevance an item needs to stay when a search is sorted by price, rating or date."""
    diversity: float = Field(0.2, ge=0, le=1)
    """How much likeness to what already stands above costs a recommendation."""
    category_cap: int = Field(0, ge=0)
    """Recommendations of one narrowest category at most, among the first `category_depth`; 0: any number."""
    category_depth: int = Field(20, ge=1)
    """How far down the list `category_cap` holds."""
    rules: tuple[Rule, ...] = ()
    """The shop's own say, in this order: `[{name = "spring", do = "boost", filters = {brand = ["Ono"]}, by = 0.2}]`."""
    exploration: ExplorationConfig = ExplorationConfig()
    """Places at which other items are shown now and then, with the chance of each logged."""
    liked_depth: int = Field(10, ge=1)
    """Latest liked items whose vectors stand for a shopper's taste."""
    visit_share: float = Field(0.75, ge=0, le=10)
    """How much what was liked in this visit alone counts beside the shopper's whole taste, in standard scores."""
    second_look: float = Field(1.0, ge=0, le=10)
    """How much an item that was looked at since the model's fit, and not taken, gains itself, in standard scores."""
    tried_events: int = Field(4, ge=0, le=20)
    """Items of the shopper's past without which a page of recommendations is made once more, to see what it rests on:
    reasons name those alone. Each costs one more run; none is tried in a shop of `exact_items` or more. Changes no
    list."""
    unlike_weight: float = Field(0.5, ge=0)
    """How strongly a negative example pushes the wish away from itself."""

    @model_validator(mode="after")
    def _names_once(self) -> Self:
        names = [rule.name for rule in self.rules]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"rules: the name {twice!r} stands twice; a name each would be valid")
        return self
