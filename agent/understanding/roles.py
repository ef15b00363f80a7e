"""In which role a person is named: "directed by Eastwood" is not "with Eastwood"; "not directed by him" is neither."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.understanding.mentions import Mention
from agent.understanding.negation import joined
from agent.understanding.terms import Term
from agent.understanding.vocabulary import Vocabulary

_ROLES = {
    "director": r"(?:directed|filmed|made) by|(?:directors? (?:is |are |was )?)",
    "author": r"written by|authors? (?:is |are )?",
    "actor": r"starring|featuring|acted by|played by|(?:actors?|actress(?:es)?) (?:is |are )?",
}
_NAMED = {role: re.compile(rf"\b(?:{form})\s*$") for role, form in _ROLES.items()}
_REFUSED = {
    role: re.compile(
        rf"\b(?:not|never|isn'?t|wasn'?t|aren'?t|without (?:being)?)\s+(?:one |ones |a film |films )?(?:{form})\s*"
        r"(?:him|her|them|himself|herself)(?:self|selves)?\b"
    )
    for role, form in _ROLES.items()
}


def in_roles(text: str, found: Sequence[Mention], vocabulary: Vocabulary) -> list[Mention]:
    """Return mentions with each person in the role a folded text names, and refused in the role it refuses them."""
    result: list[Mention] = []
    cast: Term | None = None
    for mention in found:
        role = next((role for role, form in _NAMED.items() if form.search(text[: mention.start])), None)
        last = result[-1] if result else None
        if role is not None:
            cast = _facet(role, vocabulary)
        elif last is None or not joined(text, last.end, mention.start):
            cast = None
        result.append((_as(mention, cast, vocabulary) if cast is not None else None) or mention)
    for role, form in _REFUSED.items():
        match = form.search(text)
        term = _facet(role, vocabulary)
        named = [m for m in result if match and m.end <= match.start() and not m.negated]
        if match is None or term is None:
            continue
        refused = next((each for m in reversed(named) if (each := _as(m, term, vocabulary)) is not None), None)
        if refused is not None:
            result.append(replace(refused, start=match.start(), end=match.end(), text=match.group(), negated=True))
    return result


def _facet(role: str, vocabulary: Vocabulary) -> Term | None:
    named = vocabulary.facet_named(role)
    return Term(*named, ()) if named is not None and named[0] == "attribute" else None


def _as(mention: Mention, role: Term, vocabulary: Vocabulary) -> Mention | None:
    """Return a mention of somebody as who they are in another role, None where the catalogue has them in none such."""
    facet = vocabulary.facets.get(role.facet)
    known = facet.rows if facet is not None and mention.term.kind == "attribute" else {}
    values = tuple(value for value in mention.term.values if value in known)
    return replace(mention, term=Term(role.kind, role.name, values)) if values else None
