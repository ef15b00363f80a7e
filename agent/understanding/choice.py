"""`Choice`: what a clause asks for; and what it points at."""

from __future__ import annotations

from dataclasses import dataclass

from agent.understanding.gist import Gist
from agent.understanding.intent import Act, IntentState
from agent.understanding.pointing import resolve_all
from agent.understanding.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Choice:
    """What a clause asks for, the state after it, and whether it takes the place of the search before it."""

    acts: tuple[Act, ...]
    state: IntentState
    replaces: bool = False


def pointed(part: Gist, state: IntentState, vocabulary: Vocabulary, after: int = 0) -> tuple[str, ...]:
    """Return what a clause points at from `after` on: explicit references, else its pronoun."""
    explicit = [r for r in part.pointed if r.start >= after]
    found = resolve_all(explicit, state, vocabulary)
    return found or resolve_all(
        [r for r in part.references if r.shape == "pronoun" and r.start >= after][:1], state, vocabulary
    )


def describes(part: Gist) -> bool:
    """Whether its mentions describe a shown item ("the red one") rather than ask for one."""
    return any(r.shape == "described" and r.start <= m.start < r.end for r in part.references for m in part.mentions)
