"""Makes a file in ReDial's form from a log and a catalogue: who took what is the truth, the words are templates.

A shopper names what they are in the mood for, then two things they liked; the recommender names a thing they took
later; they say that they know it and what they want now; the recommender names another they took later. So the first
wish stands two turns before the first answer, and an agent that forgets the conversation misses it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any
from zlib import crc32

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import DataError
from catalog.items import Catalog
from catalog.nouns import Item
from eval.dialogue.nouns import Mention
from eval.dialogue.titles import TitleIndex

SEEKER, RECOMMENDER = 0, 1
SECONDS = 15

_WISHES = (
    "Hi! I am looking for something {wish}.",
    "Hello there. Can you recommend something {wish}?",
    "Hey, I would like {wish} for once.",
    "Good evening! Do you know anything good, {wish} maybe?",
)
_QUESTIONS = (
    "Sure! What did you like so far?",
    "Gladly. Which ones did you enjoy?",
    "Of course. Tell me some you liked.",
)
_LIKED = ("I liked {0} and {1}.", "{0} was great, and so was {1}.", "Well, {0}, and {1} too.")
_ANSWERS = ("Then try {0}.", "How about {0}?", "You may like {0}.")
_AGAIN = (
    "I know that one, it was good. Something {wish} now?",
    "I had that already and liked it! Anything {wish}?",
    "That was good when I had it. What else is there, {wish} this time?",
)
_THANKS = ("Thank you, I will try it!", "Great, thanks.", "That sounds good, bye!")

WISH_WORDS = 3
"""Longest value of a record that is spoken as a wish."""

LIKED_BEFORE, TARGETS = 2, 2


class MakeConfig(BaseModel):
    """How many dialogues are made, and from which part of the log; all of it changes the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dialogues: int = Field(200, ge=1)
    """At most as many; each shopper holds one."""
    seed: int = Field(0, ge=0)
    """Draws the shoppers, the items and the templates; the same seed and store give the same file."""
    as_of: datetime | None = None
    """Only what was taken from this moment on is a target, so that a shop trained `--as-of` it never saw it. None: any
    part of the log."""


def redial_records(catalog: Catalog, taken: pl.DataFrame, config: MakeConfig) -> Iterator[dict[str, Any]]:
    """Yield dialogues in ReDial's form, one shopper each.

    Args:
        catalog: The items; only those whose title finds them, and no other, are talked about.
        taken: Positive rows of the log (`columns.INTERACTIONS`). Of a shopper's ratings, the better half is what they
            liked.
        config: How many, and which.

    Raises:
        DataError: When no shopper took enough.
    """
    titles = TitleIndex(catalog)
    named = {item.item_id: item for item in catalog if _speakable(item, titles)}
    wishes = _wishes(catalog)
    numbers = _numbers(catalog)
    made = 0
    for user_id, past, later in _shoppers(taken, named, config):
        rng = np.random.default_rng([config.seed, crc32(user_id.encode())])
        before = [named[item] for item in _drawn(rng, past, LIKED_BEFORE)]
        targets = [named[item] for item in _drawn(rng, later, TARGETS)]
        if not all(wishes[target.item_id] for target in targets):
            continue
        yield _dialogue(made + 1, before, targets, wishes, numbers, rng)
        made += 1
        if made == config.dialogues:
            return
    if not made:
        when = f" from {config.as_of.isoformat()} on" if config.as_of else ""
        raise DataError(
            f"no shopper of {taken['user_id'].n_unique():,} liked {LIKED_BEFORE} items and took {TARGETS} later{when}, "
            "all of them with a title of their own and a category or attribute that others share"
        )


