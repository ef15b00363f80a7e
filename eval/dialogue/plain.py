"""Our own form: `{"dialogue_id", "turns": [{"role", "text"}], "targets": [...], "mentioned": [...]}`, one a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from catalog.readers.rejects import shown
from eval.dialogue.nouns import BadDialogue, Dialogue, Mention, Role, Turn, alternating

FIELDS = ("dialogue_id", "turns", "targets", "mentioned")


def plain_dialogue(record: Mapping[str, Any]) -> Dialogue:
    """Return the dialogue of one line; `targets` and `mentioned` are the shop's item ids, or titles.

    Raises:
        BadDialogue: When a field is missing, unknown or of another kind, or the last turn is not the shopper's.
    """
    unknown = [name for name in record if name not in FIELDS]
    if unknown:
        raise BadDialogue("unknown field", f"field {shown(unknown[0])}; {', '.join(FIELDS)} would be valid")
    dialogue_id, turns = record.get("dialogue_id"), record["turns"]
    if not isinstance(dialogue_id, str) or not dialogue_id.strip():
        raise BadDialogue("no id", f"dialogue_id {shown(dialogue_id)}; a text would be valid")
    if not isinstance(turns, list):
        raise BadDialogue("bad turn", f"turns {shown(turns)}; a list of objects would be valid")
    spoken = alternating(_turn(turn) for turn in turns)
    if not spoken or spoken[-1].role != "user":
        raise BadDialogue("no question", "the last turn that says something is not the user's, so nothing is asked")
    targets = _items(record, "targets")
    if not targets:
        raise BadDialogue("no target", f"targets {shown(record.get('targets'))}; at least one item would be valid")
    return Dialogue(dialogue_id, spoken, targets, _items(record, "mentioned"))


def _turn(turn: Any) -> Turn:
    if not isinstance(turn, dict) or not isinstance(turn.get("text"), str):
        raise BadDialogue("bad turn", f"turn {shown(turn)}; an object with role and text would be valid")
    if turn.get("role") not in get_args(Role):
        detail = f"role {shown(turn.get('role'))}; {' or '.join(map(repr, get_args(Role)))} would be valid"
        raise BadDialogue("unknown speaker", detail)
    return Turn(turn["role"], turn["text"])


def _items(record: Mapping[str, Any], name: str) -> tuple[Mention, ...]:
    items = record.get(name, [])
    if not isinstance(items, list) or not all(isinstance(each, str) and each for each in items):
        raise BadDialogue("bad items", f"{name} {shown(items)}; a list of item ids would be valid")
    return tuple(Mention(item_id=each) for each in dict.fromkeys(items))
