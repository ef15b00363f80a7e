"""`vitrine eval agent`: whether the agent does what shoppers ask of it, judged without a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(group: typer.Typer) -> None:
    """Add the command below `vitrine eval`."""
    group.command("agent")(agent)


def agent(
    store: Store = None,
    set_: Set = None,
    n: Annotated[int, typer.Option("--tasks", min=1, max=10_000, help="Tasks, dealt over the categories.")] = 60,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Of the tasks; the same seed, the same tasks.")] = 0,
    passes: Annotated[
        int, typer.Option(min=1, max=16, help="Times each task is played, in other words, order and typos.")
    ] = 1,
    typos: Annotated[float, typer.Option(min=0, max=1, help="Share of messages with one typing mistake.")] = 0.2,
    top_n: Annotated[int, typer.Option("--top-n", min=2, max=50, help="Most items in one answer.")] = 10,
    mind: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="settings (the LLM that agent.llm names, else the planner), planner, or a scripted model such as "
            "obedient or lying.",
        ),
    ] = "settings",
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where the files go; the store's reports/agent/ otherwise.")
    ] = None,
    replay: Annotated[
        str | None, typer.Option(metavar="FILE#N", help="Play failure N of a failures.jsonl again and show it.")
    ] = None,
) -> None:
    """Give the agent tasks and judge what it showed and wrote.

    Tasks are drawn from the shop's own records (and a generated shop's hidden tastes): find, refine, compare,
    abstain, policy and feedback. A scripted shopper reveals its wishes step by step and changes its mind. Success is
    the end state, with nothing invented on the way; pass^k is the chance that k passes all succeed. The shop's own
    events stay untouched. Writes tasks.json and failures.jsonl.
    """
    from eval.agent.report import played_text, report_text
    from eval.agent.tasks import TaskConfig
    from vitrine.agent_tasks import judge_agent, replay_task
    from vitrine.cli.bar import progress

    settings = load(store, set_)
    if replay is not None:
        say(played_text(replay_task(settings, replay, mind=mind)))
        return
    config = TaskConfig(n=n, seed=seed, passes=passes, typos=typos, top_n=top_n)
    made = judge_agent(settings, config, mind=mind, folder=out, progress=progress())
    say(report_text(made.figures))
    say(f"Wrote {made.files[0]} and {made.files[1]} ({made.failures} failed passes; --replay {made.files[1]}#1).")
