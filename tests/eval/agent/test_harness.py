"""Tasks over the toy shop, played by real minds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent.base import Answer, ChatRequest
from agent.config import AgentConfig
from agent.loop import Agent
from agent.scripted_server import ScriptedServer
from catalog.errors import DataError, NotFoundError
from eval.agent.generate import generate
from eval.agent.harness import Harness, Played, load_failure, save_failures, with_llm
from eval.agent.report import report, report_text
from eval.agent.tasks import TaskConfig
from tools.doubles import TOY_NOW, toy_events
from tools.shop import Shop

CONFIG = TaskConfig(n=12, seed=3, passes=2, top_n=5)


def played(shop: Shop, folder: Path, config: TaskConfig = CONFIG, agent: AgentConfig | None = None) -> list[Played]:
    folder.mkdir()
    harness = Harness(shop, folder, agent, now=lambda: TOY_NOW)
    try:
        return harness.run(generate(shop.catalog.items, config), config)
    finally:
        harness.close()


def test_the_planner_does_the_tasks_of_a_small_shop(shop: Shop, tmp_path: Path) -> None:
    found = played(shop, tmp_path / "events")
    assert len(found) == 24
    assert {each.task.category for each in found} == {"find", "refine", "compare", "abstain", "policy", "feedback"}
    assert not [each.ungrounded for each in found if each.ungrounded]
    assert sum(each.success for each in found) >= 18, [each.faults for each in found if each.faults]


def test_the_first_turn_waits_for_nothing(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    warm, answer = Agent.warm, Agent.answer

    async def warming(self: Agent) -> None:
        done.append("warm")
        await warm(self)

    async def answering(self: Agent, request: ChatRequest) -> Answer:
        done.append("turn")
        return await answer(self, request)

    monkeypatch.setattr(Agent, "warm", warming)
    monkeypatch.setattr(Agent, "answer", answering)
    played(shop, tmp_path / "events", CONFIG.model_copy(update={"n": 1, "passes": 1}))
    assert done[:2] == ["warm", "turn"] and done.count("warm") == 1


def test_the_shops_own_events_are_left_alone(shop: Shop, tmp_path: Path) -> None:
    before = shop.events.since(0)
    played(shop, tmp_path / "events")
    assert shop.events.since(0) == before and len(before) == len(toy_events())


@pytest.mark.parametrize(("gate", "found"), [("off", True), ("on", False)])
def test_the_judge_finds_the_lies_where_the_gate_is_off(shop: Shop, tmp_path: Path, gate: Any, found: bool) -> None:
    with ScriptedServer("lying") as server:
        config = with_llm(AgentConfig(gate=gate), server.base_url, "scripted")
        runs = played(shop, tmp_path / "events", CONFIG.model_copy(update={"n": 3, "passes": 1}), config)
        assert server.requests, "the model was never asked"
    assert all(bool(each.ungrounded) == found for each in runs), [each.ungrounded for each in runs]
    assert not found or not any(each.success for each in runs)


def test_a_failure_is_a_line_that_can_be_played_again(shop: Shop, tmp_path: Path) -> None:
    with ScriptedServer("dreaming") as server:
        config = with_llm(AgentConfig(gate="off"), server.base_url, "scripted")
        runs = played(shop, tmp_path / "first", CONFIG.model_copy(update={"n": 2, "passes": 1}), config)
        path = tmp_path / "failures.jsonl"
        assert save_failures(path, runs) == 2
        kept = load_failure(f"{path}#2")
        assert kept == runs[1]
        (tmp_path / "second").mkdir()
        harness = Harness(shop, tmp_path / "second", config, now=lambda: TOY_NOW)
        again = harness.replay(kept)
        harness.close()
    assert (again.faults, again.ungrounded) == (kept.faults, kept.ungrounded)
    assert again.turns[0]["mind"] == "llm"
    assert [turn["said"] for turn in again.turns] == [turn["said"] for turn in kept.turns]


def test_a_reference_to_no_failure_says_what_would_be_one(tmp_path: Path) -> None:
    path = tmp_path / "failures.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    with pytest.raises(NotFoundError, match=r"FILE#n"):
        load_failure("failures.jsonl")
    with pytest.raises(NotFoundError, match=r"FILE#n"):
        load_failure(f"{path}#²")
    with pytest.raises(NotFoundError, match=r"holds 1 failures"):
        load_failure(f"{path}#2")
    with pytest.raises(DataError, match=r"no played task: task: Field required"):
        load_failure(f"{path}#1")
    path.write_text('{"\u2028": 1}\n{}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"#2.* is no played task"):
        load_failure(f"{path}#2")
    path.write_bytes(b"\xff\n")
    with pytest.raises(DataError, match=r"cannot be read"):
        load_failure(f"{path}#1")


def test_the_report_counts_by_category_and_its_costs(shop: Shop, tmp_path: Path) -> None:
    runs = played(shop, tmp_path / "events")
    figures = report(runs, CONFIG, {"shop": "toy"})
    assert figures["all"]["tasks"] == 12 and figures["categories"]["find"]["passes"] == 4
    won = sum(each.success for each in runs)
    assert figures["all"]["pass"]["1"] == pytest.approx(won / 24)
    assert figures["all"]["pass"]["2"] <= figures["all"]["pass"]["1"]
    assert figures["all"]["calls_per_success"] == pytest.approx(sum(each.calls for each in runs) / won, abs=1e-4)
    assert figures["all"]["answered_by"] == {"planner": 1.0}
    assert "pass^2" in report_text(figures) and "feedback" in report_text(figures)
