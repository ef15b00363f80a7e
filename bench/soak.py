"""Shake a served shop for a while, and hold every answer and every acknowledgement against what was promised.

    python -m bench.soak --seconds 900

Two workers of `vitrine serve`, events in a PostgreSQL of its own, an LLM stub. Shoppers ask, search, talk and act, a
merchant writes and deletes items; meanwhile the LLM dies, hangs and talks rubbish, PostgreSQL is stopped and killed,
workers are killed, one and all, and stopped, indexes and models are swapped. It ends with status 1 where an
acknowledged event is lost or kept twice, a deleted or ungrounded item is shown, a refusal is explained by nothing that
was done, an error is logged that is explained by nothing, or latency or a record is not as it should be in time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from bench.soak_clients import Crowd
from bench.soak_faults import JOBS, LLM, SERVICE, UNDONE, Chaos, Fault, Name, explained, schedule
from bench.soak_ledger import STALE, Judgement, Ledger, store_faults
from bench.soak_report import Report, measure
from bench.soak_shop import ServedShop, build, catalogue, soak_settings
from bench.soak_stub import Stub
from catalog.event_cluster import PrivatePostgres
from catalog.events import EventConfig, open_event_store
from catalog.workspace import Workspace
from vitrine.shelf import Shelf

EXPECTED_ERRORS = (
    "worker died", "no worker is left", "worker could not open the shop", "the shop cannot be opened: event store",
)  # fmt: skip
"""What the log may call an error: it is what was done."""


@dataclass(frozen=True)
class Plan:
    """How long, how hard.

    Attributes:
        seconds: Of the soak.
        seed: Of everything that is drawn.
        quiet: Seconds at the beginning in which nothing is done, from which normal latency is known.
        gap: Seconds from the end of one fault to the next of its kind (of the LLM, of the service).
        tail: Seconds at the end in which nothing new is done.
        pause: Seconds between two requests of one client, on average.
    """

    seconds: float
    seed: int
    quiet: float
    gap: float
    tail: float
    pause: float

    @classmethod
    def of(cls, seconds: float, seed: int, pause: float) -> Plan:
        """Return the plan of a soak of a given length."""
        gap, tail = (5.0, 8.0) if seconds < 100 else (14.0, 13.0)
        return cls(seconds, seed, min(60.0, seconds / 7), gap, tail, pause)


async def shaken(chaos: Chaos, names: tuple[Name, ...], plan: Plan, start: float, faults: list[Fault]) -> None:
    """Do one thing after the other until the tail."""
    order = schedule(names, random.Random(f"{plan.seed} {names}"))
    await asyncio.sleep(max(0.0, start + plan.quiet - time.monotonic()))
    while time.monotonic() < start + plan.seconds - plan.tail:
        faults.append(await asyncio.to_thread(chaos.do, next(order)))
        await asyncio.sleep(plan.gap)


async def weighed(shop: ServedShop, report: Report, seconds: float) -> None:
    """Note the memory of the service about every half minute."""
    start = time.monotonic()
    while (now := time.monotonic() - start) < seconds:
        report.memory[str(round(now))] = await asyncio.to_thread(shop.memory)
        await asyncio.sleep(min(30.0, seconds / 4))


async def played(crowd: Crowd, chaos: Chaos, plan: Plan, report: Report) -> tuple[float, list[Fault]]:
    """Run crowd and chaos side by side; return when it began, and what was done."""
    faults: list[Fault] = []
    start = time.monotonic()
    jobs = JOBS if len(chaos.models) > 1 else JOBS[:1]
    shaking = [asyncio.create_task(shaken(chaos, names, plan, start, faults)) for names in (LLM, SERVICE, jobs)]
    shaking.append(asyncio.create_task(weighed(chaos.shop, report, plan.seconds)))
    await crowd.run(plan.seconds)
    await asyncio.gather(*shaking)
    return start, sorted(faults, key=lambda fault: fault.began)


def soak(store: Path, plan: Plan, folder: Path) -> Report:
    """Serve a shop, shake it, and judge.

    Args:
        store: The shop; it is written to.
        plan: How.
        folder: Where the server's log goes.
    """
    report, ledger = Report(plan.seconds, plan.seed), Ledger.of(catalogue(store))
    rng = random.Random(plan.seed)
    settings = soak_settings(store)
    versions = tuple(str(each) for each in Shelf(Workspace(store)).versions(settings.models.serve))
    with ExitStack() as stack:
        postgres = stack.enter_context(PrivatePostgres())
        stub = Stub()
        stack.callback(stub.kill)
        llm = {"base_url": stub.base_url, "model": "scripted", "timeout_seconds": 3, "breaker_seconds": 5}
        url = postgres.new_database()
        environment = {"VITRINE_EVENTS__URL": url, "OMP_NUM_THREADS": "1"}
        shop = ServedShop(store, [f"agent.llm={json.dumps(llm)}"], environment, folder / "serve.log")
        stack.enter_context(shop)
        crowd = Crowd(shop.address, ledger, rng, plan.pause)
        chaos = Chaos(shop, store, postgres, stub, random.Random(plan.seed + 1), versions)
        start, faults = asyncio.run(played(crowd, chaos, plan, report))
        events = open_event_store(EventConfig(url=SecretStr(url)), "unused")
        kept, last = [], 0
        while page := events.since(last):
            last = page[-1][0]
            kept += [(event.event_id, event.item_id, event.kind) for _, event in page]
        events.close()
        errors = shop.errors()
        report.breaches += ["the server ended by itself"] if shop.ended else []
    absences = [fault.away - fault.began for fault in faults if fault.away is not None]
    report.away = {"times": len(absences), "longest_seconds": max(absences, default=0.0)}
    measure(report, crowd.samples, faults, start, plan.quiet)
    report.late += [
        f"job {UNDONE}: {each.name} at {each.began - start:.0f} s" for each in faults if each.detail == UNDONE
    ]
    ledger.trouble = [(fault.began, fault.away or fault.ended) for fault in faults if fault.name not in LLM]
    reasons = [(sample, explained(sample, faults, ledger)) for sample in crowd.samples if sample.status != 200]
    report.refused = dict(Counter(why for _, why in reasons if why))
    report.breaches += [
        f"unexplained {each.status} of {each.kind}: at {each.began - start:.1f} s, {each.detail}"
        for each, why in reasons
        if not why
    ]
    report.breaches += ledger.faults + store_faults(ledger, kept)
    judgement = Judgement(ledger)
    longest = sorted(crowd.samples, key=lambda each: each.began - each.ended)[:30]
    report.longest = [f"{e.ended - e.began:.2f} s {e.kind} {e.status} at {e.began - start:.1f} s" for e in longest]
    for told in crowd.told:
        for fault in judgement.faults(told):
            found = report.late if fault.startswith(STALE) else report.breaches
            found.append(f"{fault}; {told.kind} at {told.began - start:.1f} s")
    report.breaches += [f"error logged: {line}" for line in errors if not any(e in line for e in EXPECTED_ERRORS)]
    report.counts = {
        "events acknowledged": len(ledger.acked), "events in the store": len(kept), "answers judged": len(crowd.told),
        "items shown": sum(len(told.answer["recommendations"]) for told in crowd.told),
        "item writes": sum(len(writes) - 1 for writes in ledger.items.values()),
        "deletions": sum(write.item is None for writes in ledger.items.values() for write in writes),
    }  # fmt: skip
    return report


def main() -> None:
    """Soak, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--items", type=int, default=150)
    parser.add_argument("--pause", type=float, default=0.25, help="seconds between two requests of one client")
    parser.add_argument("--store", type=Path, help="a shop that is there already; a copy of it is shaken")
    parser.add_argument("--plain", action="store_true", help="no captions and no trained model: quicker to make")
    parser.add_argument("--report", type=Path, help="folder for report.json and the server's log")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vitrine-soak-") as made:
        folder = given.report or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        store = Path(made) / "store"
        if given.store:
            shutil.copytree(given.store, store)
        boutique = {"n_items": given.items, "n_users": 200, "n_events": 4000, "video_share": 0}
        build(soak_settings(store, boutique=boutique), captions=not given.plain, models=0 if given.plain else 2)
        report = soak(store, Plan.of(given.seconds, given.seed, given.pause), folder)
        (folder / "report.json").write_text(json.dumps(report.wire(), indent=1))
    print(report.text())
    sys.exit(bool(report.breaches or report.late))


if __name__ == "__main__":
    main()
