"""The command that searches by words, pictures, voices and films: `find`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vitrine.cli.options import Set, Store, load
from vitrine.cli.output import say, say_json


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("find")(find)


def find(
    words: Annotated[list[str] | None, typer.Argument(help="What is looked for, in words.")] = None,
    store: Store = None,
    set_: Set = None,
    picture: Annotated[Path | None, typer.Option("--picture", help="A picture file of something like it.")] = None,
    voice: Annotated[Path | None, typer.Option("--voice", help="A recording of the wish.")] = None,
    video: Annotated[Path | None, typer.Option("--video", help="A film of something like it.")] = None,
    filters: Annotated[
        str | None,
        typer.Option("--filters", metavar="JSON", help='What must hold, e.g. \'{"price": {"max": 50}}\'.'),
    ] = None,
    user: Annotated[str | None, typer.Option("--user", help="Shopper id, whose taste settles what is equal.")] = None,
    top_n: Annotated[int, typer.Option("--top-n", min=1, max=1000, help="Most items to show.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON.")] = False,
) -> None:
    """Find items by words, a picture, a voice or a film, or any mix of them.

    Each result shows what it scored in every way it could answer: shared words (BM25), and the cosine of its text, its
    captions, its pictures, its film and the fused vector. What could not be looked at is said.
    """
    from pydantic import ValidationError

    from catalog.errors import ConfigError
    from catalog.filters import Filters
    from vitrine.finding import Wanted, find_in, found_json, found_text, read_wanted
    from vitrine.wiring import open_shop

    try:
        asked = Filters.model_validate_json(filters) if filters else Filters()
    except ValidationError as error:
        fault = error.errors()[0]
        place = "".join(f"{part}: " for part in fault["loc"])
        raise ConfigError(
            f'--filters {filters!r}: {place}{fault["msg"]}; \'{{"brand": ["Klara"]}}\' would be valid'
        ) from error
    settings = load(store, set_)
    wanted = Wanted(" ".join(words or []) or None, picture, voice, video, asked, user, top_n)
    query = read_wanted(settings, wanted)
    _tell("opening the shop")
    shop = open_shop(settings)
    if not (picture or voice or video):  # their models are told of one by one
        _tell("searching by the words")
    found = find_in(shop, wanted, query, _tell)
    say_json(found_json(shop, found)) if as_json else say(found_text(shop, found))


def _tell(text: str) -> None:
    # Models load for seconds, and results alone belong on standard output.
    say(f"{text} ...", error=True)
