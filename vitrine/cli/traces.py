"""`vitrine traces`: how an answer came about, taken to a file and held again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say

Tenant = Annotated[str, typer.Option("--tenant", help="Whose; `open` is a service without keys.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    group = typer.Typer(
        help="Take the traces of a conversation to a file; hold it again.", no_args_is_help=True, rich_markup_mode=None
    )
    group.command("export")(export)
    group.command("replay")(replay)
    app.add_typer(group, name="traces")


def export(
    trace_id: Annotated[str, typer.Argument(help="The answer's `trace_id`.")],
    file: Annotated[Path, typer.Argument(help="A file yet to be made, one trace a line.")],
    store: Store = None,
    set_: Set = None,
    tenant: Tenant = "open",
) -> None:
    """Write the conversation that led to an answer, as its traces: what was said, looked up, checked and answered."""
    from agent.replay import conversation_of, write_traces
    from catalog.errors import ConfigError
    from catalog.tenancy import acting_for
    from vitrine.cli.events import opened_events

    if file.exists():
        raise ConfigError(f"{str(file)!r} exists; a file yet to be made would be valid")
    with opened_events(load(store, set_)) as events, acting_for(tenant):
        traces = conversation_of(events, trace_id)
    write_traces(file, traces)
    say(f"{file}: {len(traces)} {'turn' if len(traces) == 1 else 'turns'}; vitrine traces replay {file} holds it again")


def replay(
    file: Annotated[Path, typer.Argument(help="What `vitrine traces export` wrote.")],
    store: Store = None,
    set_: Set = None,
    tenant: Tenant = "open",
) -> None:
    """Hold a conversation again and print what comes out otherwise than its traces say; exits 1 when anything does.

    The planner thinks afresh, an LLM's answers are read from the file. Nothing is written to the store.
    """
    import asyncio

    from agent.replay import read_traces
    from agent.replay import replay as held_again
    from catalog.tenancy import acting_for
    from vitrine.wiring import make_agent, open_shop

    traces = read_traces(file)
    settings = load(store, set_)
    shop = open_shop(settings)
    try:
        with acting_for(tenant):
            differences = asyncio.run(held_again(make_agent(settings, shop), traces))
    finally:
        shop.events.close()
    for each in differences:
        say(str(each))
    turns = f"{len(traces)} {'turn' if len(traces) == 1 else 'turns'}"
    if differences:
        say(f"{turns}, {len(differences)} {'difference' if len(differences) == 1 else 'differences'}")
        raise typer.Exit(1)
    say(f"{turns}: the same tool results, the same answers")
