"""Every kind of mind over real HTTP, judged: with the gate nothing is invented; without it the judge finds it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from agent.base import ChatRequest
from agent.config import AgentConfig, LLMConfig
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from agent.scripted_server import ScriptedServer
from eval.grounding import Finding, Judge
from tools.doubles import TOY_NOW, toy_shop
from tools.registry import Registry
from tools.shop import Shop

WISHES = (
    "a blue vase under 60 euros",
    "something for a picnic",
    "cheaper ones",
    "what would you recommend?",
    "compare the first two",
    "what is the most expensive lamp you have?",
)
PERSONAS = ("obedient", "rambling", "lying", "looping", "broken_json")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    opened = toy_shop(tmp_path_factory.mktemp("shop"))
    yield opened
    opened.events.close()


def conversation(shop: Shop, gate: str, base_url: str | None) -> tuple[list[dict[str, Any]], list[Finding]]:
    """Hold one conversation and return its answers with everything the judge finds in them."""
    llm = LLMConfig(base_url=base_url, model="scripted", timeout_seconds=10) if base_url else None
    config = AgentConfig.model_validate({"llm": llm, "gate": gate})
    agent = Agent(shop, Registry(shop), Minds(ShopPlanner(shop.catalog), llm), config, now=lambda: TOY_NOW)
    judge, answers, findings, said = Judge(shop.catalog), [], [], ""

    async def talk() -> None:
        nonlocal said
        session = None
        for wish in WISHES:
            said += f" {wish}"
            answer = await agent.answer(ChatRequest(wish, session_id=session))
            session = answer.session_id
            answers.append(asdict(answer))
            findings.extend(judge.judge(answers[-1], said=said))

    asyncio.run(talk())
    return answers, findings


@pytest.mark.parametrize("persona", PERSONAS)
def test_with_the_gate_no_mind_gets_an_invention_past(shop: Shop, persona: Any) -> None:
    with ScriptedServer(persona) as server:
        answers, findings = conversation(shop, "on", server.base_url)
        assert server.requests, "the model was never asked"
    assert findings == []
    assert any(answer["recommendations"] for answer in answers)


def test_without_the_gate_the_judge_finds_the_lies(shop: Shop) -> None:
    with ScriptedServer("lying") as server:
        _, findings = conversation(shop, "off", server.base_url)
    assert {"invented price", "invented name"} <= {finding.fault for finding in findings}


def test_the_planner_invents_nothing(shop: Shop) -> None:
    answers, findings = conversation(shop, "on", None)
    assert findings == []
    assert sum(bool(answer["recommendations"]) for answer in answers) >= 4


def test_an_unreachable_model_is_disclosed_and_the_planner_answers(shop: Shop, tmp_path: Path) -> None:
    with ScriptedServer("obedient") as server:
        gone = server.base_url
    answers, findings = conversation(shop, "on", gone)
    assert findings == []
    assert answers[0]["recommendations"] and answers[0]["disclosures"]
