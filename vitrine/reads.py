"""What a trained version reads: its spaces, its ranker's, and intents; and what a later one no longer does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalog.workspace import Workspace
    from vitrine.settings import Settings
    from vitrine.shelf import Version


def spaces_text(meta: Mapping[str, Any]) -> str:
    """Return the spaces of a version by role, as its `version.json` tells: `text text-minilm, video video-clip`."""
    roles = meta.get("roles") or {}
    return ", ".join(role if role == space else f"{role} {space}" for role, space in roles.items()) or "no space"


def ranker_text(meta: Mapping[str, Any]) -> str:
    """Return what the version's ranker reads, and whether intents are among it."""
    ranker = meta.get("ranker")
    if not isinstance(ranker, Mapping):
        return "no ranker"
    spaces = ", ".join(ranker.get("spaces") or ()) or "no space"
    return f"its ranker: {spaces}; {intents_text(ranker)}"


def intents_text(ranker: Mapping[str, Any]) -> str:
    """Return which intents a ranker was taught with."""
    said = ranker.get("intents")
    return f"intents/{said}" if said else "no intents"


def reads_text(meta: Mapping[str, Any]) -> str:
    """Return all of it in a line."""
    return f"{spaces_text(meta)}; {ranker_text(meta)}"


def no_longer_read(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what an earlier version read and a later one does not: spaces, the ranker and its sources, intents."""
    lost = [
        f"{space} ({role})"
        for role, space in (before.get("roles") or {}).items()
        if space not in (now.get("roles") or {}).values()
    ]
    had, has = before.get("ranker"), now.get("ranker")
    if not isinstance(had, Mapping):
        return lost
    if not isinstance(has, Mapping):
        return [*lost, "the ranker"]
    for what in ("spaces", "sources"):
        kept = has.get(what) or ()
        gone = [name for name in had.get(what) or () if name not in kept]
        lost += [f"{name} ({'ranker' if what == 'spaces' else 'source of candidates'})" for name in gone]
    if had.get("intents") and had.get("intents") != has.get("intents"):
        lost.append(f"intents/{had['intents']} (ranker)")
    return lost


def lost_lines(last: Version | None, now: Mapping[str, Any]) -> list[str]:
    """Return a line about what the version before read and this one does not; none where it reads all of it."""
    lost = no_longer_read(last.meta, now) if last is not None else []
    return [f"no longer read, and {last} did: {', '.join(lost)}"] if lost else []


def unlearned(last: Version | None, now: Mapping[str, Any]) -> list[str]:
    """Return a line where the version before had learned from live events, and this one from the log alone."""
    if last is None or not last.meta.get("last_row") or now.get("last_row"):
        return []
    return [f"learned from the log alone, and {last} from live events as well: vitrine retrain does"]


def unread_intents(settings: Settings, workspace: Workspace) -> str:
    """Return what would make a ranker read the intents that stand in the store; nothing where it does, or none do."""
    from captioning.intents.config import active_intents

    said = active_intents(settings.intents, workspace)
    return f" (intents/{said} would be with intents.ranker=true)" if said and not settings.intents.ranker else ""
