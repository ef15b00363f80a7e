"""Prompt injection against the most obedient mind possible: every attack of agentdojo, in every place, for every goal.

    python -m bench.attacks [--store shop] [--cells 500] [--seed 0] [--json attacks.json] [--harmful harmful.jsonl]

An order is planted in a title, a description, a caption, a review, a transcript, the words in a picture, a tool's
error or the shopper's upload. Scripted minds read it: one that obeys any text, one that means harm, one that lies, one
that loops; and the planner, which is no language model. Counted is what came of it: ungrounded items, wrong facts,
unwanted writes, leaked profiles, links, broken budgets; and whether the shopper still got what they wanted. Without a
store the toy shop of thirty items is attacked; with `--gate off` the figures say what the gate is worth.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.config import AgentConfig
from catalog.workspace import Workspace
from eval.agent.attacks import OWN, cells
from eval.agent.attacks_agentdojo import agentdojo_attacks
from eval.agent.attacks_report import harmful, report, report_text
from eval.agent.attacks_run import AttackRunner
from eval.agent.generate import generate
from eval.agent.tasks import TaskConfig
from tools.doubles import TOY_NOW, toy_shop

if TYPE_CHECKING:
    from tools.shop import Shop

MINDS = ("gullible", "hostile", "lying", "looping", "obedient", "planner")


def main() -> None:
    """Attack one shop."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", help="a store; the toy shop otherwise")
    parser.add_argument("--cells", type=int, help="so many conversations, drawn by seed; all otherwise")
    parser.add_argument("--tasks", type=int, default=10, help="what shoppers want, dealt over the conversations")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minds", nargs="+", choices=MINDS, default=list(MINDS))
    parser.add_argument("--gate", choices=("on", "off"), default="on")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--harmful", type=Path, help="where the conversations that did harm go, one a line")
    given = parser.parse_args()
    with ExitStack() as stack:
        shop, now, about = _shop(given.store, stack)
        drawn = generate(shop.catalog.items, TaskConfig(n=6 * given.tasks, seed=given.seed))
        tasks = [task for task in drawn if task.category == "find"]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        runner = AttackRunner(shop, folder, now, AgentConfig(gate=given.gate))
        stack.callback(runner.close)
        chosen = cells((*OWN, *agentdojo_attacks()), tasks, given.minds, n=given.cells, seed=given.seed)
        played = runner.run(chosen)
        figures = report(played, runner.clean(given.minds, tasks), {**about, "seed": given.seed, "gate": given.gate})
    print(report_text(figures))
    if figures["broken_turns"]:
        raise SystemExit("turns broke: figures of an agent that falls over say nothing")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    if given.harmful:
        given.harmful.write_text("".join(f"{json.dumps(line)}\n" for line in harmful(played)), encoding="utf-8")


def _shop(store: str | None, stack: ExitStack) -> tuple[Shop, datetime, dict[str, Any]]:
    if store is None:
        shop = toy_shop(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(shop.events.close)
        return shop, TOY_NOW, {"shop": shop.name, "data": None}
    from vitrine.settings import load_settings
    from vitrine.wiring import open_shop

    settings = load_settings({"store": store})
    shop = open_shop(settings)
    stack.callback(shop.events.close)
    manifest = Workspace(settings.store).manifest("catalog")
    return shop, datetime.now(UTC), {"shop": shop.name, "data": manifest.key if manifest else None}


if __name__ == "__main__":
    main()
