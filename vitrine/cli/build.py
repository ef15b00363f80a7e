"""Commands that build the store: `generate`, `import`, `preview`, `caption`, `embed`, `index`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vitrine.cli.options import Set, Store, load, parse_pairs

imports = typer.Typer(help="Read a shop or a data set into the store.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("generate")(generate)
    app.add_typer(imports, name="import")
    app.command("preview")(preview)
    app.command("caption")(caption)
    app.command("embed")(embed)
    app.command("index")(index)


def generate(
    store: Store = None,
    set_: Set = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Another seed is another shop.")] = None,
) -> None:
    """Generate the boutique: products, pictures, shoppers, events."""
    from vitrine.cli.bar import progress
    from vitrine.jobs import generate_boutique

    settings = load(store, set_)
    print(generate_boutique(settings, seed, progress()))


@imports.command("mmrec")
def import_mmrec(
    folder: Annotated[Path, typer.Argument(help="Holds <name>.inter, *_feat.npy, and optionally items.jsonl.")],
    store: Store = None,
    set_: Set = None,
    name: Annotated[str | None, typer.Option(help="Which .inter file, where there are several.")] = None,
) -> None:
    """Read an MMRec folder.

    Every *_feat.npy becomes an embedding space of that name.
    """
    from catalog.readers.importing import save_import
    from catalog.readers.mmrec import read_mmrec
    from catalog.readers.rejects import Rejects
    from catalog.workspace import Workspace

    settings = load(store, set_)
    print(save_import(Workspace(settings.store), read_mmrec(folder, name=name, rejects=Rejects())).text())


@imports.command("table")
def import_table(
    items: Annotated[Path | None, typer.Option(help="CSV, TSV, Parquet or JSONL of items (.gz too).")] = None,
    interactions: Annotated[Path | None, typer.Option(help="The same for events.")] = None,
    users: Annotated[Path | None, typer.Option(help="The same for shoppers.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", metavar="OURS=THEIRS", help="Column map, e.g. title=prod_name.")
    ] = None,
    images: Annotated[
        str | None, typer.Option(help="Where pictures lie, e.g. 'images/{article_id}.jpg', beside the item file.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the data set; the item file's name otherwise.")] = None,
    store: Store = None,
    set_: Set = None,
) -> None:
    """Read plain tables with a column map.

    A bad row is kept apart with its line and reason, and the import goes on.
    """
    from catalog.readers.importing import save_import
    from catalog.readers.rejects import Rejects
    from catalog.readers.table import read_table
    from catalog.workspace import Workspace

    settings = load(store, set_)
    imported = read_table(
        items,
        interactions,
        users,
        columns=parse_pairs(columns or [], "--column", "title=prod_name"),
        name=name,
        images=images,
        rejects=Rejects(),
    )
    print(save_import(Workspace(settings.store), imported).text())


@imports.command("vectors")
def import_own_vectors(
    path: Annotated[Path, typer.Argument(help=".npy (n, d), or Parquet with item_id and vector.")],
    space: Annotated[str, typer.Option(help="Name of the embedding space.")],
    ids: Annotated[Path | None, typer.Option(help="For .npy: the ids of its rows in order.")] = None,
    store: Store = None,
    set_: Set = None,
) -> None:
    """Bring your own vectors."""
    from catalog.shop_data import load_shop
    from catalog.workspace import Workspace
    from embedding.bring_your_own import import_vectors

    workspace = Workspace(load(store, set_).store)
    table = import_vectors(workspace, path, space=space, ids=ids, known=load_shop(workspace).catalog.ids)
    print(f"embeddings/{space}: {len(table.ids):,} vectors of width {table.dim}")


def preview(
    path: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet or JSONL (.gz too).")],
    columns: Annotated[
        list[str] | None, typer.Option("--column", metavar="OURS=THEIRS", help="Column map to try.")
    ] = None,
    kind: Annotated[Literal["items", "interactions", "users"], typer.Option(help="What the file holds.")] = "items",
    rows: Annotated[int, typer.Option(min=1, max=100, help="Sample values to show.")] = 3,
) -> None:
    """Show what each column of a table would become."""
    from catalog.readers.preview import preview_table

    print(preview_table(path, parse_pairs(columns or [], "--column", "title=prod_name"), rows=rows, table=kind).text())


def caption(store: Store = None, set_: Set = None) -> None:
    """Read words from every picture and video.

    Resumes where an earlier run stopped; what failed is tried again.
    """
    from vitrine.cli.bar import progress
    from vitrine.jobs import caption_store

    print(caption_store(load(store, set_), progress()))


def embed(store: Store = None, set_: Set = None) -> None:
    """Turn the shop's texts and captions into vectors.

    Only what changed is embedded again.
    """
    from vitrine.cli.bar import progress
    from vitrine.jobs import embed_store

    for line in embed_store(load(store, set_), progress()):
        print(line)


def index(store: Store = None, set_: Set = None) -> None:
    """Build the keyword index and a vector index for each space.

    An index whose inputs are unchanged is left alone.
    """
    from vitrine.cli.bar import progress
    from vitrine.jobs import index_store

    for line in index_store(load(store, set_), progress()):
        print(line)
