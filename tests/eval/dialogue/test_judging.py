"""Figures of an evaluation are those of the arithmetic, and the agent knows only what a history says."""

from __future__ import annotations

import asyncio
import json
from math import log2
from pathlib import Path

import numpy as np
import pytest

from agent.base import Answer, ChatRequest, PastMessage, ShownRecommendation
from agent.loop import Agent
from catalog.errors import DataError
from eval.dialogue.config import DialogueConfig
from eval.dialogue.judging import intervals, judge_dialogues
from eval.dialogue.moments import Mapped, judged_dialogue
from eval.dialogue.nouns import Dialogue, Mention, Turn
from eval.dialogue.reading import DialogueFile, read_dialogues
from eval.dialogue.report import dialogue_json, dialogue_markdown, dialogue_text, write_dialogue_report
from eval.dialogue.titles import TitleIndex

MUG, WHITE, ENAMEL = Mention("Blue speckled mug"), Mention("Plain white mug"), Mention("Enamel camping mug")
GONE = Mention("A mug nobody sells")
TALK = Dialogue(
    "d1",
    (
        Turn("user", "A mug, please. I have the blue speckled one", (MUG,)),
        Turn("assistant", "The blue one again, or plain white?", (MUG, WHITE, GONE), (WHITE,)),
        Turn("user", "Something for camping"),
        Turn("assistant", "The enamel one", (ENAMEL,), ()),
    ),
)


class Scripted:
    """Stands where the agent stands: says always the same and keeps what it was asked."""

    def __init__(self, agent: Agent, *item_ids: str) -> None:
        self.sessions = agent.sessions
        self.item_ids = item_ids
        self.asked: list[ChatRequest] = []

    async def answer(self, request: ChatRequest) -> Answer:
        self.asked.append(request)
        shown = tuple(
            ShownRecommendation(item_id, item_id, None, None, rank, 0.0, "")
            for rank, item_id in enumerate(self.item_ids, 1)
        )
        return Answer("recommended", "", shown, request.session_id or f"s{len(self.asked)}", "r", "t")


def test_moments_are_the_recommenders_turns_that_name_something_new(agent: Agent) -> None:
    told = Mapped()
    first, second = judged_dialogue(TALK, TitleIndex(agent.shop.catalog), "named", told).moments
    assert (first.number, first.targets, first.mentioned) == (1, {"M02"}, {"M01"}) and first.before == ()
    assert (second.number, second.targets, second.mentioned) == (2, {"M03"}, {"M01", "M02"})
    assert second.message == "Something for camping"
    assert second.before == (
        PastMessage("user", "A mug, please. I have the blue speckled one", ("M01",)),
        PastMessage("assistant", "The blue one again, or plain white?", ("M01", "M02")),
    )
    assert (told.found, dict(told.missed)) == (3, {"not in the shop": 1}) and dict(told.titles) == {GONE.title: 1}


def test_liked_targets_are_those_of_the_seekers_form(agent: Agent) -> None:
    (moment,) = judged_dialogue(TALK, TitleIndex(agent.shop.catalog), "liked", Mapped()).moments
    assert moment.targets == {"M02"}


def test_what_cannot_be_judged_is_counted(agent: Agent) -> None:
    told, titles = Mapped(), TitleIndex(agent.shop.catalog)
    began = Dialogue("a", (Turn("assistant", "This mug?", (MUG,)), Turn("user", "no")))
    gone = Dialogue("b", (Turn("user", "a mug"), Turn("assistant", "gone", (GONE,))))
    known = Dialogue("c", (Turn("user", "a mug like mine", (MUG,)), Turn("assistant", "yours?", (MUG,))))
    ended = Dialogue("d", (Turn("user", "a mug"),), targets=(MUG,), mentioned=(MUG,))
    assert not any(judged_dialogue(each, titles, "named", told).moments for each in (began, gone, known, ended))
    reasons = {"the recommender began": 1, "no target in the shop": 1, "every target mentioned before": 2}
    assert dict(told.skipped) == reasons


def test_mentioned_items_are_removed_before_ranks_are_counted(agent: Agent, runner: asyncio.Runner) -> None:
    scripted = Scripted(agent, "M01", "V01", "M02", "M03", "M02")
    config = DialogueConfig(ks=(1, 2, 10), history=("none",), resamples=100)
    verdict = runner.run(judge_dialogues(scripted, agent.shop.catalog, [TALK], config))  # type: ignore[arg-type]
    assert verdict.metrics == ("recall@1", "recall@2", "recall@10", "ndcg@1", "ndcg@2", "ndcg@10")
    # Without what was mentioned: V01, M02, M03 at the first moment (M02 sought), V01, M03 at the second (M03 sought).
    expected = [[0, 1, 1, 0, 1 / log2(3), 1 / log2(3)]] * 2
    assert verdict.rows[0].values == pytest.approx(np.array(expected))
    assert verdict.rows[0].shown == (3 + 2) / 2 and verdict.rows[0].outcomes == {"recommended": 2}
    assert verdict.turns.tolist() == [1, 2] and verdict.dialogues.tolist() == [0, 0]
    assert all(request.top_n == 50 and request.user_id is None for request in scripted.asked)


