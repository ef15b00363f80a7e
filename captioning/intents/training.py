"""Learning to read intents from the shop itself: nobody labels, stars and kinds of events and the catalogue do.

A clause of a five-star review speaks for something more often than not, one of a complaint against it; the catalogue's
own phrases, found in what shoppers wrote, show where the things that are spoken of stand in a sentence. Both labels are
wrong now and then, and regularised linear models average that out (distant supervision).

Source:
    Mintz et al. 2009, "Distant supervision for relation extraction without labeled data"; unlabelled words count little
    as negatives, as in Elkan and Noto 2008, "Learning classifiers from only positive and unlabeled data".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from captioning.intents.base import Utterance
from captioning.intents.encoder import IntentEncoder
from captioning.intents.features import clause_features, word_features
from captioning.intents.language import Language, Token, clauses, english, tokens
from captioning.intents.linear import LinearModel
from captioning.intents.vocabulary import Vocabulary
from catalog.nouns import Item


class IntentTrainingConfig(BaseModel):
    """How the extractor without an LLM learns; all of it changes intents."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    max_texts: int = Field(20_000, ge=1)
    """Different texts that are learned from at most, drawn at random."""
    l2: float = Field(2.0, gt=0)
    """How strongly weights are held back; small shops overfit their own phrases without it."""
    word_dropout: float = Field(0.5, ge=0, le=1)
    """Share of the words that are learned from their surroundings alone, so that unknown things are found."""
    unlabelled: float = Field(0.15, ge=0, le=1)
    """How much a word counts as no aspect when only the catalogue's silence says so."""
    as_of: AwareDatetime | None = None
    """Only texts before this moment are learned from; None: all of them."""
    seed: int = Field(7, ge=0)
    """Of the drawings."""


@dataclass(frozen=True)
class Trained:
    """The encoder, and what it learned from."""

    encoder: IntentEncoder
    texts: int
    clauses: int
    words: int


def train_encoder(
    items: Sequence[Item],
    texts: Iterable[Utterance],
    captions: Iterable[str] = (),
    config: IntentTrainingConfig | None = None,
) -> Trained:
    """Learn from a catalogue and its shoppers' texts; without any text the language alone is learned from.

    Takes seconds on one core; the same input and seed give the same weights.
    """
    config, language = config or IntentTrainingConfig(), english()
    rng = np.random.default_rng(config.seed)
    vocabulary = Vocabulary.of(items, captions, language)
    each = sorted(set(texts), key=lambda said: (said.source, said.text, said.stars or 0.0))
    if len(each) > config.max_texts:
        each = [each[at] for at in np.sort(rng.choice(len(each), config.max_texts, replace=False))]
    polarity, n_clauses = _polarity(each, vocabulary, language, config)
    aspects, n_words = _aspects(each, vocabulary, language, config, rng)
    return Trained(IntentEncoder(vocabulary, polarity, aspects), len(each), n_clauses, n_words)


def _polarity(
    texts: Sequence[Utterance], vocabulary: Vocabulary, language: Language, config: IntentTrainingConfig
) -> tuple[LinearModel, int]:
    counts: Counter[tuple[tuple[str, ...], float]] = Counter()
    for said in texts:
        if (label := _label(said)) is None:
            continue
        for clause in clauses(tokens(said.text)):
            if features := clause_features(clause.tokens, vocabulary, language):
                counts[tuple(features), label] += 1
    rows = [list(features) for features, _ in counts]
    labels = [label for _, label in counts]
    # A template said a thousand times is one thing said, a little louder.
    weights = [float(np.log1p(count)) for count in counts.values()]
    for word, good in [*((w, 1.0) for w in sorted(language.good)), *((w, 0.0) for w in sorted(language.bad))]:
        rows += [[word, "+" if good else "-"], [f"not:{word}", "<not>", "-" if good else "+"]]
        labels += [good, 1.0 - good]
        weights += [4.0, 2.0]
    return LinearModel.fit(rows, labels, weights, l2=config.l2), len(counts)


def _label(said: Utterance) -> float | None:
    """Return whether a text speaks for (1) or against (0) its item, None where nothing says so."""
    if said.source in ("complaint", "return"):
        return 0.0
    if said.source == "praise":
        return 1.0
    if said.source != "review" or said.stars is None or said.stars == 3:
        return None
    return float(said.stars > 3)


def _aspects(
    texts: Sequence[Utterance],
    vocabulary: Vocabulary,
    language: Language,
    config: IntentTrainingConfig,
    rng: np.random.Generator,
) -> tuple[LinearModel, int]:
    counts: Counter[tuple[tuple[str, ...], float, float]] = Counter()
    carried = ((words, inside) for words, inside in _carried(vocabulary, language, rng))
    written = (
        (clause.tokens, {at for a, b, _ in vocabulary.matches(clause.tokens) for at in range(a, b)})
        for said in texts
        for clause in clauses(tokens(said.text))
    )
    for source, sentences in (("carried", carried), ("written", written)):
        for words, inside in sentences:
            for at, token in enumerate(words):
                told = token.word in language.function | language.frame or language.opinion(token.word)
                label = float(at in inside or token.word in language.facets)
                sure = 1.0 if label or told or source == "carried" else config.unlabelled
                named = bool(rng.random() >= config.word_dropout)
                counts[tuple(word_features(words, at, language, named=named)), label, sure] += 1
    rows, labels, sures = zip(*counts, strict=True)
    weights = [sure * float(np.log1p(count)) for sure, count in zip(sures, counts.values(), strict=True)]
    return LinearModel.fit(rows, labels, weights, l2=config.l2 / 2, least=2), len(rows)


def _carried(
    vocabulary: Vocabulary, language: Language, rng: np.random.Generator, rounds: int = 40
) -> Iterator[tuple[list[Token], set[int]]]:
    """Yield sentences of the language with the shop's phrases in their places, and where those stand."""
    phrases = sorted(phrase for phrase in vocabulary.facets if not any(language.opinion(word) for word in phrase))
    phrases += [(word,) for word in sorted(language.facets)]
    for carrier in language.carriers:
        parts = carrier.split("{}")
        for _ in range(rounds):
            words: list[str] = []
            inside: set[int] = set()
            for at, part in enumerate(parts):
                words += [_unknown(language, rng) if word == "?" else word for word in part.split()]
                if at < len(parts) - 1:
                    phrase = phrases[int(rng.integers(len(phrases)))]
                    inside |= set(range(len(words), len(words) + len(phrase)))
                    words += phrase
            yield [Token(word, 0, 0) for word in words], inside


def _unknown(language: Language, rng: np.random.Generator) -> str:
    return language.unknown[int(rng.integers(len(language.unknown)))]
