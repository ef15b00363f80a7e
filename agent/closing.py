"""The end of a turn: what was found becomes the answer, and the account of it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from agent.base import Answer, ChatRequest, Outcome
from agent.compose import Composed, compose, plain_text
from agent.explanation import Explainer
from agent.gate.gate import Change
from agent.gate.vocabulary import phrase
from agent.messages import clean
from agent.prompt import PROMPT_VERSION
from agent.tooling import TurnTools
from agent.trace import Trace, jsonable
from agent.wording import APOLOGY, BAD_PICTURE, LEFT_OUT, NEW_SHOPPER, NO_PICTURES, ONE_PICTURE, PICTURE_UNUSED
from catalog.nouns import Slate
from tools.base import Shopper
from tools.experiment import assignment_of
from tools.shop import Shop
from tools.titles import without_links


def composed_of(
    tools: TurnTools | None,
    named: Sequence[str] | None,
    text: str,
    top_n: int,
    explainer: Explainer,
    outcome: Outcome | None,
    *,
    failed: bool,
) -> Composed:
    """Return the items of the answer.

    Args:
        tools: The calls of the mind that answered; None when it made none.
        named: Item ids it named, best first; None where it named none.
        text: What was said.
        top_n: Most items.
        explainer: Gives the reasons.
        outcome: As the planner told it; None where an LLM answered.
        failed: Whether a bug broke the turn off.
    """
    if tools is None:
        return Composed("error" if failed else "answered", (), None, ())
    composed = compose(tools, None if named is None else list(named), text, top_n, explainer, failed=failed)
    if outcome is not None and not failed:
        composed = replace(composed, outcome=outcome)
    # When nothing said was left, the shopper is asked to put it differently: that is no answer.
    empty = composed.outcome == "answered" and not text.strip() and not composed.recommendations
    return replace(composed, outcome="question") if empty else composed


def last_words(composed: Composed, text: str, *, failed: bool) -> str:
    """Return what must still be said after `text`.

    That is an apology after a bug, something plain where words are missing, and the question of a write that waits
    for the shopper's yes.
    """
    said = bool(text.strip())
    if failed:
        known = f" {plain_text(composed)}" if composed.recommendations else ""
        return ("\n" if said else "") + APOLOGY + known
    if not composed.asks:
        return "" if said else plain_text(composed)
    # A yes must mean what the shopper has read: a write that a mind asked for in silence is asked for here.
    asks = dict.fromkeys(without_links(clean(each, 300)) for each in composed.asks)
    unread = [each for each in asks if phrase(each).strip() not in phrase(text)]
    return ("\n" if said and unread else "") + " ".join(unread)


def of_limits(request: ChatRequest, message: str, pictures: int) -> list[str]:
    """Return what must be said of a request of which only the beginning was read: `message`, and so many pictures."""
    told = (
        [f"I read the first {len(message)} characters of the message."] if len(request.message) > len(message) else []
    )
    return told + ([f"I looked at the first {pictures} pictures only."] if len(request.images) > pictures else [])


def of_pictures(tools: TurnTools | None, pictures: int) -> list[str]:
    """Return what must be said of the pictures of a message that the planner answered."""
    looks = [run for run in tools.runs if run.tool == "search_by_picture"] if tools else []
    if not looks:
        return [PICTURE_UNUSED]
    if looks[-1].error is None:
        return [ONE_PICTURE] if pictures > 1 else []
    return [BAD_PICTURE if looks[-1].error.startswith("'picture'") else NO_PICTURES]


def of_answer(
    tools: TurnTools | None, composed: Composed, changes: Sequence[Change], *, told: bool = False
) -> list[str]:
    """Return what the shopper is told about how the answer came about, beyond what was told on the way.

    Args:
        tools: The calls of the mind that answered.
        composed: The items of the answer.
        changes: What the gate did.
        told: Whether the answer keeps to what the shopper told of themselves: then something is known of them.
    """
    grounds = {run.facts.get("ground") for run in (tools.runs if tools else ())}
    new = "popularity" in grounds and bool(composed.recommendations) and not told
    return [NEW_SHOPPER] * new + ([LEFT_OUT] if any(change.action != "stripped" for change in changes) else [])


def keep(shop: Shop, now: datetime, answer: Answer, trace: Trace, changes: list[Change], gate: str) -> None:
    """Log the slate and the trace.

    Args:
        shop: In whose event store.
        now: When the turn began.
        answer: As sent.
        trace: What happened.
        changes: What the gate did.
        gate: Whether it was `on`.
    """
    shown = tuple(each.item_id for each in answer.recommendations)
    # The order is a function of what is known, so every item stood where it stands with certainty.
    certain = tuple(1.0 for _ in shown)
    user_id, session_id = trace.user_id, trace.session_id
    arm = assignment_of(shop, Shopper(user_id, session_id))
    slate = Slate(answer.request_id, user_id, session_id, now, shown, certain, arm) if shown else None
    told = {
        "outcome": answer.outcome,
        "text": answer.text,
        "item_ids": list(shown),
        "blocking": jsonable(answer.blocking),
        "disclosures": list(answer.disclosures),
        "prompt_version": PROMPT_VERSION,
    }
    shop.events.put_trace(answer.trace_id, trace.to_json(told, changes, gate), user_id, session_id, slate)
