"""Reads a file of dialogues, whichever of the three forms it has; a bad line is kept with its reason, never a stop."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Literal

from catalog.errors import DataError
from catalog.readers.csv_rows import delimited
from catalog.readers.rejects import Rejects
from catalog.readers.rows import json_records, open_text
from eval.dialogue.inspired import COLUMNS, inspired_dialogue, inspired_turn
from eval.dialogue.nouns import BadDialogue, Dialogue, Turn
from eval.dialogue.plain import plain_dialogue
from eval.dialogue.redial import redial_dialogue

Form = Literal["redial", "inspired", "plain"]

_VALID = (
    "ReDial's (messages), INSPIRED's table (dialog_id, speaker, text, movies) or {'dialogue_id', 'turns', 'targets'}"
)


@dataclass(frozen=True, eq=False)
class DialogueFile:
    """What a file held.

    Attributes:
        name: The file's name.
        sha256: Of its bytes.
        forms: Forms that were met.
        dialogues: In the file's order.
        rejects: Lines that were not used.
    """

    name: str
    sha256: str
    forms: tuple[Form, ...]
    dialogues: tuple[Dialogue, ...]
    rejects: Rejects


def read_dialogues(path: Path) -> DialogueFile:
    """Read `path` (JSON lines or a tab-separated table, `.gz` or not).

    Raises:
        DataError: When it cannot be read, or not one line of it is a dialogue; the text gives the reasons.
    """
    if not path.is_file():
        raise DataError(f"dialogues {str(path)!r}: there is no such file; {_VALID} would be valid")
    rejects, dialogues, forms = Rejects(), list[Dialogue](), dict[Form, None]()
    seen: dict[str, int] = {}
    with open_text(path) as file:
        table = file.readline(65536).startswith("dialog_id\t")
        file.seek(0)
        for line, form, make in _rows(file, path, rejects) if table else _lines(file, path.name, rejects):
            try:
                dialogue = make()
                if dialogue.dialogue_id in seen:
                    first = f"dialogue {dialogue.dialogue_id!r} stands in line {seen[dialogue.dialogue_id]} already"
                    raise BadDialogue("repeated id", f"{first}; an id of its own would be valid")
            except BadDialogue as error:
                rejects.add(path.name, line, error.reason, error.detail, "")
                continue
            seen[dialogue.dialogue_id] = line
            forms[form] = None
            dialogues.append(dialogue)
    if not dialogues:
        raise DataError(f"dialogues {str(path)!r}: not one could be read: {rejects.summary()}; {_VALID} would be valid")
    with path.open("rb") as raw:
        sha = hashlib.file_digest(raw, "sha256").hexdigest()
    return DialogueFile(path.name, sha, tuple(forms), tuple(dialogues), rejects)


Found = tuple[int, Form, Callable[[], Dialogue]]
"""The line a dialogue begins in, its form, and what parses it."""


def _lines(file: IO[str], name: str, rejects: Rejects) -> Iterator[Found]:
    for line, record in json_records(file, name, rejects):
        if "messages" in record:
            yield line, "redial", partial(redial_dialogue, record)
        elif "turns" in record:
            yield line, "plain", partial(plain_dialogue, record)
        else:
            fields = ", ".join(sorted(record)[:5]) or "no field"
            rejects.add(name, line, "unknown form", f"an object with {fields}; {_VALID} would be valid", record)


def _rows(file: IO[str], path: Path, rejects: Rejects) -> Iterator[Found]:
    """Yield each run of rows of one `dialog_id`; a bad row is rejected alone."""
    rows = delimited(file, path.name, "\t", rejects, quotes=False)
    header = [name.strip() for name in next(rows, (1, list[str]()))[1]]
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise DataError(f"dialogues {str(path)!r}: no column {missing[0]!r} in the header; {_VALID} would be valid")
    at = {name: header.index(name) for name in COLUMNS}
    begun, current, turns = 0, "", list[Turn]()
    for line, fields in rows:
        row = {name: fields[place] for name, place in at.items()}
        try:
            turn = inspired_turn(row)
            if not row["dialog_id"].strip():
                raise BadDialogue("no id", "dialog_id ''; a text would be valid")
        except BadDialogue as error:
            rejects.add(path.name, line, error.reason, error.detail, row)
            continue
        if row["dialog_id"] != current:
            if turns:
                yield begun, "inspired", partial(inspired_dialogue, current, turns)
            begun, current, turns = line, row["dialog_id"], []
        turns.append(turn)
    if turns:
        yield begun, "inspired", partial(inspired_dialogue, current, turns)
