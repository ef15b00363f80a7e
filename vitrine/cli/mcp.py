"""The command that lends the shop to an MCP client: `mcp`."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("mcp")(mcp)


def mcp(
    store: Store = None,
    set_: Set = None,
    user: Annotated[str | None, typer.Option("--user", help="Shopper id everything is done for; else a guest.")] = None,
    session: Annotated[str | None, typer.Option("--session", help="Visit to go on with; a new one otherwise.")] = None,
) -> None:
    """Give the shop's tools to a desktop MCP client, over standard input and output.

    The client starts this command itself (docs/tools.md says how); `vitrine serve` gives the same at /mcp.
    """
    import uuid

    from api.mcp_routes import serve_stdio
    from vitrine.wiring import make_service

    service = make_service(load(store, set_))
    say(f"{service.shop.name} answers MCP on standard input and output", error=True)
    serve_stdio(service, user, session or uuid.uuid4().hex)
