"""A scripted agent: enough of a conversation to put the wire and the page to the test, without a mind."""

from __future__ import annotations

import asyncio
import os
import re
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.base import (
    AgentEvent,
    Answer,
    ChatRequest,
    Done,
    Outcome,
    Recommendations,
    ShownRecommendation,
    Status,
    Token,
)
from agent.memory.heeding import NOTHING, Heeded
from agent.sessions import Owner
from api.service import Service
from catalog.filters import Filters
from catalog.nouns import Evidence, Item
from catalog.told import Told
from tools.base import Shopper
from tools.doubles import toy_shop
from tools.registry import Registry
from tools.shop import Shop

_UNDER = re.compile(r"(?:under|below|less than)\s*(\d+(?:\.\d+)?)")
_WORDS = re.compile(r"[^\W\d_]{3,}")


@dataclass
class Remembered:
    """What a session last wished for and saw."""

    words: tuple[str, ...] = ()
    below: float | None = None
    shown: tuple[Item, ...] = ()


@dataclass
class ScriptedAgent:
    """Finds items whose record holds most words of the wish; knows "under 30" and "cheaper", nothing else.

    Attributes:
        shop: Where items come from.
        pause: Seconds between events, to be seen streaming.
    """

    shop: Shop
    pause: float = 0.0
    memory: dict[str, Remembered] = field(default_factory=dict)

    async def warm(self) -> None:
        """Load nothing: there is nothing to load."""

    def forget_user(self, user_id: str) -> int:
        """Forget nothing: it does not know who speaks."""
        return 0

    async def owners(self, session_id: str) -> frozenset[Owner]:
        """Know nobody: it does not know who speaks."""
        return frozenset()

    def forget_told(self, user_id: str, entry_id: str | None = None) -> int:
        """Forget what the store holds; it remembers nothing itself."""
        return self.shop.events.forget_told(user_id, entry_id)

    def told_in(self, session_id: str) -> tuple[Told, ...]:
        """Know nothing: it understands nothing of what was told."""
        return ()

    def forget_told_in(self, session_id: str, entry_id: str | None = None) -> int:
        """Forget nothing; see `told_in`."""
        return 0

    def heed(self, filters: Filters, shopper: Shopper, told: tuple[Told, ...]) -> Heeded:
        """Heed nothing: it understands nothing of what was told."""
        return NOTHING

    async def turn(self, request: ChatRequest) -> AsyncIterator[AgentEvent]:
        """Give a status, the tokens, the items and the end."""
        answer = self._think(request)
        yield Status("search_items", f"Looking through {len(self.shop.catalog)} items")
        await asyncio.sleep(self.pause)
        for word in re.findall(r"\S+\s*", answer.text):
            yield Token(word)
            await asyncio.sleep(self.pause / 4)
        yield Recommendations(answer.outcome, answer.recommendations)
        yield Done(answer)

    async def answer(self, request: ChatRequest) -> Answer:
        """Give the end alone."""
        return self._think(request)

    def _think(self, request: ChatRequest) -> Answer:
        restarted = request.session_id is not None and request.session_id not in self.memory
        session_id = request.session_id or uuid.uuid4().hex
        known = self.memory.setdefault(session_id, Remembered())
        wish = request.message.casefold()
        if "cheaper" in wish and known.shown:
            known.below = min(item.price or 0.0 for item in known.shown)
        else:
            known.words = tuple(_WORDS.findall(wish))
            limit = _UNDER.search(wish)
            known.below = float(limit.group(1)) if limit else None
        found = self._find(known)[: request.top_n]
        known.shown = tuple(found) or known.shown
        outcome: Outcome = "recommended" if found else "nothing"
        text = (
            f"I found {len(found)} that fit. First comes {found[0].title}, for you to look at on the right."
            if found
            else "Nothing in the window fits that. Shall I look without the price limit?"
        )
        return Answer(
            outcome=outcome,
            text=text,
            recommendations=tuple(self._shown(item, rank, known) for rank, item in enumerate(found, start=1)),
            session_id=session_id,
            request_id=uuid.uuid4().hex,
            trace_id=uuid.uuid4().hex,
            blocking=None if found else {"field": "price", "value": known.below, "relaxed": 1},
            session_restarted=restarted,
        )

    def _find(self, known: Remembered) -> list[Item]:
        scored = [(_hits(item, known.words), item) for item in self.shop.catalog]
        best = max((hits for hits, _ in scored), default=0)
        wanted = [(hits, item) for hits, item in scored if hits and hits >= best - 1]
        limit = known.below
        return [
            item
            for _, item in sorted(wanted, key=lambda pair: -pair[0])
            if limit is None or (item.price is not None and item.price < limit)
        ]

    def _shown(self, item: Item, rank: int, known: Remembered) -> ShownRecommendation:
        evidence = [Evidence("field", "category", item.categories[-1], f"It is one of our {item.categories[-1]}.")]
        if item.price is not None and known.below is not None:
            text = f"{item.price:.2f} {item.currency}, under {known.below:.2f}"
            evidence.append(Evidence("field", "price", item.price, text))
        captions = self.shop.captions.get(item.item_id, ())
        evidence += [Evidence("caption", "picture", None, caption.text) for caption in captions[:1]]
        score = round(1 / rank, 4)
        hits = f"{_hits(item, known.words)} of your words are in its record"
        evidence.append(Evidence("signal", "words", score, hits))
        reason = (item.description or item.title or "").split(". ")[0]
        return ShownRecommendation(
            item.item_id, item.title or "", item.price, item.currency, rank, score, reason, tuple(evidence)
        )


def toy_service(folder: Path) -> Service:
    """Open a toy shop in a folder of this process's own, as a worker does (`api.workers`)."""
    own = folder / str(os.getpid())
    own.mkdir()
    shop = toy_shop(own)
    return Service(shop, Registry(shop), ScriptedAgent(shop))


def _hits(item: Item, words: Sequence[str]) -> int:
    values = [value for values in item.attributes.values() for value in values]
    record = " ".join([item.title or "", item.description or "", item.brand or "", *item.categories, *values])
    known = {word.rstrip("s") for word in _WORDS.findall(record.casefold())}
    return sum(word.rstrip("s") in known for word in words)
