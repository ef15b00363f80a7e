"""Synonyms with the real sentence vectors the package brings along."""

from __future__ import annotations

import pytest

from agent.understanding.intent import IntentState, Search
from agent.understanding.understander import Understander
from agent.understanding.vocabulary import Vocabulary
from catalog.items import Catalog
from catalog.nouns import Item
from embedding.minilm import MiniLM

SHOP = Catalog(
    Item(category, categories=(category,), attributes={"material": (material,)})
    for category, material in (("sofas", "leather"), ("mugs", "ceramic"), ("clocks", "metal"), ("lamps", "glass"))
)


@pytest.mark.slow
def test_everyday_synonyms_reach_the_catalogues_own_words_and_strange_ones_do_not() -> None:
    understander = Understander(Vocabulary(SHOP), MiniLM())
    for said, expected in (("a couch", {"category": ["sofas"]}), ("a cup", {"category": ["mugs"]}), ("a violin", {})):
        (act,) = understander.understand(said, IntentState()).acts
        assert isinstance(act, Search)
        assert act.wish.filters() == expected, said
