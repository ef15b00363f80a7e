"""What a turn of the agent costs on a large catalogue: by the planner, and around an LLM's own time.

    python -m bench.agent_turn [--items 100000] [--conversations 40] [--think 0.05] [--pace 0.002] [--store FOLDER]

A generated shop (plumbing): records with the words people ask by, two vector spaces searched by MiniLM's vector of the
wish, keyword index, a served ALS model, LightGBM over five retrievers, events and traces in SQLite. Conversations of
three turns (a wish, then two that lean on it), every one by another shopper; each conversation begins with a wish that
was not heard before.

The LLM is a scripted server over real HTTP in a process of its own, which thinks for a set time before every answer,
writes at a set pace and counts what it took: one call that asks for a tool, one that answers. What a turn took beyond
that is ours: `overhead` with the tools' own time in it, and without.

Milliseconds by the clock, p50 and p90 over turns, and since others use the machine too, by the processor time that this
process spent on a turn (cpu p50). `first token` is the first that depends on a tool's result. The first wish after
warming up stands apart: it fills what is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from agent.base import ChatRequest, Done, Status, Token
from agent.config import AgentConfig, LLMConfig
from agent.loop import Agent
from agent.minds import Minds, ShopPlanner
from agent.scripted_server import MODEL, ScriptedServer
from bench.agent_shop import COLOURS, DEPARTMENTS, MATERIALS, PATTERNS, opened_agent_shop
from bench.pipeline_shop import NOW
from catalog.errors import ConfigError
from tools.registry import Registry
from tools.shop import Shop

OPENINGS = (
    "a {colour} {material} {kind} under {price}",
    "I am looking for a {pattern} {kind}, preferably {colour}, for my mother's birthday",
    "do you have {colour} {kind}s between {low} and {price} euros?",
    "a {material} {kind} that is not {colour}",
    "a nise {material} {kind} in {typo}",
    "what is the cheapest {colour} {kind}?",
    "something for me, please",
)
FOLLOWING = (
    "cheaper",
    "in {colour}",
    "more like the second",
    "rather not {material}",
    "compare the first two",
    "tell me more about the first one",
    "how many {kind}s do you have in {colour}?",
)
TYPOS = {"blue": "bleu", "white": "wihte", "green": "grene", "yellow": "yelow", "purple": "purpel"}


@dataclass(frozen=True)
class Measured:
    """One turn: milliseconds by stage, calls and tokens; `first` is None where no tool was asked or nothing said."""

    cpu: float
    message: str
    stages: dict[str, float]
    first: float | None
    whole: float
    calls: int
    asked: int
    tokens: int
    outcome: str


def messages(count: int, rng: np.random.Generator) -> list[tuple[str, ...]]:
    """Return conversations of three messages."""
    made = []
    for number in range(count):
        place = list(DEPARTMENTS)[int(rng.integers(len(DEPARTMENTS)))]
        colour = str(rng.choice(COLOURS))
        words = {
            "kind": rng.choice(DEPARTMENTS[place].split()), "material": rng.choice(MATERIALS[place].split()),
            "colour": colour, "pattern": rng.choice(PATTERNS), "price": int(rng.integers(30, 90)),
            "low": int(rng.integers(5, 25)), "typo": TYPOS.get(colour, "bleu"),
        }  # fmt: skip
        later = rng.permutation(len(FOLLOWING))[:2]
        said = (OPENINGS[number % len(OPENINGS)], *(FOLLOWING[each] for each in later))
        made.append(tuple(text.format(**{**words, "colour": rng.choice(COLOURS)} if n else words)
                          for n, text in enumerate(said)))  # fmt: skip
    return made


async def turn(agent: Agent, message: str, session: str, user: str) -> Measured:
    """Hold one turn and account for its time."""
    began, spent = time.perf_counter(), time.process_time()
    asked = first = said = None
    answer = None
    async for event in agent.turn(ChatRequest(message, session, user)):
        now = 1000 * (time.perf_counter() - began)
        if isinstance(event, Status):
            asked = asked or now
        elif isinstance(event, Token):
            said = now
            first = first or (now if asked else None)
        elif isinstance(event, Done):
            answer = event.answer
    whole, cpu = 1000 * (time.perf_counter() - began), 1000 * (time.process_time() - spent)
    assert answer is not None
    trace = agent.shop.events.trace(answer.trace_id)
    tools = sum(run["milliseconds"] for run in trace["tools"])
    asked, said = asked or 0.0, said or whole
    stages = {
        "heard, understood": asked,
        "tools": tools,
        "between them": (first or said) - asked - tools,
        "said, checked": said - (first or said),
        "explained, kept": whole - said,
    }
    minds = trace["minds"]
    return Measured(
        cpu, message, stages, first, whole, len(trace["tools"]), sum(mind["rounds"] for mind in minds),
        sum(mind["tokens"] for mind in minds), answer.outcome,
    )  # fmt: skip


async def held(agent: Agent, conversations: list[tuple[str, ...]], name: str) -> list[Measured]:
    """Hold every conversation and return its turns."""
    return [
        await turn(agent, message, f"{name}{number}", f"u{number}")
        for number, conversation in enumerate(conversations)
        for message in conversation
    ]


def opened_agent(shop: Shop, llm: LLMConfig | None = None) -> Agent:
    """Return the agent of a shop, with or without an LLM."""
    minds = Minds(ShopPlanner(shop.catalog, shop.embedder, shop.captions), llm)
    return Agent(shop, Registry(shop), minds, AgentConfig(llm=llm), now=lambda: NOW)


def _serve(pipe: Connection, think: float, pace: float) -> None:
    with ScriptedServer("obedient", think=think, pause=pace) as server:
        pipe.send(server.base_url)
        while pipe.recv() is not None:
            took, server.took = server.took, []
            pipe.send(took)


@contextmanager
def served(think: float, pace: float) -> Iterator[tuple[str, Connection]]:
    """Serve the scripted model from another process; give its address, and who tells what its answers took."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, think, pace), daemon=True)
    process.start()
    try:
        yield ours.recv(), ours
        ours.send(None)
    finally:
        process.join(5)
        process.terminate()


