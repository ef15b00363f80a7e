"""What a conversation wrote, and how the shopper takes it back by a word: no mind is asked."""

from __future__ import annotations

from collections.abc import Sequence

from agent.trace import ToolRun
from agent.wording import NONE_TO_UNDO, UNDO
from tools.arguments import canonical

UNDOES = "undo_feedback"


def undoing(message: str, recorded: str | None) -> dict[str, str]:
    """Return the write that takes `recorded` (an event id) back, canonical arguments -> tool; {} if not asked for."""
    asked = recorded is not None and UNDO.fullmatch(message)
    return {canonical({"event_id": recorded}): UNDOES} if asked else {}


def none_to_undo(message: str, recorded: str | None) -> str | None:
    """Return what is said to an "undo" where nothing was written; a mind would look for something of that name."""
    return NONE_TO_UNDO if recorded is None and UNDO.fullmatch(message) else None


def recorded_last(runs: Sequence[ToolRun], before: str | None) -> str | None:
    """Return the event that a conversation wrote last and has not taken back, after the calls of one more turn."""
    for run in runs:
        if "recorded" in run.facts:
            before = str(run.facts["recorded"]["event_id"])
        elif "undone" in run.facts or (run.tool == UNDOES and run.error is not None):
            before = None
    return before
