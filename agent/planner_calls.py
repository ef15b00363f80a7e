"""From acts to tool calls: the planner's side of the tool protocol, and how it reads the answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.base import ShownItem, ToolMessage
from agent.messages import read
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
)
from agent.understanding.terms import Phrase, Term
from agent.understanding.title_names import stands_in
from agent.understanding.wish import Wish
from agent.understanding.words import keys
from tools.limits import MAX_TEXT

MAX_ASKED = 60
"""Most items one call asks for, whatever must be left out afterwards."""

MAX_EVENTS = 20
"""Events of the shopper's past one answer looks at."""

MAX_DETAILS = 3
"""Items one "tell me more" looks up."""


MAX_YEARS = 70
"""Most years that are asked for by name."""

_DATED = (1915, 2029)
_TITLE_YEAR = re.compile(r"\((\d{4})\)\s*$")


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call; arguments at their defaults are left out."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """A tool's answer to a call. `rows` are the items' raw entries, for fields a `ShownItem` has not."""

    call: Call
    message: ToolMessage
    rows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the tool answered with an error."""
        return self.message.error is not None

    @property
    def mendable(self) -> bool:
        """Whether the tool says that other arguments would do."""
        return bool(self.message.error and self.message.error.get("retry"))

    @property
    def blocking(self) -> Mapping[str, Any] | None:
        """The constraint that leaves nothing, when there is one."""
        found = self.message.facts.get("blocking")
        return found if isinstance(found, Mapping) and found else None

    @property
    def nearest(self) -> bool:
        """Whether the items are only near what was asked."""
        return bool(self.message.facts.get("nearest") or self.blocking)


def reply(call: Call, content: str | None) -> Reply:
    """Read a tool message; one that cannot be read counts as a final error."""
    message = read(content)
    rows: dict[str, Mapping[str, Any]] = {}
    if message.error is None:
        for row in json.loads(content or "{}").get("items", []):
            rows[str(row.get("handle"))] = row
    return Reply(call, message, rows)


def calls(act: Act, state: IntentState, top_n: int) -> list[Call]:
    """Return the calls an act begins with; none for talk."""
    match act:
        case Search():
            wish = act.wish.model_copy(update={"sort": "relevance"}) if act.undated else act.wish
            return [search(wish, state, top_n, more=act.more)]
        case Recommend():
            exclude = [*act.wish.not_items, *((i.handle for i in state.shown) if act.more else ())]
            return [made("recommend_items", filters=act.wish.filters(), exclude=exclude, top_n=asked(act.wish, top_n))]
        case Similar(handle=None):
            return [made("search_items", query=title, top_n=3) for title in (act.title, *act.others)]
        case Similar():
            return [similar(act, act.handle, top_n)]
        case Compare() if act.query:
            return [made("rank_items", item_ids=list(act.handles), query=act.query)]
        case Compare():
            return [made("compare_items", item_ids=list(act.handles))]
        case Details(title=str(title)):
            return [made("search_items", query=title, top_n=3)]
        case Details():
            return [made("item_details", item_id=handle) for handle in act.handles[:MAX_DETAILS]]
        case Explain():
            query, filters = act.wish.query() or None, act.wish.filters()
            return [
                made("explain_item", item_id=handle, query=query, filters=filters, like=_others(act.like, handle))
                for handle in act.handles
            ]
        case Facts(question="carries"):
            return [search(act.wish, state, top_n)]
        case Facts():
            return [made("catalogue_facts", filters=act.wish.filters(), group_by=act.group_by)]
        case History():
            return [made("shopper_history", limit=MAX_EVENTS)]
        case Feedback():
            text = act.text if act.signal in ("complaint", "rating") else None
            return [made("record_feedback", item_id=act.handle, kind=act.signal, value=act.value, text=text)]
        case _:
            return []


def _others(like: Sequence[str], handle: str) -> list[str]:
    return [each for each in like if each != handle]


def search(wish: Wish, state: IntentState, top_n: int, *, more: bool = False) -> Call:
    """Return the search for a wish; `more` goes on where the last one ended."""
    number = asked(wish, top_n)
    cursor = state.cursor if more else None
    if more and cursor is None:
        number = min(number + len(state.shown), MAX_ASKED)
    sort = None if wish.sort == "relevance" else wish.sort
    query = None if sort and not wish.wanted.words else wish.query() or None
    if wish.years is not None:
        first, last = max(wish.years[0], _DATED[0]), min(wish.years[1], _DATED[1])
        # A filter knows no years, so titles are asked for theirs; many years would drown the words of a query.
        if last - first < (MAX_YEARS if query is None else 10):
            query = " ".join([query or "", *(str(year) for year in range(first, last + 1) if wish.dated(year))]).strip()
    return made("search_items", query=query, filters=wish.filters(), sort=sort, top_n=number, cursor=cursor)


def similar(act: Similar, handle: str | None, top_n: int) -> Call:
    """Return the look-up of what resembles an item, now that its handle is known."""
    aspect = None if act.aspect == "both" else act.aspect
    return made(
        "similar_items", item_id=handle, aspect=aspect, filters=act.wish.filters(), top_n=asked(act.wish, top_n)
    )


def resembling(act: Similar, anchors: Sequence[ShownItem], top_n: int) -> Call:
    """Return the look-up of what resembles one item or several, now that they are known.

    What is like them is of one of their kinds, unless the wish names a kind itself: likeness of words alone brings
    horror films after a comedy.
    """
    kinds = tuple(dict.fromkeys(kind for item in anchors for kind in item.categories))
    if kinds and not act.wish.wanted.categories:
        wanted = act.wish.wanted.model_copy(update={"categories": kinds})
        act = act.model_copy(update={"wish": act.wish.model_copy(update={"wanted": wanted})})
    if len(anchors) == 1:
        return similar(act, anchors[0].handle, top_n)
    like = [item.handle for item in anchors]
    return made("search_items", filters=act.wish.filters(), like=like, top_n=asked(act.wish, top_n))


