"""Commands that talk: `chat` in the terminal and `serve` on the wire."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("chat")(chat)
    app.command("serve")(serve)


def chat(
    message: Annotated[list[str] | None, typer.Argument(help="Say this and leave; without it, converse.")] = None,
    store: Store = None,
    set_: Set = None,
    user: Annotated[str | None, typer.Option("--user", help="Shopper id, for an answer from their history.")] = None,
    top_n: Annotated[
        int, typer.Option("--top-n", min=1, help="Most items in one answer; agent.max_top_n bounds it.")
    ] = 5,
    why: Annotated[bool, typer.Option("--why", help="Print what backs each reason.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print each answer as one JSON object.")] = False,
) -> None:
    """Talk with the shop: ask, then refine.

    "a blue vase under 60", then "cheaper", "in green", "more like the second", "not glass".
    """
    import asyncio

    from vitrine.cli.terminal import converse
    from vitrine.wiring import make_agent, open_shop

    settings = load(store, set_)
    shop = open_shop(settings)
    agent = make_agent(settings, shop)
    asyncio.run(converse(agent, shop.name, messages=message, user_id=user, top_n=top_n, as_json=as_json, why=why))


def serve(
    store: Store = None,
    set_: Set = None,
    host: Annotated[str | None, typer.Option(help="Address; anything but loopback needs VITRINE_API_KEYS.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that answer there; the setting api.workers.")
    ] = None,
) -> None:
    """Open the shop on the wire: page, chat, REST, OpenAI-compatible.

    At http://127.0.0.1:8000 unless told otherwise; Ctrl-C closes it, after running answers have ended.
    """
    from vitrine.serving import serve as serve_shop

    serve_shop(load(store, set_), host, port, workers)
