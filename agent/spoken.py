"""Spoken messages: asked back about when the model was not sure of them, put right by a word when it was wrong."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any

from agent.base import ChatRequest
from agent.sessions import Session
from agent.understanding.consent import agrees, declines

SAY_AGAIN = "Please say it again, or type it."
_CORRECTS = re.compile(
    r"\W*(?:(?:no|nope|sorry|wait|actually)\W+)*(?:i (?:said|meant|mean)|it should (?:be|say)|make that|that should be)"
    r"[\s:,]+(?P<meant>.+)",
    re.IGNORECASE | re.DOTALL,
)
_NO = re.compile(r"\W*(?:no|nope|wrong|not quite)\b\W+(?P<meant>.+)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a conversation keeps of its last spoken message.

    Attributes:
        text: What was heard.
        sure: Whether it was answered; otherwise the shopper was asked whether it is right.
        state: The intent state before it, for the answer to be taken back.
    """

    text: str
    sure: bool
    state: Any = None


def understood(session: Session, request: ChatRequest) -> tuple[ChatRequest, str | None]:
    """Return the request whose message is to be answered, and what to say in place of an answer, else None.

    Args:
        session: Keeps what was heard last; its state goes back where a wrong hearing is put right.
        request: As it came.
    """
    before, session.spoken = session.spoken, None
    heard = request.spoken
    if before is not None and not before.sure:
        if agrees(request.message):
            session.spoken = replace(before, sure=True, state=session.state)
            return replace(request, message=before.text), None
        if declines(request.message):
            return request, f"All right. {SAY_AGAIN}"
        if heard is None:
            return replace(request, message=_meant(request.message)), None
    if heard is None:
        found = _CORRECTS.fullmatch(request.message) if before is not None else None
        if found is not None and before is not None:
            session.state = before.state
            return replace(request, message=found["meant"].strip()), None
        return request, None
    if heard.text is None:
        if request.message.strip():
            return request, None
        return request, f"I could not make out what you said ({heard.reason or 'no speech'}). {SAY_AGAIN}"
    if not heard.certain:
        session.spoken = Asked(request.message, sure=False)
        return request, f"I heard “{request.message}”; is that right?"
    session.spoken = Asked(request.message, sure=True, state=session.state)
    return request, None


def heard_of(request: ChatRequest, meant: ChatRequest) -> dict[str, Any]:
    """Return what a trace holds of a spoken message, and of one that puts it right: the words as they came."""
    spoken = {"spoken": asdict(request.spoken)} if request.spoken is not None else {}
    return {**spoken, "message": request.message} if spoken or meant.message != request.message else {}


def _meant(message: str) -> str:
    """Return a correction without the "no, I said" in front of it."""
    found = _CORRECTS.fullmatch(message) or _NO.fullmatch(message)
    return found["meant"].strip() if found else message
