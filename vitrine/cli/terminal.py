"""Conversations on a terminal: what the page shows, as plain text."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from agent.base import Answer, ChatRequest, Done, Problem, Recommendations, ShownRecommendation, Status, Token
from agent.money import price_text
from catalog.errors import DataError
from catalog.plain_text import one_line
from vitrine.cli.output import say, say_json

if TYPE_CHECKING:
    from agent.base import AgentEvent

WIDTH = 96


class Talker(Protocol):
    """Who answers (see `agent.loop.Agent`)."""

    async def warm(self) -> None:
        """Load what the first message would otherwise wait for."""

    def turn(self, request: ChatRequest) -> AsyncIterator[AgentEvent]:
        """Give the events of one turn."""


async def converse(
    agent: Talker,
    shop: str,
    *,
    messages: Sequence[str] | None = None,
    user_id: str | None = None,
    top_n: int = 5,
    as_json: bool = False,
    why: bool = False,
) -> None:
    """Answer `messages` in one conversation, or whatever is typed until an empty line or the end of input.

    Args:
        agent: Who answers.
        shop: Its name.
        messages: What is said; None reads it from the terminal.
        user_id: Who speaks; None is a guest.
        top_n: Most items in one answer.
        as_json: Print each answer as one JSON object.
        why: Print what backs each reason.
    """
    session: str | None = None
    interactive = messages is None and sys.stdin.isatty()
    if interactive:
        say(f'{shop}. Say what you are looking for; "cheaper", "in blue" or "more like the second" refine it.')
    # Cold, the first answer would spend its seconds on imports, and on a busy machine end without one.
    await agent.warm()
    for message in messages if messages is not None else _typed(interactive):
        if messages is not None and len(messages) > 1 and not as_json:
            say(f"\n> {message}")
        request = ChatRequest(message, session_id=session, user_id=user_id, top_n=top_n)
        answer = await _answer(agent, request, quiet=as_json, why=why)
        session = answer.session_id
        if as_json:
            say_json(json.dumps(asdict(answer), ensure_ascii=False, default=str))


async def _answer(agent: Talker, request: ChatRequest, *, quiet: bool, why: bool) -> Answer:
    """Print one turn as it happens and return its answer."""
    column = 0
    answer: Answer | None = None
    async for event in agent.turn(request):
        if isinstance(event, Done):
            answer = event.answer
        if quiet:
            continue
        match event:
            case Status():
                say("\n" if column else "", end="")
                column = 0
                say(f"  ({event.text})", error=True)
            case Token():
                say(event.text, end="")
                column += len(event.text)
            case Recommendations(items=items):
                say("\n" if column else "", end="")
                say("\n".join(recommendation_lines(items, why=why)))
                column = 0
            case Problem():
                say(f"{event.title}: {event.detail}")
    if answer is None:
        raise DataError("the conversation ended without an answer")
    if not quiet:
        say("" if not column else "\n", end="")
        for disclosure in answer.disclosures:
            say(f"  note: {disclosure}")
    return answer


def recommendation_lines(items: Iterable[ShownRecommendation], *, why: bool = False) -> list[str]:
    """Return cards as text: rank, title, price, the reason and, with `why`, what backs it."""
    lines = []
    for item in items:
        price = price_text(item.price, item.currency) or ""
        lines.append(one_line(f"{item.rank:3}. {item.title}" + (f"  {price}" if price else "")))
        lines += textwrap.wrap(item.reason, WIDTH, initial_indent="     ", subsequent_indent="     ")
        backed = "; ".join(evidence.text for evidence in item.evidence[:3])
        if why and backed:
            lines += textwrap.wrap(f"because: {backed}", WIDTH, initial_indent="     ", subsequent_indent="     ")
    return lines


def _typed(interactive: bool) -> Iterable[str]:
    while True:
        try:
            line = input("\n> " if interactive else "").strip()
        except EOFError:
            return
        if line:
            yield line
        elif interactive:
            return
