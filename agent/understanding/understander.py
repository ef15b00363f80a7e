"""`Understander`: a message and what went before become acts and a new state. Deterministic, no LLM."""

from __future__ import annotations

import re
from dataclasses import replace

from agent.understanding import smalltalk
from agent.understanding.choice import Choice
from agent.understanding.choosing import choose
from agent.understanding.clauses import clauses
from agent.understanding.consent import agrees, declines
from agent.understanding.gist import Gist, gist
from agent.understanding.intent import (
    Act,
    Ask,
    Facts,
    IntentState,
    OffTopic,
    Recommend,
    Search,
    Similar,
    SmallTalk,
    Understanding,
)
from agent.understanding.meanings import MeaningsConfig, VectorMeanings
from agent.understanding.mending import Mender
from agent.understanding.mentions import mentions
from agent.understanding.merging import merge
from agent.understanding.softly import quality
from agent.understanding.vocabulary import Vocabulary
from agent.understanding.words import fold, split
from embedding.base import TextEmbedder

_EACH = re.compile(r"\b(?:both|each|all|everything|apiece)\b")
_QUOTED_ID = re.compile(r"[<\"'`“”\[(]([^\s<>\"'`“”\[\]()]{1,64})[>\"'`“”\])]")


class Understander:
    """Understands messages about one catalogue.

    Args:
        vocabulary: The catalogue's words.
        embedder: For synonyms; None does without.
        config: How near a synonym must be.

    Example:
        >>> from catalog.items import Catalog
        >>> from catalog.nouns import Item
        >>> shop = Catalog([Item("1", title="Mug", price=8.0, categories=("mugs",))])
        >>> understood = Understander(Vocabulary(shop)).understand("a mug under 10", IntentState())
        >>> understood.acts[0].wish.filters()
        {'category': ['mugs'], 'price': {'max': 9.99}}
    """

    def __init__(
        self, vocabulary: Vocabulary, embedder: TextEmbedder | None = None, config: MeaningsConfig | None = None
    ) -> None:
        self.vocabulary = vocabulary
        self._meanings = VectorMeanings(vocabulary, embedder, config) if embedder is not None else None
        self._mender = Mender(vocabulary)

    def warm(self) -> None:
        """Do now what the first message would otherwise wait for."""
        if self._meanings is not None:
            self._meanings.warm()
        self.understand("a blue thing under ten, not read", IntentState())

    def understand(self, message: str, state: IntentState) -> Understanding:
        """Return what `message` asks for, given the conversation so far; any text gives an answer."""
        pending = state.pending
        state = state.model_copy(update={"turns": state.turns + 1, "pending": ()})
        text = fold(self._with_titles(message))
        if not any(char.isalnum() for char in text):
            return Understanding(state=state, acts=(Ask(about="unclear", choices=self.vocabulary.choices()),))
        if pending and agrees(message):
            return Understanding(state=state, acts=pending)
        if pending and declines(message):
            return Understanding(state=state, acts=(SmallTalk(topic="refusal"),))
        mended, notes = self._mender.mend(smalltalk.without(text))
        said = smalltalk.topic(text) or smalltalk.topic(mended)
        if said is not None:
            kept = IntentState(shown=state.shown, turns=state.turns) if said == "reset" else state
            return Understanding(state=kept, acts=(SmallTalk(topic=said),))
        return self._acts(mended, state, notes)

    def _acts(self, text: str, state: IntentState, notes: tuple[str, ...]) -> Understanding:
        acts: list[Act] = []
        before = state
        for clause in clauses(text, self._kinds):
            if smalltalk.topic(clause) is not None:
                continue
            part = gist(clause, len(state.last_list), self.vocabulary, self._meanings)
            beyond, service = smalltalk.off_topic(clause), smalltalk.service(clause)
            if (beyond or service) and not part.categories and quality(part, state.wish, self.vocabulary) is None:
                acts.append(OffTopic(service=service))
                continue
            choice = choose(part, state, self.vocabulary, opened=bool(acts))
            notes += tuple(
                f"{m.text!r} read as {m.term.values[0].casefold()!r}" for m in part.mentions if m.how == "near"
            )
            state, acts = choice.state, _joined(_shared(acts, part, self.vocabulary), choice)
        helpful: list[Act] = [act for act in acts if not isinstance(act, OffTopic)]
        if any(not isinstance(act, Ask) for act in helpful):
            helpful = [act for act in helpful if not isinstance(act, Ask)]
        chosen = helpful or acts[:1] or [Ask(about="unclear", choices=self.vocabulary.choices())]
        if not any(isinstance(act, Ask) for act in chosen):
            state = state.model_copy(update={"asked": before.asked})
        wishes = tuple(act.wish for act in chosen if isinstance(act, Search | Recommend))
        if len(wishes) > 1:
            state = state.model_copy(update={"others": wishes[:-1]})
        if any(isinstance(act, Search | Recommend | Similar) for act in chosen):
            like = tuple(act.handle for act in chosen if isinstance(act, Similar) and act.handle)
            state = state.model_copy(update={"like": like})
        strange = _strange(chosen, before)
        notes += tuple(f"{word!r} is no word of this shop" for word in strange)
        return Understanding(
            state=state, acts=tuple(chosen), notes=notes, strange=strange, qualities=_qualities(chosen, before)
        )

    def _kinds(self, text: str) -> list[tuple[int, frozenset[str]]]:
        found = mentions(text, split(text), self.vocabulary)
        return [(m.start, frozenset(m.term.values)) for m in found if m.term.kind == "category" and not m.negated]

    def _with_titles(self, message: str) -> str:
        """Put titles in place of raw ids in quotes or brackets."""
        if len(message) > 4000:
            return message
        return _QUOTED_ID.sub(lambda m: self.vocabulary.id_title(m.group(1)) or m.group(), message)


def _shared(acts: list[Act], part: Gist, vocabulary: Vocabulary) -> list[Act]:
    """Return the searches of a message with what a later clause says of each: "both under 40", "all in blue"."""
    if not _EACH.search(part.text):
        return acts
    kept = tuple(m for m in part.mentions if m.term.kind != "category")
    rest = replace(part, mentions=kept, words=(), denied_words=(), unknown=(), count=None, noun=None)
    return [
        act.model_copy(update={"wish": merge(act.wish, rest, "refine", vocabulary)}) if isinstance(act, Search) else act
        for act in acts
    ]


def _joined(acts: list[Act], choice: Choice) -> list[Act]:
    """Return `acts` with a choice's after them; a search that refines the one before takes its place."""
    result = list(acts)
    if choice.replaces and result and isinstance(result[-1], Search | Recommend | Ask):
        result.pop()
    return result + [act for act in choice.acts if act not in result]


def _strange(acts: list[Act], before: IntentState) -> tuple[str, ...]:
    """Return the words nothing carries that were not said before: who was told once need not be told again."""
    unknown = dict.fromkeys(w for act in acts if isinstance(act, Search | Facts) for w in act.wish.unknown)
    return tuple(word for word in unknown if word not in before.wish.unknown)


def _qualities(acts: list[Act], before: IntentState) -> tuple[str, ...]:
    """Return the free words, new in this message, of searches for a kind of thing: "a warm scarf"."""
    wishes = [act.wish for act in acts if isinstance(act, Search) and act.wish.wanted.categories]
    words = dict.fromkeys(word for wish in wishes for word in wish.wanted.words if word not in wish.unknown)
    return tuple(word for word in words if " " not in word and word not in before.wish.wanted.words)
