"""One turn of the planner: acts become calls, replies become further calls or an answer. No LlamaIndex here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent import planner_pictures
from agent.base import Outcome, ShownItem
from agent.planner_calls import Call, Reply, calls, carries, fits, looser, mended, resembling, search, wanted
from agent.planner_order import about, among_kinds, by_kind, by_topic, of_title, ordered, roomy
from agent.understanding.colours import family
from agent.understanding.intent import (
    Act,
    Compare,
    Details,
    Explain,
    Facts,
    Feedback,
    History,
    IntentState,
    Recommend,
    Search,
    Similar,
    Understanding,
)
from agent.understanding.wish import Wish
from agent.understanding.words import keys
from indexes.words import terms

MAX_ROUNDS = 4
BOUGHT = frozenset({"purchase", "cart", "return", "history"})


@dataclass
class Step:
    """One act under way.

    Attributes:
        act: What to do.
        replies: Answers so far, latest last; a call that was mended or widened is replaced.
        waiting: Calls not yet answered.
        widened: Whether the fallback was used, so that the items are near rather than right.
        mended: Whether the one mending was spent.
    """

    act: Act
    replies: list[Reply] = field(default_factory=list)
    waiting: list[Call] = field(default_factory=list)
    widened: bool = False
    mended: bool = False

    @property
    def wish(self) -> Wish:
        """What the act is for."""
        return self.act.wish if isinstance(self.act, Search | Recommend | Similar | Facts) else Wish()


class Turn:
    """What the planner does in one turn.

    Args:
        understanding: The message, understood.
        top_n: Most items to list.
        pictured: Whether a picture came with the message: the search looks for what resembles it.
        order: Orders what fits by what the shopper likes; None leaves it as the tools gave it.
        record: The singular words of the record with a title; None knows titles alone.
        flat: Whether the catalogue's categories stand side by side, so that a kind that is missing is amiss; of layers
            a thing lies in one alone, and "eye cream" is one whichever of the two it lies in.

    Attributes:
        steps: The acts with their replies.
        listed: Handles of the answer's items, in order; set by `listing`.
    """

    def __init__(
        self,
        understanding: Understanding,
        top_n: int,
        *,
        pictured: bool = False,
        order: Callable[[Sequence[ShownItem]], tuple[ShownItem, ...]] | None = None,
        record: Callable[[str], frozenset[str]] | None = None,
        flat: bool = True,
    ) -> None:
        self._flat = flat
        self._order = order
        self._record = record
        self.understanding = understanding
        self.top_n = top_n
        self._pictured = pictured
        acts = planner_pictures.pictured(understanding.acts) if pictured else understanding.acts
        self.steps = [Step(act, waiting=self._begun(act)) for act in acts]
        self._rounds = 0

    def _begun(self, act: Act) -> list[Call]:
        if self._pictured and isinstance(act, Search):
            return [planner_pictures.by_picture(act.wish, self.top_n)]
        begun = calls(act, self.understanding.state, self.top_n)
        if self._flat and isinstance(act, Search | Recommend) and (by_kind(act.wish) or by_topic(act.wish)):
            begun = [roomy(call) for call in begun]  # so that `among_kinds` has something to choose from
        return begun

    def pending(self) -> list[Call]:
        """Return the calls to make now, [] when the answer can be given."""
        return [call for step in self.steps for call in step.waiting]

    def take(self, replies: Sequence[Reply]) -> None:
        """Take the replies to `pending`, in its order, and decide what to ask next."""
        self._rounds += 1
        given = iter(replies)
        for step in self.steps:
            step.replies += [reply for _, reply in zip(step.waiting, given, strict=False)]
            step.waiting = []
            if self._rounds < MAX_ROUNDS:
                step.waiting = self._next(step)

    def listing(self, step: Step) -> tuple[ShownItem, ...]:
        """Return the items a step's answer shows, best first."""
        if isinstance(step.act, Feedback):
            return ()
        if isinstance(step.act, Facts) and step.act.question != "carries":
            name = {"cheapest": "cheapest", "dearest": "dearest"}.get(step.act.question, "")
            facts = step.replies[-1].message.facts if step.replies else {}
            handle = facts[name].get("handle") if isinstance(facts.get(name), dict) else None
            return tuple(i for r in step.replies for i in r.message.items if i.handle == handle)
        if isinstance(step.act, History):
            told = [handle for events in self.past(step).values() for handle in events]
            return tuple(i for r in step.replies for i in r.message.items if i.handle in told)
        rows = {handle: row for reply in step.replies for handle, row in reply.rows.items()}
        items = list({item.handle: item for reply in step.replies for item in reply.message.items}.values())
        if isinstance(step.act, Compare):
            return ordered(items, step.act.by, rows)
        if isinstance(step.act, Details | Explain):
            return tuple(items)
        if isinstance(step.act, Search | Recommend) and step.act.more:
            known = {item.handle for item in self.understanding.state.shown}
            items = [item for item in items if item.handle not in known]
        if isinstance(step.act, Similar) and step.act.title:
            given = [keys(title) for title in (step.act.title, *step.act.others)]
            items = [item for item in items if keys(item.title) not in given]
        right = self._right(step, items, rows)
        kept = right or [item for item in items if item.handle not in step.wish.not_items]
        if isinstance(step.act, Search | Recommend):
            ground = step.replies[-1].message.facts.get("ground") if step.replies else None
            if self._flat:
                kept = about(among_kinds(kept, step.wish, unknown=ground == "popularity"), step.wish)
            kept = list(self._order(kept)) if self._order is not None else kept
        return tuple(kept[: min(wanted(step.wish, self.top_n), self._share)])

    @property
    def _share(self) -> int:
        """How many items each wish of a message may show, so that every one of them is seen."""
        lists = sum(isinstance(step.act, Search | Recommend | Similar) for step in self.steps)
        return max(-(-self.top_n // max(lists, 1)), 1)

    def _right(self, step: Step, items: Sequence[ShownItem], rows: Mapping[str, Mapping[str, Any]]) -> list[ShownItem]:
        """Return those of the items that are all a step asks for."""
        right = [item for item in items if fits(step.wish, item, rows.get(item.handle, {}))]
        return [item for item in right if not self._speaks(item, step.wish.unwanted.words)]

    def unmet(self, step: Step) -> str | None:
        """Return what keeps every item of a step from fitting, where it is one thing; "" where it is several.

        None when some item fits, or when a tool has already said what stands in the way.
        """
        shown = self.listing(step)
        if not shown or not isinstance(step.act, Search | Recommend | Similar):
            return None
        rows = {handle: row for reply in step.replies for handle, row in reply.rows.items()}
        if self._right(step, shown, rows):
            return None
        if not self._flat and step.wish.also.categories:
            loose = step.wish.model_copy(update={"also": step.wish.also.model_copy(update={"categories": ()})})
            if any(fits(loose, item, rows.get(item.handle, {})) for item in shown):
                return None
        blocks = (what for what, wish in looser(step.wish) if any(fits(wish, i, rows.get(i.handle, {})) for i in shown))
        return next(blocks, "")

    def _speaks(self, item: ShownItem, words: Sequence[str]) -> bool:
        """Whether the record of an item, beyond its title, has one of `words`."""
        if self._record is None or not words:
            return False
        held = self._record(item.title)
        return any(set(keys(word)) <= held for word in words)

    def unsaid(self, step: Step) -> list[str]:
        """Return the qualities asked for that no record of a step's items speaks of: nothing was weighed by them."""
        items = self.listing(step)
        if self._record is None or not items:
            return []
        rows = {handle: row for reply in step.replies for handle, row in reply.rows.items()}
        told = [" ".join((*self._record(i.title), str(rows.get(i.handle, {}).get("caption") or ""))) for i in items]
        held = {term for each in told for term in terms(each)}
        asked = (word for word in self.understanding.qualities if word in step.wish.wanted.words)
        return [word for word in asked if not held & set(terms(word))]

    def past(self, step: Step) -> dict[str, list[str]]:
        """Return what the shopper did before as far as it was asked for: kind of event -> handles, newest first."""
        act = step.act
        found: dict[str, list[str]] = {}
        for reply in step.replies:
            for event in reply.message.facts.get("events", ()):
                kind, handle = str(event.get("kind")), event.get("handle")
                if not handle or (isinstance(act, History) and act.bought and kind not in BOUGHT):
                    continue
                if handle not in found.setdefault(kind, []):
                    found[kind].append(str(handle))
                if isinstance(act, History) and act.last:
                    return found
        return found

    def near(self, step: Step) -> bool:
        """Whether the items of a step are only near what was asked."""
        reply = step.replies[-1] if step.replies else None
        if (reply and reply.nearest) or self.unmet(step) is not None:
            return True
        if carries(step.act) and step.wish.unknown:
            return True
        strange, wish = step.wish.unknown, step.wish
        denied = any(family(word) or word in wish.strangers for word in strange)
        lost = bool(strange) and set(strange) == set(wish.wanted.words) and not wish.wanted.categories
        return denied or lost

    def outcome(self) -> Outcome:
        """Return the turn's outcome, as the planner sees it."""
        searching = [s for s in self.steps if isinstance(s.act, Search | Recommend | Similar) or carries(s.act)]
        asking = any(step.act.kind == "question" or _unconfirmed(step) for step in self.steps)
        if asking and not any(self.listing(step) for step in searching):
            return "question"
        if not searching:
            return "answered"
        if all(step.waiting for step in searching):
            return "question"  # Nothing was answered in time: that nothing fits would be a guess.
        found = [step for step in searching if self.listing(step)]
        if not found:
            return "nothing"
        return "nearest" if all(self.near(step) for step in found) else "recommended"

    def state(self) -> IntentState:
        """Return the conversation's state after the turn."""
        state = self.understanding.state
        items = tuple({item.handle: item for step in self.steps for item in self.listing(step)}.values())
        changes: dict[str, object] = {}
        if any(isinstance(s.act, Search | Recommend | Similar | Compare | Facts) for s in self.steps) and items:
            handles = tuple(item.handle for item in items)
            changes = {"last_list": handles, "cursor": self._cursor()}
            if len(handles) > 1:
                changes["earlier_list"] = handles
        if len(items) == 1 or (items and any(isinstance(s.act, Compare) and s.act.by for s in self.steps)):
            changes["focus"] = items[0].handle
        asking = [s.act for s in self.steps if isinstance(s.act, Feedback) and _unconfirmed(s)]
        widened = [s.act.fallback for s in self.steps if s.widened and isinstance(s.act, Search) and s.act.fallback]
        if widened:
            changes["wish"] = widened[-1]
        return state.seen(items).model_copy(update={**changes, "pending": tuple(asking)})

    def _cursor(self) -> str | None:
        searches = [s for s in self.steps if isinstance(s.act, Search) and s.replies]
        cursor = searches[-1].replies[-1].message.facts.get("cursor") if searches else None
        shown_all = searches and len(self.listing(searches[-1])) == len(searches[-1].replies[-1].message.items)
        return str(cursor) if cursor and shown_all else None

    def _next(self, step: Step) -> list[Call]:
        if not step.replies:
            return []
        last = step.replies[-1]
        if last.mendable and not step.mended:
            step.mended = True
            again = mended(last.call)
            if again is not None:
                step.replies.pop()
                return [again]
        act = step.act
        if last.failed and last.call.name == planner_pictures.TOOL and isinstance(act, Search):
            if not (act.wish.query() or act.wish.filters()):
                return []
            step.replies.pop()
            return [search(act.wish, self.understanding.state, self.top_n)]
        if isinstance(act, Similar) and act.handle is None and last.call.name == "search_items":
            if "like" in last.call.arguments:
                return []
            found = [
                of_title(str(r.call.arguments.get("query")), r.message.items) for r in step.replies if not r.failed
            ]
            step.replies.clear()
            anchors = {item.handle: item for item in found if item is not None}
            return [resembling(act, tuple(anchors.values()), self.top_n)] if anchors else []
        if isinstance(act, Details) and act.title and last.call.name == "search_items":
            given = [item for item in last.message.items if keys(item.title) == keys(act.title)]
            step.replies.clear()
            return [Call("item_details", {"item_id": item.handle}) for item in given[:1]]
        if (
            isinstance(act, Recommend)
            and not act.more
            and not last.message.items
            and last.call.name == "recommend_items"
        ):
            # A shop that has learned nothing yet still has what fits.
            step.replies.pop()
            return [search(act.wish, self.understanding.state, self.top_n)]
        too_tight = not last.failed and (not last.message.items or last.blocking is not None)
        if isinstance(act, Search) and act.fallback and too_tight and not step.widened:
            step.widened = True
            step.replies.pop()
            if last.call.name == planner_pictures.TOOL:
                return [planner_pictures.by_picture(act.fallback, self.top_n)]
            return [search(act.fallback, self.understanding.state, self.top_n)]
        return []


def _unconfirmed(step: Step) -> bool:
    return any("needs_confirmation" in reply.message.facts for reply in step.replies)
