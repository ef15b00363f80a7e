"""INSPIRED's form: a table with one utterance a row.

Source: Hayati, Kang, Zhu, Shi and Yu, EMNLP 2020; the README of its `dialog_data`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from catalog.readers.rejects import shown
from eval.dialogue.nouns import BadDialogue, Dialogue, Mention, Role, Turn, alternating

COLUMNS = ("dialog_id", "speaker", "text", "movies")
"""Columns that are read; the other fifteen may be there or not."""

_QUOTE = "QUOTATION_MARK"
_ROLES: Mapping[str, Role] = {"SEEKER": "user", "RECOMMENDER": "assistant"}


def inspired_turn(row: Mapping[str, str]) -> Turn:
    """Return what one row says; `movies` holds titles with years, apart by `;`.

    Raises:
        BadDialogue: When nobody known speaks.
    """
    role = _ROLES.get(row["speaker"].strip().upper())
    if role is None:
        raise BadDialogue("unknown speaker", f"speaker {shown(row['speaker'])}; SEEKER or RECOMMENDER would be valid")
    titles = dict.fromkeys(title.strip() for title in row["movies"].split(";") if title.strip())
    return Turn(role, row["text"].replace(_QUOTE, '"'), tuple(Mention(title) for title in titles))


def inspired_dialogue(dialogue_id: str, turns: Iterable[Turn]) -> Dialogue:
    """Return the dialogue of rows that stand together."""
    return Dialogue(dialogue_id, alternating(turns))
