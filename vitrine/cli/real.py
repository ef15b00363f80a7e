"""`vitrine real`: real data and real models, one command from nothing to a served shop."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, overrides
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("real")(real)


def real(
    data: Annotated[
        str, typer.Argument(help="A category of Amazon Reviews 2023 (All_Beauty), or a folder with a data set.")
    ],
    captioner: Annotated[
        str, typer.Option(help="Hub id, folder, address of a running server (http://host:8000/v1), or pixels.")
    ] = "pixels",
    embedder: Annotated[str, typer.Option(help="The same for text vectors, or minilm.")] = "minilm",
    llm: Annotated[str, typer.Option(help="The same for the agent's mind, or planner.")] = "planner",
    yes: Annotated[
        bool, typer.Option("--yes", help="Go: the plan and the terms it names are accepted. Without it: the plan.")
    ] = False,
    mirror: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="A mirror of the data in place of its publisher.")
    ] = None,
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Keep the shop open at the end.")] = True,
    store: Store = None,
    set_: Set = None,
) -> None:
    """Fetch, filter, caption, embed, train, evaluate and serve, with models of your choice behind vLLM.

    Says first what it takes: disk, hours, tokens. Each step is done once: after a stop, a crash or a kill the
    same command goes on.
    """
    from vitrine.cli.bar import progress
    from vitrine.logs import configure_logs
    from vitrine.real.models import loadable
    from vitrine.real.plan import Wish, make_plan
    from vitrine.real.plan_text import plan_text
    from vitrine.real.road import Road
    from vitrine.settings import load_settings

    given = overrides(store, set_)
    settings = load_settings(loadable(given))
    configure_logs(settings.log_level)
    wish = Wish(data, captioner, embedder, llm, mirror)
    for line in plan_text(make_plan(wish, settings), settings.real):
        say(line)
    if not yes:
        say("This is the plan; nothing was brought. --yes (make real: CONFIRM=1) accepts it, its terms included.")
        return
    Road(wish, given, settings, progress(), say).walk(serve=serve)
