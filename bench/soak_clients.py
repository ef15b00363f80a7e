"""The clients of a soak: shoppers who ask, search, talk and act, and a merchant who writes and deletes items."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from bench.soak_ledger import Ledger, Told
from catalog.nouns import Item
from vitrine.client.answers import ChatAnswer, List, Listed, Recommendation
from vitrine.client.asynchronous import AsyncClient
from vitrine.client.errors import Refused, Unreachable
from vitrine.client.events import Done, Problem

T = TypeVar("T")
TIMEOUT = 60.0
TURNS = ("cheaper ones", "tell me more about the first", "more like the second", "which of them is the best rated?",
         "something else", "how much is the first one?")  # fmt: skip
KINDS = ("view", "click", "cart", "purchase", "dismiss")


@dataclass(frozen=True, slots=True)
class Sample:
    """One request.

    Attributes:
        kind: What was asked.
        began: When it was sent, monotonic seconds.
        ended: When its last byte came.
        status: Of the answer; 0: there was none.
        detail: Of a refusal.
        about: Which item, where it was about one.
        later: Whether a refusal says when to ask again.
    """

    kind: str
    began: float
    ended: float
    status: int = 200
    detail: str = ""
    about: str | None = None
    later: bool = False


@dataclass
class Crowd:
    """All clients of one soak.

    Attributes:
        address: Of the shop.
        ledger: Told of every acknowledgement.
        rng: Decides who does what.
        pause: Seconds between two requests of one client, on average.
    """

    address: str
    ledger: Ledger
    rng: random.Random
    pause: float
    samples: list[Sample] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    _done: asyncio.Event = field(default_factory=asyncio.Event)
    _named: int = 0

    async def run(self, seconds: float) -> None:
        """Ask for so long; requests on their way are waited for, and what was not acknowledged is sent again."""
        base = [writes[0].item for writes in self.ledger.items.values() if writes[0].item is not None]
        loops: list[Callable[[AsyncClient], Awaitable[None]]] = [
            self._recommendations, self._recommendations, lambda client: self._searches(client, base),
            lambda client: self._items(client, base), lambda client: self._chats(client, base),
            lambda client: self._chats(client, base), lambda client: self._events(client, base),
            lambda client: self._events(client, base), lambda client: self._stock(client, base),
        ]  # fmt: skip
        tasks = [asyncio.create_task(self._alone(loop)) for loop in loops]
        stop = asyncio.create_task(asyncio.sleep(seconds))
        # A client that fails is a bug of the soak, and ends it at once.
        await asyncio.wait([stop, *tasks], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        self._done.set()
        await asyncio.gather(*tasks)

    async def _alone(self, loop: Callable[[AsyncClient], Awaitable[None]]) -> None:
        """Give a client connections of its own, now and then new ones: they may lead to another worker."""
        while not self._done.is_set():
            async with AsyncClient(self.address, timeout=TIMEOUT, retries=0) as client:
                until = time.monotonic() + self.rng.uniform(3, 10)
                while not self._done.is_set() and time.monotonic() < until:
                    await loop(client)
                    await asyncio.sleep(self.rng.expovariate(1 / self.pause))

    async def _asked(self, kind: str, call: Awaitable[T], about: str | None = None) -> tuple[T | None, Sample]:
        began = time.monotonic()
        answer: T | None = None
        status, detail, later = 200, "", False
        try:
            answer = await call
        except Refused as error:
            status, detail, later = error.status, str(error), error.retry_after is not None
        except Unreachable as error:
            status, detail = 0, str(error)
        sample = Sample(kind, began, time.monotonic(), status, detail, about, later)
        self.samples.append(sample)
        return answer, sample

    def _seen(self, sample: Sample, shown: Sequence[Listed | Recommendation], text: str = "", said: str = "") -> None:
        answer = {"text": text, "recommendations": [each.model_dump() for each in shown]}
        self.told.append(Told(sample.kind, sample.began, sample.ended, answer, said))

    def _shopper(self) -> str:
        return f"soak-{self.rng.randrange(40)}"

    async def _recommendations(self, client: AsyncClient) -> None:
        answer, sample = await self._asked("recommendations", client.recommendations(self._shopper(), top_n=10))
        if answer is not None:
            self._seen(sample, answer.recommendations)

    async def _searches(self, client: AsyncClient, base: Sequence[Item]) -> None:
        item = self._any(base)
        words = self.rng.choice([item.title or "", item.categories[-1] if item.categories else "gift", "soak offer"])
        answer, sample = await self._asked("search", client.search(words, top_n=10, user_id=self._shopper()))
        if answer is not None:
            self._seen(sample, answer.items)

    async def _items(self, client: AsyncClient, base: Sequence[Item]) -> None:
        item_id = self.rng.choice(list(self.ledger.items)) if self.rng.random() < 0.3 else self._any(base).item_id
        if self.rng.random() < 0.5:
            near, sample = await self._asked("similar", client.similar(item_id, top_n=5), item_id)
            if isinstance(near, List):
                self._seen(sample, near.items)
            return
        record, sample = await self._asked("item", client.item(item_id), item_id)
        if record is not None:
            answer = {"recommendations": [{**record.model_dump(), "title": record.title or item_id}]}
            self.told.append(Told("item", sample.began, sample.ended, answer))

    async def _chats(self, client: AsyncClient, base: Sequence[Item]) -> None:
        session, said, who = None, "", self._shopper()
        item = self._any(base)
        kind = item.categories[-1].casefold() if item.categories else "gifts"
        colour = next(iter(item.attributes.get("colour", ())), "")
        first = self.rng.choice([f"{colour} {kind}", f"{kind} under {self.rng.choice((20, 40, 80, 200))}",
                                 f"do you have the {item.title}?", "a present", "soak offer"])  # fmt: skip
        for message in (first.strip(), *self.rng.sample(TURNS, self.rng.randrange(3))):
            said = f"{said}\n{message}"
            done, sample = await self._asked("chat", self._turn(client, message, session, who))
            if done is None:
                return
            answer, problem = done
            if problem is not None:  # a stream that has begun says it in an event
                later = problem.status == 503
                self.samples[-1] = replace(sample, status=problem.status, detail=problem.detail, later=later)
                return
            self._seen(sample, answer.recommendations, answer.text, said)
            session = answer.session_id
            await asyncio.sleep(self.rng.expovariate(1 / self.pause))

    @staticmethod
    async def _turn(
        client: AsyncClient, message: str, session: str | None, who: str
    ) -> tuple[ChatAnswer, Problem | None]:
        problem: Problem | None = None
        async for event in client.chat_stream(message, session_id=session, user_id=who, top_n=3):
            if isinstance(event, Problem):
                problem = event if problem is None or event.status == 500 else problem
            elif isinstance(event, Done):
                return event, problem
        raise Unreachable("the stream ended without done")

    async def _events(self, client: AsyncClient, base: Sequence[Item]) -> None:
        """Send a batch until it is acknowledged; some are sent once more."""
        batch = [self._event(base) for _ in range(self.rng.randint(1, 5))]
        self.ledger.sent |= {event["event_id"]: event for event in batch}
        again = self.rng.random() < 0.15
        for _ in range(100):
            taken, sample = await self._asked("events", client.put_events(batch))
            if taken is None:
                await asyncio.sleep(0.5)
                continue
            refused = {each.index: each.detail for each in taken.rejected}
            for place, event in enumerate(batch):
                if place not in refused:
                    self.ledger.acked.add(event["event_id"])
                elif not self.ledger.uncertain(event["item_id"], sample.began, sample.ended):
                    self.ledger.faults.append(f"event of an item on offer refused: {refused[place]}")
            if not again:
                return
            again = False

    def _event(self, base: Sequence[Item]) -> Mapping[str, Any]:
        self._named += 1
        return {
            "event_id": f"soak-{self._named}", "user_id": self._shopper(), "session_id": f"visit-{self._named % 97}",
            "item_id": self._any(base).item_id, "kind": self.rng.choice(KINDS),
        }  # fmt: skip

    async def _stock(self, client: AsyncClient, base: Sequence[Item]) -> None:
        """Write a new item, another price, or delete one; what nobody can say is asked for again until it is known."""
        offers = [i for i in self.ledger.items if i.startswith("offer-") and self.ledger.standing(i) is not None]
        chance = self.rng.random()
        if chance < 0.35 or len(offers) < 3:
            model = self._any(base)
            item = replace(model, item_id=f"offer-{len(self.ledger.items)}", parent_id=None, videos=(),
                           title=f"{model.title} soak offer {len(self.ledger.items)}")  # fmt: skip
        elif chance < 0.5:
            known = self.ledger.standing(self.rng.choice(offers))
            assert known is not None
            item = replace(known, price=round((known.price or 1.0) * self.rng.choice((0.8, 1.25)) + 0.01, 2))
        elif chance < 0.6:
            gone = [each for each in base if self.ledger.standing(each.item_id) is None]
            if not gone:
                return
            item = self.rng.choice(gone)
        else:
            here = [each.item_id for each in base if self.ledger.standing(each.item_id) is not None]
            await self._until_known(client, self.rng.choice(offers if self.rng.random() < 0.7 else here), None)
            return
        await self._until_known(client, item.item_id, item)

    async def _until_known(self, client: AsyncClient, item_id: str, item: Item | None) -> None:
        write = self.ledger.write(item_id, item, time.monotonic())
        for _ in range(100):
            made: object
            if item is None:
                made, sample = await self._asked("delete", client.delete_item(item_id), item_id)
            else:
                made, sample = await self._asked("put", client.put_item(item_id, _record(item)), item_id)
            if made is not None:
                write.acked = sample.ended
                return
            await asyncio.sleep(0.5)

    def _any(self, base: Sequence[Item]) -> Item:
        return base[self.rng.randrange(len(base))]


def _record(item: Item) -> dict[str, Any]:
    """Return a record as the wire takes it."""
    return {name: value for name, value in asdict(item).items() if value is not None}
