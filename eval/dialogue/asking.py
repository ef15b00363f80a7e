"""Asks the agent through its public door, knowing as much of the conversation as a history says."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agent.base import Answer, ChatRequest, PastMessage
from agent.loop import Agent
from eval.dialogue.config import TOP_N, History
from eval.dialogue.moments import Judged, Moment


@dataclass(frozen=True, slots=True)
class Reply:
    """The items of one answer, best first, and how it ended."""

    item_ids: tuple[str, ...]
    outcome: str


async def replies(agent: Agent, judged: Judged, history: History) -> list[Reply]:
    """Return the agent's answer at every moment of a dialogue, asked as a guest; it forgets the dialogue afterwards."""
    if history == "said":
        return await _said(agent, judged)
    answers = []
    for moment in judged.moments:
        before = moment.before if history == "read" else ()
        async with _forgotten(agent) as sessions:
            answer = await _ask(agent, moment.message, sessions, before)
        answers.append(_reply(answer))
    return answers


async def _said(agent: Agent, judged: Judged) -> list[Reply]:
    """Say all of the shopper's turns in one session, and keep the answers at the moments."""
    at: dict[int, Moment] = {moment.number: moment for moment in judged.moments}
    if not at:
        return []
    last = judged.moments[-1]
    messages = [past.text for past in last.before if past.role == "user"] + [last.message]
    answers = []
    async with _forgotten(agent) as sessions:
        for number, message in enumerate(messages, 1):
            answer = await _ask(agent, message, sessions)
            if number in at:
                answers.append(_reply(answer))
    return answers


async def _ask(agent: Agent, message: str, sessions: list[str], before: tuple[PastMessage, ...] = ()) -> Answer:
    session_id = sessions[-1] if sessions else None
    answer = await agent.answer(ChatRequest(message, session_id=session_id, top_n=TOP_N, history=before))
    sessions.append(answer.session_id)
    return answer


@asynccontextmanager
async def _forgotten(agent: Agent) -> AsyncIterator[list[str]]:
    """Give a list for session ids; the sessions are gone afterwards, so that no later dialogue is recognised."""
    sessions: list[str] = []
    try:
        yield sessions
    finally:
        for session_id in sessions:
            agent.sessions.forget(session_id)


def _reply(answer: Answer) -> Reply:
    return Reply(tuple(each.item_id for each in answer.recommendations), answer.outcome)
