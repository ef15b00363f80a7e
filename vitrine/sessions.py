"""Where the conversations of a served shop rest: with one worker in its memory, with several beside the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vitrine.settings import Settings

if TYPE_CHECKING:
    from agent.sessions import SessionStore
    from tools.shop import Shop


def shares_sessions(settings: Settings) -> bool:
    """Whether conversations rest beside the events (`agent.sessions`)."""
    chosen = settings.agent.sessions
    if chosen == "auto":
        return settings.api.workers > 1 or settings.events.label == "PostgreSQL"
    return chosen == "shared"


def make_sessions(settings: Settings, shop: Shop) -> SessionStore | None:
    """Return where the conversations of a served shop rest; None: in the memory of its agent."""
    from catalog.event_store import SqlEventStore

    if not shares_sessions(settings) or not isinstance(shop.events, SqlEventStore):
        return None
    from agent.shared_sessions import SharedSessions
    from catalog.conversations import ConversationRows

    config = settings.agent
    rows = ConversationRows(shop.events, config.session_ttl_seconds, config.max_sessions)
    longest = config.max_seconds + config.planner_seconds
    return SharedSessions(rows, max_handles=config.max_handles, wait_seconds=longest)