def test_each_history_tells_the_agent_what_its_name_says(agent: Agent, runner: asyncio.Runner) -> None:
    scripted = Scripted(agent, "M02")
    config = DialogueConfig(history=("none", "read", "said"), resamples=100)
    verdict = runner.run(judge_dialogues(scripted, agent.shop.catalog, [TALK], config))  # type: ignore[arg-type]
    none, read, said = scripted.asked[:2], scripted.asked[2:4], scripted.asked[4:]
    assert [(each.history, each.session_id) for each in none] == [((), None)] * 2
    assert [len(each.history) for each in read] == [0, 2] and all(each.session_id is None for each in read)
    assert [each.message for each in said] == [TALK.turns[0].text, TALK.turns[2].text]
    assert [each.history for each in said] == [(), ()] and said[1].session_id is not None
    assert [row.name for row in verdict.rows] == [f"agent, history {name}" for name in ("none", "read", "said")]


def test_a_wish_of_an_earlier_turn_is_met_only_by_an_agent_that_heard_it(agent: Agent, runner: asyncio.Runner) -> None:
    turns = (Turn("user", "I am looking for a vase"), Turn("assistant", "Which colour?"), Turn("user", "green"))
    dialogue = Dialogue("d", turns, targets=(Mention(item_id="V05"),))
    config = DialogueConfig(ks=(1, 50), history=("none", "said"), resamples=100)
    popular = ["M02", "V05"]
    verdict = runner.run(judge_dialogues(agent, agent.shop.catalog, [dialogue], config, popular=popular))
    values = {row.name: row.values[0, 0] for row in verdict.rows}
    assert values["agent, history said"] == 1.0 and values["popularity"] == 0.0
    assert len(agent.sessions) == 0  # type: ignore[arg-type]


def test_dialogues_are_drawn_whole(agent: Agent) -> None:
    """Two dialogues, one of three moments that all hit: a resample's mean is 0, 3/4 or 1, never another."""
    found = intervals(np.array([[1.0], [1.0], [1.0], [0.0]]), np.array([0, 0, 0, 1]), seed=0, resamples=1000)
    assert [found[0].mean, found[0].low, found[0].high] == [0.75, 0.0, 1.0]
    alike = intervals(np.full((5, 2), 0.25), np.arange(5), seed=1, resamples=300)
    assert [[each.mean, each.low, each.high] for each in alike] == [[0.25] * 3] * 2


def test_nothing_to_judge_says_why(agent: Agent, runner: asyncio.Runner) -> None:
    gone = Dialogue("b", (Turn("user", "a mug"), Turn("assistant", "gone", (GONE,))))
    with pytest.raises(DataError, match=r"none of 1 dialogues .* 1 no target in the shop, 1 targets not in the shop"):
        runner.run(judge_dialogues(agent, agent.shop.catalog, [gone], DialogueConfig()))


@pytest.fixture
def file(tmp_path: Path) -> DialogueFile:
    path = tmp_path / "own.jsonl"
    rows = [
        {"dialogue_id": "a", "turns": [{"role": "user", "text": "a blue lamp"}], "targets": ["L02"]},
        {"dialogue_id": "b", "turns": [{"role": "user", "text": "a bag of leather"}], "targets": ["B01", "X"]},
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows) + "nonsense\n")
    return read_dialogues(path)


def test_the_report_holds_figures_left_outs_and_provenance(
    agent: Agent, runner: asyncio.Runner, file: DialogueFile, tmp_path: Path
) -> None:
    config = DialogueConfig(resamples=100)
    verdict = runner.run(judge_dialogues(agent, agent.shop.catalog, file.dialogues, config, popular=["M02"]))
    facts = {"dataset": "toy", "data_key": "0123456789abcdef", "commit": None}
    report = dialogue_json(verdict, file, config, facts)
    told = report["dialogue"]
    assert (told["dialogues"], told["dialogues_judged"], told["moments"]) == (2, 2, 2)
    assert told["targets"] == {"found": 2, "missed": {"not in the shop": 1}, "titles": {"X": 1}}
    assert told["rejected"]["lines"] == 1 and told["rejected"]["first"][0]["line"] == 3
    assert told["contenders"]["agent, history none"]["all"]["recall@1"]["mean"] == 1.0
    assert told["contenders"]["popularity"]["turns"]["1"]["moments"] == 2
    assert told["differences"]["popularity - agent, history none"]["ndcg@10"]["mean"] == -1.0
    files = write_dialogue_report(tmp_path / "reports", report, tmp_path / "also.json")
    assert [each.name for each in files] == ["dialogue.json", "dialogue.md", "also.json"]
    assert json.loads(files[0].read_text()) == json.loads(files[2].read_text()) == report
    markdown = dialogue_markdown(report)
    assert "| agent, history said | 1.0000 [1.0000, 1.0000] |" in markdown
    assert "Of 3 targets 2 are items of the shop, not mapped: 1 not in the shop." in markdown
    assert "-1.0000 [-1.0000, -1.0000]" in dialogue_text(report) and "line 3: not JSON" in dialogue_text(report)


def test_a_cut_off_beyond_what_is_asked_for_is_refused() -> None:
    with pytest.raises(ValueError, match="cut-off 51: 1 to 50 would be valid"):
        DialogueConfig(ks=(51,))
