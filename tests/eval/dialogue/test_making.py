"""A file made from a log is ReDial's form, tells the log's truth, and is the same every time."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from agent.loop import Agent
from catalog.errors import DataError
from catalog.log import log_frame
from catalog.nouns import Interaction
from eval.dialogue.config import DialogueConfig
from eval.dialogue.judging import judge_dialogues
from eval.dialogue.making import MakeConfig, redial_records
from eval.dialogue.reading import read_dialogues

START = datetime(2026, 1, 1, tzinfo=UTC)
TAKEN = {"u1": "V01 L02 B03 M01", "u2": "M02 M01 V05 B02 L01", "u3": "V01 V02"}


@pytest.fixture
def taken() -> pl.DataFrame:
    return log_frame(
        Interaction(f"{user}-{day}", user, item, START + timedelta(days=day), "purchase")
        for user, items in TAKEN.items()
        for day, item in enumerate(items.split())
    )


def test_targets_were_taken_after_what_was_liked(agent: Agent, taken: pl.DataFrame, tmp_path: Path) -> None:
    records = list(redial_records(agent.shop.catalog, taken, MakeConfig()))
    path = tmp_path / "made.jsonl"
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    file = read_dialogues(path)
    assert file.forms == ("redial",) and not len(file.rejects) and len(file.dialogues) == 2
    by_title = {item.title: item.item_id for item in agent.shop.catalog}
    users = []
    for dialogue in file.dialogues:
        named = [by_title[mention.title] for turn in dialogue.turns for mention in turn.mentions]
        (user,) = [user for user, items in TAKEN.items() if set(named) <= set(items.split())]
        users.append(user)
        assert sorted(named, key=TAKEN[user].split().index) == named and len(named) == 4
        assert [turn.role for turn in dialogue.turns] == ["user", "assistant"] * 3 + ["user"]
    assert sorted(users) == ["u1", "u2"]  # u3 took too little


def test_the_same_seed_makes_the_same_file_and_another_one_another(agent: Agent, taken: pl.DataFrame) -> None:
    made = [list(redial_records(agent.shop.catalog, taken, MakeConfig(seed=seed))) for seed in (3, 3, 4)]
    assert made[0] == made[1] != made[2]
    assert len(list(redial_records(agent.shop.catalog, taken, MakeConfig(dialogues=1)))) == 1


def test_as_of_parts_what_was_liked_from_what_is_sought(agent: Agent, taken: pl.DataFrame) -> None:
    (record,) = redial_records(agent.shop.catalog, taken, MakeConfig(as_of=START + timedelta(days=3)))
    assert set(list(record["movieMentions"].values())[2:]) == {"Canvas tote", "Brass desk lamp"}  # u2's days 3 and 4
    with pytest.raises(DataError, match="no shopper of 3 liked 2 items and took 2 later from 2026-01-31"):
        list(redial_records(agent.shop.catalog, taken, MakeConfig(as_of=START + timedelta(days=30))))


def test_only_the_better_half_of_ratings_is_talked_about(agent: Agent) -> None:
    rated = {"V01": 5, "L02": 1, "B03": 5, "M01": 1, "M02": 5, "V05": 4, "L01": 1}
    log = log_frame(
        Interaction(f"e{day}", "u", item, START + timedelta(days=day), "rating", value=float(value))
        for day, (item, value) in enumerate(rated.items())
    )
    (record,) = redial_records(agent.shop.catalog, log, MakeConfig())
    titles = {agent.shop.catalog[item].title for item, value in rated.items() if value > 3}
    assert set(record["movieMentions"].values()) == titles


def test_a_made_file_runs_through_the_evaluation(
    agent: Agent, taken: pl.DataFrame, tmp_path: Path, runner: asyncio.Runner
) -> None:
    path = tmp_path / "made.jsonl"
    records = redial_records(agent.shop.catalog, taken, MakeConfig())
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    dialogues = read_dialogues(path).dialogues
    config = DialogueConfig(resamples=100)
    verdict = runner.run(judge_dialogues(agent, agent.shop.catalog, dialogues, config))
    assert verdict.turns.tolist() == [2, 3, 2, 3] and not verdict.told.missed
    assert all(0 <= row.values.min() <= row.values.max() <= 1 for row in verdict.rows)