def mended(call: Call) -> Call | None:
    """Return a call a tool refused with its attribute and brand values as words instead, or None when it had none."""
    filters = dict(call.arguments.get("filters", {}))
    loose = {name: filters.pop(name) for name in ("attributes", "brand", "category", "not") if name in filters}
    # Of two items of one title nobody knows which was meant; what else is known of an item's place is told without it.
    left = ("filters", "cursor", "aspect", *(("like",) if call.name == "explain_item" else ()))
    arguments = {name: value for name, value in call.arguments.items() if name not in left}
    if not loose and len(arguments) == len(call.arguments):
        return None
    if call.name in ("search_items", "search_by_picture"):
        values = [*loose.get("category", ()), *loose.get("brand", ())]
        values += [value for group in loose.get("attributes", {}).values() for value in group]
        words = " ".join(dict.fromkeys(" ".join([call.arguments.get("query") or "", *values]).split()))
        arguments["query"] = words or None
    return made(call.name, **arguments, filters=filters)


def asked(wish: Wish, top_n: int) -> int:
    """Return how many items to ask for, with a reserve for those that will be left out."""
    number = wanted(wish, top_n) + len(wish.not_items) + len(wish.not_titles)
    if wish.years:
        return MAX_ASKED
    if not wish.also.empty or wish.wanted.sizes or wish.unwanted.words or wish.titled:
        number = 4 * number
    return max(1, min(number, MAX_ASKED))


def wanted(wish: Wish, top_n: int) -> int:
    """Return how many items to show: what the shopper said, never above the caller's ceiling."""
    return min(wish.count or top_n, top_n)


def fits(wish: Wish, item: ShownItem, row: Mapping[str, Any]) -> bool:
    """Whether an item satisfies what a filter cannot say: sizes, "also", words and items turned down."""
    if item.handle in wish.not_items:
        return False
    if any(keys(item.title) == keys(known) for known in wish.not_titles):
        return False
    words = keys(item.title)
    if wish.titled and not any(_names(keys(name), words) for name in wish.titled):
        return False
    title = set(words)
    if any(set(keys(word)) <= title for word in wish.unwanted.words):
        return False
    sizes = {str(size).casefold() for size in row.get("sizes", ())}
    if wish.wanted.sizes and sizes and not sizes & {size.casefold() for size in wish.wanted.sizes}:
        return False
    dated = _TITLE_YEAR.search(item.title)
    if wish.years is not None and not (dated and wish.dated(int(dated[1]))):
        return False
    if not set(wish.also.categories) <= set(item.categories):
        return False
    return all(_has(item, term) for term in wish.also.terms() if term.kind not in ("size", "category"))


def _names(name: Phrase, title: Phrase) -> bool:
    """Whether a title has a name that was said; an article before it is none of it ("a magenta kettle")."""
    bare = name[1:] if len(name) > 1 and name[0] in ("the", "a", "an") else name
    return stands_in(bare, title)


def carries(act: Act) -> bool:
    """Whether an act asks whether something is carried at all."""
    return isinstance(act, Facts) and act.question == "carries"


def looser(wish: Wish) -> Iterator[tuple[str, Wish]]:
    """Yield each constraint that only `fits` knows, in the shopper's words, with the wish without it."""
    if wish.years is not None:
        yield f"the year ({_span(wish.years)})", wish.model_copy(update={"years": None})
    if wish.titled:
        yield f"the title ({' or '.join(wish.titled)})", wish.model_copy(update={"titled": ()})
    if wish.wanted.sizes:
        sizes = wish.wanted.model_copy(update={"sizes": ()})
        yield f"the size ({' or '.join(wish.wanted.sizes)})", wish.model_copy(update={"wanted": sizes})
    for term in wish.also.terms():
        for value in term.values:
            also = wish.also.minus(Term(term.kind, term.name, (value,)))
            name = "kind of item" if term.kind == "category" else term.name.replace("_", " ") or term.kind
            yield f"the {name} ({value})", wish.model_copy(update={"also": also})
    if wish.unwanted.words:
        words = wish.unwanted.model_copy(update={"words": ()})
        yield f"that it must not be {' or '.join(wish.unwanted.words)}", wish.model_copy(update={"unwanted": words})


def _span(years: tuple[int, int]) -> str:
    first, last = years
    if first < _DATED[0] or last > _DATED[1]:
        return f"before {last + 1}" if first < _DATED[0] else f"from {first} on"
    return str(first) if first == last else f"{first} to {last}"


def _has(item: ShownItem, term: Term) -> bool:
    given: tuple[str, ...] = item.attributes.get(term.name, ())
    if term.kind == "category":
        given = item.categories
    elif term.kind == "brand":
        given = (item.brand,) if item.brand else ()
    folded = {value.casefold() for value in given}
    return any(value.casefold() in folded for value in term.values)


def made(name: str, **arguments: Any) -> Call:
    """Return a call without the arguments that say nothing, and with the words of a query that a tool reads."""
    query = arguments.get("query")
    if isinstance(query, str) and len(query) > MAX_TEXT:
        # What is searched by is said first; a title that long is cut as well, at a word where it has any.
        arguments["query"] = query[: MAX_TEXT + 1].rsplit(maxsplit=1)[0][:MAX_TEXT]
    return Call(name, {key: value for key, value in arguments.items() if value not in (None, {}, [], ())})
