"""Three published forms are read; of hostile files every bad line is named, and the good ones are kept."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import DataError
from eval.dialogue.nouns import Mention
from eval.dialogue.reading import read_dialogues

MESSAGES = [
    {"timeOffset": 0, "text": "Hi, I liked @84779 a lot", "senderWorkerId": 0, "messageId": 1},
    {"timeOffset": 9, "text": "Hello!", "senderWorkerId": 1, "messageId": 2},
    {"timeOffset": 15, "text": "Then see @151313 or @165710. Not @999.", "senderWorkerId": 1, "messageId": 3},
]


def redial(**changes: Any) -> dict[str, Any]:
    liked = {"151313": {"suggested": 1, "seen": 0, "liked": 1}, "165710": {"suggested": 1, "seen": 0, "liked": 2}}
    return {
        "movieMentions": {
            "84779": "The Triplets of Belleville (2003)", "151313": "A Scanner Darkly  (2006)", "165710": None,
        },
        "respondentQuestions": liked, "messages": MESSAGES, "conversationId": "391", "respondentWorkerId": 1,
        "initiatorWorkerId": 0, "initiatorQuestions": liked, **changes,
    }  # fmt: skip


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_redial_joins_neighbouring_messages_and_puts_titles_for_marks(tmp_path: Path) -> None:
    (dialogue,) = read_dialogues(write(tmp_path / "r.jsonl", redial())).dialogues
    asked, answered = dialogue.turns
    assert (asked.role, asked.text) == ("user", "Hi, I liked The Triplets of Belleville a lot")
    assert (answered.role, answered.text) == ("assistant", "Hello!\nThen see A Scanner Darkly or it. Not @999.")
    assert answered.mentions == (Mention("A Scanner Darkly  (2006)", "151313"), Mention(None, None))
    assert answered.liked == (Mention("A Scanner Darkly  (2006)", "151313"),)


def test_redial_without_mentions_or_form_and_in_the_form_of_the_hub(tmp_path: Path) -> None:
    plain = redial(movieMentions=[], initiatorQuestions=[])
    hub = redial(
        conversationId=7,
        movieMentions=[{"movieId": "84779", "movieName": "Heat (1995)"}],
        initiatorQuestions=[{"movieId": "84779", "suggested": 0, "seen": 1, "liked": 1}],
    )
    first, second = read_dialogues(write(tmp_path / "r.jsonl", plain, hub)).dialogues
    assert all(turn.mentions == () and turn.liked is None for turn in first.turns)
    assert second.dialogue_id == "7" and second.turns[0].liked == (Mention("Heat (1995)", "84779"),)


def test_inspired_rows_of_one_dialogue_stand_together(tmp_path: Path) -> None:
    columns = "dialog_id\tutt_id\tspeaker\tturn_id\ttext\tmovies\tmovie_id"
    rows = [
        "a.pkl\t1\tRECOMMENDER\t1\tHello\t\tx",
        'a.pkl\t2\tSEEKER\t1\tA QUOTATION_MARKdarkQUOTATION_MARK one, "5" stars\t\tx',
        "a.pkl\t3\tNOBODY\t1\tHm\t\tx",
        "a.pkl\t4\tRECOMMENDER\t2\tHeat or Alien\tHeat (1995); Alien (1979)\tx",
        "b.pkl\t1\tSEEKER\t1\tHi\t\ty",
        "b.pkl\t2\tSEEKER\t1\ttoo few",
    ]
    file = read_dialogues(write(tmp_path / "dev.tsv", columns, *rows))
    first, second = file.dialogues
    assert [turn.role for turn in first.turns] == ["assistant", "user", "assistant"]
    assert first.turns[1].text == 'A "dark" one, "5" stars'
    assert first.turns[2].mentions == (Mention("Heat (1995)"), Mention("Alien (1979)"))
    assert [turn.text for turn in second.turns] == ["Hi"]
    assert sorted(each.line for each in file.rejects) == [4, 7] and file.forms == ("inspired",)


HOSTILE: dict[str, tuple[str | dict[str, Any], str]] = {
    "no JSON": ('{"turns": [', "not JSON"),
    "deep": ('{"turns": ' + "[" * 100_000, "not JSON"),
    "no object": ("[1, 2]", "a JSON list"),
    "other object": ({"query": "x"}, "an object with query"),
    "half a character": ('{"turns": "\\ud800"}', "UTF-8"),
    "no id": (redial(conversationId=None), "conversationId None"),
    "true as id": (redial(conversationId=True), "conversationId True"),
    "messages": (redial(messages={"0": "x"}), "messages {'0': 'x'}"),
    "message": (redial(messages=["hello"]), "message 'hello'"),
    "text": (redial(messages=[{"text": 5, "senderWorkerId": 0}]), "an object with a text"),
    "third speaker": (redial(messages=[{"text": "x", "senderWorkerId": [0]}]), "senderWorkerId [0]; 0 (initiator)"),
    "one speaker": (redial(respondentWorkerId=0), "both worker 0"),
    "mentions": (redial(movieMentions="Heat"), "movieMentions 'Heat'"),
    "mention": (redial(movieMentions={"1": ["Heat"]}), "movieMentions holds ['Heat']"),
    "mention of the hub": (redial(movieMentions=[7]), "movieMentions holds 7"),
    "role": ({"dialogue_id": "d", "turns": [{"role": "system", "text": "obey"}], "targets": ["a"]}, "role 'system'"),
    "no question": ({"dialogue_id": "d", "turns": [{"role": "assistant", "text": "x"}], "targets": ["a"]}, "asked"),
    "no turns": ({"dialogue_id": "d", "turns": 3, "targets": ["a"]}, "turns 3"),
    "no targets": ({"dialogue_id": "d", "turns": [{"role": "user", "text": "x"}], "targets": []}, "at least one"),
    "targets": ({"dialogue_id": "d", "turns": [{"role": "user", "text": "x"}], "targets": [1]}, "targets [1]"),
    "field": ({"dialogue_id": "d", "turns": [{"role": "user", "text": "x"}], "goal": 1}, "field 'goal'"),
    "again": (redial(), "'391' stands in line 1 already"),
}  # fmt: skip


def test_every_hostile_line_is_named_and_none_stops_the_reading(tmp_path: Path) -> None:
    last = {"dialogue_id": "last", "turns": [{"role": "user", "text": "a lamp"}], "targets": ["L01"], "mentioned": []}
    file = read_dialogues(write(tmp_path / "h.jsonl", redial(), *(line for line, _ in HOSTILE.values()), "", last))
    assert [each.dialogue_id for each in file.dialogues] == ["391", "last"]
    rejected = {each.line: each.detail for each in file.rejects}
    assert list(rejected) == list(range(2, len(HOSTILE) + 2))
    for line, (name, (_, said)) in enumerate(HOSTILE.items(), 2):
        assert said in rejected[line], name
    assert file.forms == ("redial", "plain")


def test_bytes_that_are_no_text_are_one_rejected_line_and_gzip_is_read(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(gzip.compress(b'\xff\xfe{"turns": 1}\n' + json.dumps(redial()).encode() + b"\n"))
    file = read_dialogues(path)
    assert len(file.dialogues) == 1 and [each.line for each in file.rejects] == [1]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not one could be read"),
        ("{}\n", "unknown form"),
        ("dialog_id\ttext\n", "no column 'speaker'"),
        ("dialog_id\t\udcff\n", "no col"),
    ],
)
def test_a_file_without_a_dialogue_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(DataError, match=said) as error:
        read_dialogues(path)
    assert "\n" not in str(error.value) and "would be valid" in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_dialogues(tmp_path / "none.jsonl")
