"""The command that shows a list as the shop would serve it, stage by stage: `recommend`."""

from __future__ import annotations

from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say, say_json


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("recommend")(recommend)


def recommend(
    store: Store = None,
    set_: Set = None,
    user: Annotated[str | None, typer.Option("--user", help="Shopper id; left out, a stranger.")] = None,
    top_n: Annotated[int, typer.Option("--top-n", min=1, max=1000, help="Most items to show.")] = 10,
    request_id: Annotated[
        str | None, typer.Option("--request-id", help="Draw the exploration slots as this request would.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, features too.")] = False,
) -> None:
    """Show what the shop would recommend now, who proposed each item, what moved it, and what every stage did.

    Nothing is logged: no slate, no impression.
    """
    from vitrine.recommending import recommended, recommended_json, recommended_text
    from vitrine.wiring import open_shop

    settings = load(store, set_)
    say("opening the shop ...", error=True)
    shop = open_shop(settings)
    result = recommended(shop, user, top_n, request_id)
    say_json(recommended_json(result)) if as_json else say(recommended_text(shop, result))
