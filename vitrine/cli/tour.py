"""The product's whole life, told once: from an empty folder to a shop that explains what it recommends."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import polars as pl

from catalog.log import positives
from catalog.progress import Progress
from catalog.shop_data import load_shop
from catalog.workspace import Workspace
from eval.config import EvalConfig
from eval.report_text import report_text
from vitrine import jobs
from vitrine.cli.output import say
from vitrine.cli.terminal import converse
from vitrine.evaluation import evaluate_store
from vitrine.settings import Settings
from vitrine.wiring import make_agent, open_shop

CONVERSATIONS = (
    ("a stranger with a budget", None, ("a blue vase under 60 euros", "cheaper ones", "more like the second")),
    ("a regular with a history", "regular", ("what would you recommend for me?", "not leather please")),
    ("somebody who wants facts", None, ("what is the most expensive lamp you have?", "how many mugs under 20 euros?")),
)
"""Title, who speaks (`regular`: the shopper with the most purchases), and what is said."""


def tour(settings: Settings, seed: int | None, progress: Progress) -> None:
    """Run every stage on the boutique, printing what each did; stages that are current are skipped."""
    began = time.monotonic()
    _stage(
        "generate",
        "a shop with pictures, videos, shoppers and events",
        lambda: [jobs.generate_boutique(settings, seed, progress)],
    )
    _stage("caption", "words read from the pixels alone", lambda: [jobs.caption_store(settings, progress)])
    _stage("embed", "words to vectors", lambda: jobs.embed_store(settings, progress))
    _stage("index", "vectors and words to candidates", lambda: jobs.index_store(settings, progress))
    _stage("train", "LIRDRec and the re-ranker, on everything", lambda: jobs.train_store(settings, None, progress))
    _stage("evaluate", "every model fitted afresh on the protocol's own train rows", lambda: _table(settings, progress))
    _talk(settings)
    say(f"\nDone in {time.monotonic() - began:.0f} s. The store is {Workspace(settings.store).root}.")


def next_steps(settings: Settings) -> str:
    """Return the commands that go on from here, as they can be typed in this shell."""
    program = "vitrine"
    if shutil.which(program) is None:
        called = Path(sys.argv[0])
        program = shlex.quote(str(called.relative_to(Path.cwd()) if called.is_relative_to(Path.cwd()) else called))
    store = f"--store {shlex.quote(str(settings.store))}"
    steps = (
        (f"{program} serve {store}", f"then open http://{settings.api.host}:{settings.api.port}"),
        (f"{program} chat {store}", "talk with it in the terminal"),
        (f"{program} doctor {store}", "what the store holds, and who does which job"),
        (f"{program} import table --help", "bring your own products"),
    )
    width = max(len(command) for command, _ in steps)
    return "\n".join(("\nNext:", *(f"  {command:{width}}  {what}" for command, what in steps)))


def _stage(name: str, what: str, work: Callable[[], Iterable[str]]) -> None:
    say(f"\n== {name}: {what}")
    for line in work():
        say(line)


def _table(settings: Settings, progress: Progress) -> list[str]:
    config = EvalConfig(
        metrics=("ndcg@20", "recall@20", "hit@10", "coverage@10"),
        overrides=settings.models.overrides,
        shuffle=("picture",),
    )
    return [report_text(evaluate_store(settings, config, protocols=("mmrec",), progress=progress).report)]


def _talk(settings: Settings) -> None:
    shop = open_shop(settings)
    agent = make_agent(settings, shop)
    for title, who, messages in CONVERSATIONS:
        say(f"\n== conversation: {title}")
        user = _regular(settings) if who else None
        asyncio.run(converse(agent, shop.name, messages=messages, user_id=user, top_n=3))
    shop.events.close()


def _regular(settings: Settings) -> str:
    taken = positives(load_shop(Workspace(settings.store)).log, settings.positives)
    counted = taken.group_by("user_id").len().sort(["len", "user_id"], descending=[True, False])
    return str(counted.select(pl.first("user_id")).item())
