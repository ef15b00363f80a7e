"""Commands that move data sets in and out: `export` and `fetch`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from catalog.errors import ConfigError
from vitrine.cli.options import Set, Store, load, parse_pairs
from vitrine.cli.output import say

if TYPE_CHECKING:
    from catalog.vectors import EmbeddingTable
    from catalog.workspace import Workspace
    from vitrine.settings import Settings

exports = typer.Typer(help="Write the store as a folder that other projects read.", no_args_is_help=True)

Target = Annotated[Path, typer.Argument(help="A folder yet to be made, or an empty one.")]
Name = Annotated[str | None, typer.Option(help="Stem of the files; the data set's name otherwise.")]
Label = Annotated[
    str | None, typer.Option("--label-column", help="The given split that becomes x_label; else x_label, else drawn.")
]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.add_typer(exports, name="export")
    app.command("fetch")(fetch_data)


def fetch_data(
    name: Annotated[str | None, typer.Argument(help="Without one, the known data sets are listed.")] = None,
    into: Annotated[Path | None, typer.Option(help="The folder; data/<name>, with - for /, otherwise.")] = None,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Say that you have read the terms and accept them.")
    ] = False,
    base: Annotated[
        str | None, typer.Option("--from", metavar="URL", help="A mirror in place of the publisher's address.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would come and what to run then; ask nobody, write nothing.")
    ] = False,
) -> None:
    """Bring a public data set from its own address.

    Resumes what broke off, checks every file, and unpacks archives.
    """
    from catalog.fetching.fetch import fetch, plan
    from catalog.fetching.sources import find_source, sources
    from vitrine.cli.bar import progress

    if name is None:
        for known in sources().values():
            say(f"{known.name:<46}{known.about}{' (by hand)' if known.by_hand else ''}")
        return
    source = find_source(name)
    folder = into or Path("data") / name.replace("/", "-")
    say(f"{source.name}: {source.about}\nterms: {source.licence.name} ({source.licence.url})\n{source.licence.text}")
    if dry_run:
        planned = plan(source, folder, base)
        for each in planned:
            say(each.text())
        if source.by_hand is not None and base is None and not all(each.here for each in planned):
            say(f"next: {source.by_hand} into {folder}")
        else:
            given = [*(["--into", str(into)] if into else []), *(["--from", base] if base else [])]
            say(f"next: {shlex.join(['vitrine', 'fetch', name, *given, '--accept-licence'])}")
        say(f"then: {source.then.format(folder=shlex.quote(str(folder)))}")
        return
    lines = fetch(
        source, folder, accept_licence=accept_licence, base=base, progress=progress(),
        tell=lambda line: say(line, error=True),
    )  # fmt: skip
    for line in lines:
        say(line)
    say(f"next: {source.then.format(folder=shlex.quote(str(folder)))}")


@exports.command("mmrec")
def export_mmrec_folder(
    folder: Target,
    features: Annotated[
        list[str] | None,
        typer.Option("--feature", metavar="FILE=SPACE", help="E.g. image_feat=caption-pixels-minilm. Repeatable."),
    ] = None,
    name: Name = None,
    label_column: Label = None,
    store: Store = None,
    set_: Set = None,
) -> None:
    """Write an MMRec folder: .inter, features, items.jsonl and the id maps.

    Without --feature the spaces the models read become image_feat.npy and text_feat.npy.
    """
    from catalog.exports.mmrec import export_mmrec
    from catalog.shop_data import load_shop
    from catalog.workspace import Workspace

    settings = load(store, set_)
    workspace = Workspace(settings.store)
    shop = load_shop(workspace)
    exported = export_mmrec(
        shop,
        folder,
        features=_features(settings, workspace, features),
        name=name,
        label_column=label_column,
        kinds=settings.positives,
        seed=settings.seed,
        root=workspace.root,
    )
    say(exported.text())


@exports.command("recbole")
def export_recbole_folder(
    folder: Target,
    name: Name = None,
    label_column: Label = None,
    store: Store = None,
    set_: Set = None,
) -> None:
    """Write RecBole's atomic files: .inter (whole, and by split), .item and .user."""
    from catalog.exports.recbole import export_recbole
    from catalog.shop_data import load_shop
    from catalog.workspace import Workspace

    settings = load(store, set_)
    shop = load_shop(Workspace(settings.store))
    exported = export_recbole(
        shop, folder, name=name, label_column=label_column, kinds=settings.positives, seed=settings.seed
    )
    say(exported.text())


def _features(settings: Settings, workspace: Workspace, pairs: list[str] | None) -> dict[str, EmbeddingTable]:
    """Return the vectors of each feature file.

    Raises:
        ConfigError: When a space is not in the store, or a file name is none.
    """
    from catalog.errors import did_you_mean
    from catalog.exports.mmrec import safe_stem
    from vitrine.wiring import choose_spaces, load_modalities

    roles = {"picture": "image_feat", "text": "text_feat"}
    if pairs:
        wanted = parse_pairs(pairs, "--feature", "image_feat=caption-pixels-minilm")
    else:
        chosen = choose_spaces(settings, workspace)
        wanted = {roles.get(role, f"{role}_feat"): space for role, space in chosen.items()}
    there = workspace.names("embeddings")
    for file, space in wanted.items():
        if space not in there:
            raise ConfigError(f"--feature {file}={space}: no such space in the store. {did_you_mean(space, there)}")
        if safe_stem(file) != file or not file.endswith("_feat"):
            raise ConfigError(f"--feature {file!r}: a name that ends in _feat, as image_feat does, would be valid")
    return load_modalities(workspace, wanted)