def _shoppers(
    taken: pl.DataFrame, named: dict[str, Item], config: MakeConfig
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield shoppers in a drawn order, with what they liked earlier and what later, oldest first."""
    order = ["timestamp", "event_id"]
    rows = taken.filter(pl.col("item_id").is_in(list(named))).sort(order).unique(["item_id", "user_id"], keep="first")
    better = (pl.col("value") >= pl.col("value").mean().over("user_id")).fill_null(True)
    liked = rows.filter((pl.col("kind") != "rating") | better).sort(order)
    by_user = liked.group_by("user_id").agg("item_id", "timestamp").sort("user_id")
    for at in np.random.default_rng(config.seed).permutation(len(by_user)).tolist():
        user_id, items, times = by_user.row(at)
        cut = max(len(items) // 2, len(items) - 5 * TARGETS)
        if config.as_of is not None:
            cut = sum(time < config.as_of for time in times)
        if cut >= LIKED_BEFORE and len(items) - cut >= TARGETS:
            yield user_id, items[:cut], items[cut:]


def _dialogue(
    number: int, before: list[Item], targets: list[Item], wishes: dict[str, list[str]], numbers: dict[str, str],
    rng: np.random.Generator,
) -> dict[str, Any]:  # fmt: skip
    def said(templates: Sequence[str], *items: Item, wish: str = "") -> str:
        marks = [f"@{numbers[item.item_id]}" for item in items]
        return templates[int(rng.integers(len(templates)))].format(*marks, wish=wish)

    def wish(item: Item) -> str:
        values = wishes[item.item_id]
        return values[int(rng.integers(len(values)))]

    first, second = targets
    spoken = [
        (SEEKER, said(_WISHES, wish=wish(first))), (RECOMMENDER, said(_QUESTIONS)), (SEEKER, said(_LIKED, *before)),
        (RECOMMENDER, said(_ANSWERS, first)), (SEEKER, said(_AGAIN, wish=wish(second))),
        (RECOMMENDER, said(_ANSWERS, second)), (SEEKER, said(_THANKS)),
    ]  # fmt: skip
    form = {numbers[item.item_id]: {"suggested": 0, "seen": 1, "liked": 1} for item in before}
    form[numbers[first.item_id]] = {"suggested": 1, "seen": 1, "liked": 1}
    form[numbers[second.item_id]] = {"suggested": 1, "seen": 0, "liked": 1}
    return {
        "movieMentions": {numbers[item.item_id]: item.title for item in [*before, *targets]},
        "respondentQuestions": form,
        "messages": [
            {"timeOffset": at * SECONDS, "text": text, "senderWorkerId": who, "messageId": number * 100 + at}
            for at, (who, text) in enumerate(spoken)
        ],
        "conversationId": str(number),
        "respondentWorkerId": RECOMMENDER,
        "initiatorWorkerId": SEEKER,
        "initiatorQuestions": form,
    }


def _drawn(rng: np.random.Generator, items: Sequence[str], n: int) -> list[str]:
    """Return `n` of `items` in their order."""
    return [items[at] for at in sorted(rng.choice(len(items), n, replace=False).tolist())]


def _speakable(item: Item, titles: TitleIndex) -> bool:
    """Return whether the title finds this item alone, and can stand in a text without being read as a mark."""
    return bool(item.title) and "@" not in str(item.title) and titles.find(Mention(item.title))[0] == item.item_id


def _wishes(catalog: Catalog) -> dict[str, list[str]]:
    """Return short values of each record that others share and that not half of the shop has, sorted.

    Its categories where there are such, since people name those; else its attributes.
    """
    categories = {item.item_id: _short(item.categories) for item in catalog}
    attributes = {item.item_id: _short(chain.from_iterable(item.attributes.values())) for item in catalog}
    shared = [
        {value for value, count in Counter(chain.from_iterable(each.values())).items() if 1 < count <= len(catalog) / 2}
        for each in (categories, attributes)
    ]
    return {
        item_id: sorted(categories[item_id] & shared[0]) or sorted(attributes[item_id] & shared[1])
        for item_id in categories
    }


def _short(values: Iterable[str]) -> set[str]:
    spoken = (value.strip().lower() for value in values)
    return {
        value for value in spoken if 0 < len(value.split()) <= WISH_WORDS and value.isascii() and value[0].isalpha()
    }


def _numbers(catalog: Catalog) -> dict[str, str]:
    """Return a number an item, as ReDial marks films: its id where all are numbers, else its place from 1."""
    plain = all(item.item_id.isascii() and item.item_id.isdigit() for item in catalog)
    return {item.item_id: item.item_id if plain else str(at) for at, item in enumerate(catalog, 1)}
