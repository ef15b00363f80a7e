"""What a message means: acts to carry out now, and the state that outlives the turn."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from agent.base import ShownItem
from agent.understanding.telling import Telling
from agent.understanding.wish import Part, Sort, Wish

MAX_SHOWN = 200
"""Items a conversation can refer back to; the earliest are forgotten first."""


class Search(Part):
    """Find what fits a wish.

    `more` asks for others than those already shown. `fallback` is tried when nothing fits `wish`: the same wish with
    the bound that came from a comparison ("cheaper") a little looser. `stuck` says that nothing that fits is cheaper
    than all that was shown. `aside` names what was wanted of the kind of thing before and this one never is.
    `undated` says that newer things were asked for where nothing says how new a thing is.
    """

    kind: Literal["search"] = "search"
    wish: Wish
    more: bool = False
    fallback: Wish | None = None
    stuck: bool = False
    aside: tuple[str, ...] = ()
    undated: bool = False


class Recommend(Part):
    """Propose what this shopper may like, within a wish's filters."""

    kind: Literal["recommend"] = "recommend"
    wish: Wish = Wish()
    more: bool = False


class Similar(Part):
    """Find things like an item, known by `handle` or, before it was ever shown, by `title`; and like `others` too.

    `held` names the kinds asked for before that none of the titles is, and that hold on all the same; `lacks` what the
    shopper asked of the item itself and its record does not say.
    """

    kind: Literal["similar"] = "similar"
    wish: Wish = Wish()
    handle: str | None = None
    title: str | None = None
    others: tuple[str, ...] = ()
    aspect: Literal["look", "words", "both"] = "both"
    held: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


class Compare(Part):
    """Set items side by side; `by` is the question ("which is cheaper") when there is one."""

    kind: Literal["compare"] = "compare"
    handles: tuple[str, ...]
    by: Sort | None = None
    query: str = ""


QUALITY = "quality: "
"""How `Details.about` begins where a quality was asked for in words of no field ("is it waterproof?")."""


class Details(Part):
    """Tell more about items; `about` is a field or attribute name, or a quality, when one was asked for.

    An item never shown is known by its `title`.
    """

    kind: Literal["details"] = "details"
    handles: tuple[str, ...]
    title: str | None = None
    about: str | None = None


class Explain(Part):
    """Say why items are shown, as results of `wish` that resemble the items `like`: handles, or titles never shown."""

    kind: Literal["explain"] = "explain"
    handles: tuple[str, ...]
    wish: Wish = Wish()
    like: tuple[str, ...] = ()


class Facts(Part):
    """A question about the whole catalogue within a wish's filters."""

    kind: Literal["facts"] = "facts"
    question: Literal["count", "cheapest", "dearest", "prices", "values", "carries"]
    wish: Wish = Wish()
    group_by: str | None = None


class History(Part):
    """What the shopper did before; `bought` asks for purchases only, `last` for the latest alone."""

    kind: Literal["history"] = "history"
    bought: bool = False
    last: bool = False


class Feedback(Part):
    """The shopper's word on an item."""

    kind: Literal["feedback"] = "feedback"
    handle: str
    signal: Literal["praise", "dismiss", "complaint", "rating"]
    value: float | None = None
    text: str = ""


class SmallTalk(Part):
    """Nothing to look up."""

    kind: Literal["smalltalk"] = "smalltalk"
    topic: Literal["greeting", "thanks", "bye", "wellbeing", "abilities", "assent", "refusal", "reset"]


class OffTopic(Part):
    """Nothing the catalogue can answer: beyond a shop, or about its service (delivery, returns, payment)."""

    kind: Literal["offtopic"] = "offtopic"
    service: bool = False


class Note(Part):
    """Nothing but a word on the shopper: it is kept in mind, and there is nothing to look up."""

    kind: Literal["note"] = "note"


class Ask(Part):
    """One useful question back; `choices` are the catalogue's own words."""

    kind: Literal["question"] = "question"
    about: Literal["wish", "which", "unclear"]
    choices: tuple[str, ...] = ()


Act = Annotated[
    Search
    | Recommend
    | Similar
    | Compare
    | Details
    | Explain
    | Facts
    | History
    | Feedback
    | SmallTalk
    | OffTopic
    | Note
    | Ask,
    Field(discriminator="kind"),
]


class IntentState(Part):
    """What a conversation has established, shared by every mind.

    Attributes:
        wish: The wish being refined.
        others: Wishes named beside it in one message, to be come back to ("the mug should be red").
        budget: Whether the price bound was named as the shopper's budget, and so outlives a change of subject.
        shown: Items this conversation has seen, earliest first.
        last_list: Handles of the last list, in its order.
        earlier_list: Handles of the last list of several, for "the second" after a list of one.
        focus: Handle of the item talked about ("it").
        like: Handles of the items that the last list resembles, where "more like this" asked for it.
        asked: Whether the one clarifying question was spent.
        cursor: Where the last list goes on, None when it does not say.
        pending: Feedback that waits for the shopper's yes.
        waived: Facets and values that no longer matter in this conversation ("price", "colour"), also where the
            shopper's memory speaks of them.
        recalled: Whether the last list kept to what the shopper told in the past.
        turns: Messages so far.
    """

    wish: Wish = Wish()
    others: tuple[Wish, ...] = ()
    budget: bool = False
    shown: tuple[ShownItem, ...] = ()
    last_list: tuple[str, ...] = ()
    earlier_list: tuple[str, ...] = ()
    focus: str | None = None
    like: tuple[str, ...] = ()
    asked: bool = False
    cursor: str | None = None
    pending: tuple[Feedback, ...] = ()
    waived: tuple[str, ...] = ()
    recalled: bool = False
    turns: int = 0

    def item(self, handle: str) -> ShownItem | None:
        """Return a shown item by its handle."""
        return next((item for item in reversed(self.shown) if item.handle == handle), None)

    def listed(self) -> tuple[ShownItem, ...]:
        """Return the last list as items."""
        found = (self.item(handle) for handle in self.last_list)
        return tuple(item for item in found if item is not None)

    def seen(self, items: tuple[ShownItem, ...]) -> IntentState:
        """Return the state knowing `items` as well, each handle once, the latest record winning."""
        known = {item.handle: item for item in self.shown}
        known.update((item.handle, item) for item in items)
        return self.model_copy(update={"shown": tuple(known.values())[-MAX_SHOWN:]})


class Understanding(Part):
    """One message understood.

    Attributes:
        state: The state after the message, before its acts are carried out.
        acts: What to do, in order.
        notes: How words were read that were not taken literally, for the trace ("'lmap' read as 'lamp'").
        strange: Words of this message that nothing in the shop carries.
        qualities: Free words of this message that something in the shop carries: what the thing should be like.
        told: What the message tells of the shopper for good.
    """

    state: IntentState
    acts: tuple[Act, ...]
    notes: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    told: Telling = Telling()
