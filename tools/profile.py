"""What the shopper told of themselves: to read it, and to forget it."""

# ruff: noqa: D417 -- the `Call` is no argument that a caller gives, so `Args` leaves it out
from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from catalog.errors import ToolInapplicable, ToolRetry
from catalog.plain_text import one_line
from catalog.told import Told
from tools.arguments import canonical, shown
from tools.base import ToolResult
from tools.limits import MAX_ITEMS
from tools.registry import Call, tool

NOTHING = "You have told me nothing of yourself yet that I keep in mind."
MOST_SAID = 20


@tool(access="read")
def get_profile(call: Call) -> ToolResult:
    """Tell what this shopper told of themselves: likes, dislikes, sizes, budget; each with their words and the date.

    A wish of today wins over it.
    """
    told = told_of(call)
    return ToolResult(_sentences(told), facts={"told": [each.to_json() for each in told]})


@tool(access="write", destructive=True)
def forget_told(call: Call, entries: Annotated[list[str], Field(min_length=1, max_length=MAX_ITEMS)]) -> ToolResult:
    """Forget something that this shopper told of themselves. Needs the shopper's confirmation.

    The first call forgets nothing and asks for the confirmation; once the shopper has agreed, the same call
    with the very same arguments forgets.

    Args:
        entries: The entry_id of each, as get_profile gives it; "all" alone for everything.
    """
    told = told_of(call)
    known = {each.entry_id: each for each in told}
    chosen = tuple(known) if entries == ["all"] else tuple(dict.fromkeys(entries))
    if not told:
        raise ToolInapplicable("this shopper has told nothing of themselves that could be forgotten")
    unknown = next((each for each in chosen if each not in known), None)
    if unknown is not None or not chosen:
        valid = ", ".join(list(known)[:5])
        raise ToolRetry(f"'entries' names {shown(unknown or '')}: no entry of this shopper; valid: {valid} or 'all'")
    arguments = canonical({"entries": entries})
    if not call.confirmed(arguments):
        what = ", ".join(f"that you {known[each].sentence()}" for each in chosen[:5])
        question = f"Shall I forget {what}{' and more' if len(chosen) > 5 else ''}?"
        return ToolResult(question, facts=call.question(question, arguments))
    user_id, memory = call.context.shopper.user_id, call.context.memory

    def forget() -> bool:
        for each in chosen:
            if memory is not None:
                memory.forget(each)
            elif user_id is not None:
                call.shop.events.forget_told(user_id, each)
        return True

    call.once(forget)
    number = "That is" if len(chosen) == 1 else f"Those {len(chosen)} things are"
    return ToolResult(f"{number} forgotten.", facts={"forgotten": list(chosen)})


def told_of(call: Call) -> tuple[Told, ...]:
    """Return what the shopper told: the signed-in one what is kept, a guest what they told in this session."""
    shopper, memory = call.context.shopper, call.context.memory
    if memory is not None:
        return memory.told()
    if shopper.user_id is None:
        return shopper.told
    return tuple(call.shop.events.told_by(shopper.user_id))


def _sentences(told: Sequence[Told]) -> str:
    if not told:
        return NOTHING
    said = [
        f"you {one_line(each.sentence())} ({each.told_at.day} {each.told_at:%B %Y}: “{one_line(each.words)}”)"
        for each in told[:MOST_SAID]
    ]
    rest = f"; and {len(told) - MOST_SAID} more" if len(told) > MOST_SAID else ""
    return f"You told me that {'; '.join(said)}{rest}."