async def around(
    agent: Agent, conversations: list[tuple[str, ...]], pipe: Connection
) -> list[tuple[Measured, list[float]]]:
    """Return the turns with the milliseconds that the LLM took for each of its answers."""
    found = []
    for number, conversation in enumerate(conversations):
        for message in conversation:
            measured = await turn(agent, message, f"llm{number}", f"u{number}")
            pipe.send("took")
            found.append((measured, [1000 * took for took in pipe.recv()]))
    return found


def row(values: list[float]) -> str:
    """Return p50 and p90 as cells."""
    return f"{np.median(values):.1f} | {np.percentile(values, 90):.1f}"


def told(turns: list[Measured], llm: list[tuple[Measured, list[float]]]) -> str:
    """Return both tables."""
    first = [each.first for each in turns if each.first is not None]
    lines = ["| planner | p50 ms | p90 ms | cpu p50 ms |", "|---|---|---|---|"]
    lines += [f"| {name} | {row([each.stages[name] for each in turns])} | |" for name in turns[0].stages]
    lines += [f"| **first token** after a tool's result | {row(first)} | |"]
    lines += [f"| **whole answer** | {row([each.whole for each in turns])} | {cpu(turns)} |", ""]
    calls = Counter(each.calls for each in turns)
    lines += [
        f"Tool calls a turn: {', '.join(f'{n} in {count} turns' for n, count in sorted(calls.items()))}; outcomes: "
        f"{', '.join(f'{name} {count}' for name, count in Counter(each.outcome for each in turns).most_common())}.",
        "",
    ]
    ours = [each.whole - sum(took) for each, took in llm]
    bare = [each.whole - sum(took) - each.stages["tools"] for each, took in llm]
    lines += ["| around the LLM | p50 ms | p90 ms | cpu p50 ms |", "|---|---|---|---|"]
    lines += [f"| the LLM's own time | {row([sum(took) for _, took in llm])} | |"]
    lines += [f"| tools | {row([each.stages['tools'] for each, _ in llm])} | |"]
    lines += [f"| **overhead** without the tools | {row(bare)} | |"]
    lines += [f"| overhead with them | {row(ours)} | {cpu([each for each, _ in llm])} |", ""]
    asked = [len(took) for _, took in llm]
    tokens = [each.tokens for each, _ in llm]
    lines += [
        f"LLM calls a turn: {np.median(asked):.0f} at the median, {max(asked)} at most; tokens a turn: "
        f"{np.median(tokens):,.0f} at the median, {max(tokens):,} at most."
    ]
    return "\n".join(lines)


def cpu(turns: list[Measured]) -> str:
    """Return the processor time of a turn at the median."""
    return f"{np.median([each.cpu for each in turns]):.1f}"


def main() -> None:
    """Build, converse, and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--conversations", type=int, default=40, help="up to 190, of three turns")
    parser.add_argument("--think", type=float, default=0.05, help="seconds the scripted LLM thinks before it answers")
    parser.add_argument("--pace", type=float, default=0.002, help="seconds between two pieces of what it writes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", type=Path, help="where the generated shop is kept; a temporary folder by default")
    given = parser.parse_args()
    if not 1 <= given.conversations <= 190:
        raise ConfigError(f"--conversations {given.conversations!r}; 1 to 190 would be valid")
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.store or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        shop = opened_agent_shop(given.items, given.seed, folder)
        print(asyncio.run(measured(shop, given)))
        shop.events.close()


async def measured(shop: Shop, given: Any) -> str:
    """Return what a shop's agent costs, as text."""
    conversations = messages(given.conversations, np.random.default_rng(given.seed + 1))
    agent = opened_agent(shop)
    began = time.perf_counter()
    await agent.warm()
    warmed = time.perf_counter() - began
    cold = await turn(agent, "a green glass lamp under 70", "cold", "u199")
    turns = await held(agent, conversations, "planner")
    with served(given.think, given.pace) as (base_url, pipe):
        agent = opened_agent(shop, LLMConfig(base_url=base_url, model=MODEL))
        await agent.warm()
        await turn(agent, "a green glass lamp under 70", "cold", "u199")
        pipe.send("took")
        pipe.recv()
        llm = await around(agent, conversations, pipe)
    head = (
        f"{len(shop.catalog):,} items, {len(turns)} turns of {len(conversations)} conversations (generated shop, "
        f"plumbing). Warming up took {warmed:.1f} s, the very first wish after it {cold.whole:.0f} ms.\n\n"
    )
    return head + told(turns, llm)


if __name__ == "__main__":
    main()
