"""The rules of the house are for the model to follow, not for the shopper to read."""

from __future__ import annotations

from functools import cache

from agent.gate.vocabulary import phrase, tokens
from agent.prompt import system_prompt
from catalog.items import Catalog

RUN = 7
"""So many words in a row are no coincidence."""

SHORT = 4
"""A sentence of so many words that stands in the rules as a whole is theirs too."""


def quotes_prompt(sentence: str) -> bool:
    """Whether a sentence repeats the system prompt; what it says of the catalogue anybody may know."""
    words = tokens(sentence)
    if len(words) < SHORT:
        return False
    whole, runs = _rules()
    if any(tuple(words[at : at + RUN]) in runs for at in range(len(words) - RUN + 1)):
        return True
    return phrase(sentence) in whole


@cache
def _rules() -> tuple[str, frozenset[tuple[str, ...]]]:
    said = system_prompt("", Catalog([])).partition("\nThe shop\n")[0]
    words = tokens(said)
    return phrase(said), frozenset(tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))
