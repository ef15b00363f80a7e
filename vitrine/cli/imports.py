"""`vitrine import`: a shop's tables or a data set's files into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from catalog.errors import ConfigError
from vitrine.cli.next_steps import say_next
from vitrine.cli.options import Set, Store, load, parse_pairs
from vitrine.cli.output import say
from vitrine.cli.sync import Currency, Form

if TYPE_CHECKING:
    from catalog.readers.importing import Import
    from catalog.readers.refining import RefineConfig
    from vitrine.settings import Settings

imports = typer.Typer(help="Read a shop or a data set into the store.", no_args_is_help=True)


def _plain_name(name: str | None) -> str | None:
    if name is not None and not (name.isprintable() and name.strip()):
        raise ConfigError(f"--name {name!r}: printable characters on one line would be valid")
    return name


Name = Annotated[
    str | None, typer.Option(callback=_plain_name, help="Name of the data set, where the files' own is not right.")
]
KCore = Annotated[
    int | None, typer.Option("--k-core", min=1, help="Keep users of K items and items of K users, again and again.")
]
Dedup = Annotated[bool, typer.Option("--dedup-reviews", help="Count the same user, item and text or moment once.")]
Rule = Annotated[Literal["mmrec"] | None, typer.Option("--split-rule", help="Add x_label by this rule, at random.")]
SplitSeed = Annotated[int, typer.Option("--split-seed", min=0, help="Of --split-rule.")]


@imports.command("mmrec")
def import_mmrec(
    folder: Annotated[Path, typer.Argument(help="Holds <name>.inter, *_feat.npy, and optionally items.jsonl.")],
    store: Store = None,
    set_: Set = None,
    name: Annotated[str | None, typer.Option(help="Which .inter file, where there are several.")] = None,
    k_core: KCore = None,
    dedup_reviews: Dedup = False,
    split_rule: Rule = None,
    split_seed: SplitSeed = 0,
) -> None:
    """Read an MMRec folder.

    Every *_feat.npy becomes an embedding space of that name.
    """
    from catalog.readers.finishing import refine
    from catalog.readers.mmrec import read_mmrec
    from catalog.readers.rejects import Rejects

    settings = load(store, set_)
    wanted = _refining(settings, k_core, dedup_reviews, split_rule, split_seed)
    _save(settings, refine(read_mmrec(folder, name=name, rejects=Rejects()), wanted), store, set_)


@imports.command("amazon")
def import_amazon(
    folder: Annotated[
        Path | None, typer.Argument(help="With <Category>.jsonl, meta_<Category>.jsonl, published splits (.gz too).")
    ] = None,
    reviews: Annotated[Path | None, typer.Option(help="Reviews (JSON lines) or ratings alone (CSV).")] = None,
    meta: Annotated[Path | None, typer.Option(help="Products (JSON lines).")] = None,
    split: Annotated[
        list[Path] | None, typer.Option(help="A published file, <Category>.last_out.train.csv, say. All three parts.")
    ] = None,
    category: Annotated[str | None, typer.Option(help="Which one, where the folder holds several.")] = None,
    store: Store = None,
    set_: Set = None,
    name: Name = None,
    k_core: KCore = None,
    dedup_reviews: Dedup = False,
    split_rule: Rule = None,
    split_seed: SplitSeed = 0,
) -> None:
    """Read a category of Amazon Reviews 2023, or of 2014.

    Published splits are read as they are: x_label_last_out and x_label_timestamp for --label-column.
    """
    from catalog.readers.amazon import read_amazon
    from catalog.readers.amazon_files import AmazonFiles, find_files, split_files

    settings = load(store, set_)
    wanted = _refining(settings, k_core, dedup_reviews, split_rule, split_seed)
    if folder is not None and (reviews or meta or split):
        raise ConfigError(f"a folder ({str(folder)!r}) or files of your choice (--reviews, --meta, --split), not both")
    files = find_files(folder, category) if folder else AmazonFiles(reviews, meta, split_files(split or []))
    _save(settings, read_amazon(files, name=name, refine=wanted), store, set_)


@imports.command("movielens")
def import_movielens(
    folder: Annotated[Path, typer.Argument(help="An unpacked ml-latest-small, ml-25m, ml-1m, ml-10m or ml-100k.")],
    store: Store = None,
    set_: Set = None,
    name: Name = None,
    k_core: KCore = None,
    dedup_reviews: Dedup = False,
    split_rule: Rule = None,
    split_seed: SplitSeed = 0,
) -> None:
    """Read a MovieLens folder of any generation."""
    from catalog.readers.movielens import read_movielens

    settings = load(store, set_)
    wanted = _refining(settings, k_core, dedup_reviews, split_rule, split_seed)
    _save(settings, read_movielens(folder, name=name, refine=wanted), store, set_)


@imports.command("recbole")
def import_recbole(
    folder: Annotated[Path, typer.Argument(help="Holds <name>.inter, and optionally .item and .user.")],
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="NAME=VALUE", help="RecBole's own setting, e.g. USER_ID_FIELD=uid."),
    ] = None,
    store: Store = None,
    set_: Set = None,
    name: Annotated[str | None, typer.Option(help="Which data set, where there are several.")] = None,
    k_core: KCore = None,
    dedup_reviews: Dedup = False,
    split_rule: Rule = None,
    split_seed: SplitSeed = 0,
) -> None:
    """Read RecBole's atomic files.

    Settings: USER_ID_FIELD, ITEM_ID_FIELD, RATING_FIELD, TIME_FIELD, field_separator, seq_separator.
    """
    from pydantic import ValidationError

    from catalog.errors import did_you_mean
    from catalog.readers.recbole import read_recbole
    from catalog.readers.recbole_fields import RecBoleConfig

    settings = load(store, set_)
    wanted = _refining(settings, k_core, dedup_reviews, split_rule, split_seed)
    said = parse_pairs(fields or [], "--field", "USER_ID_FIELD=uid")
    for field in said:
        if field not in RecBoleConfig.model_fields:
            hint = did_you_mean(field, list(RecBoleConfig.model_fields))
            raise ConfigError(f"--field: unknown setting {field!r}. {hint}")
    try:
        config = RecBoleConfig.model_validate(said) if said else None
    except ValidationError as error:
        raise ConfigError(f"--field: {error.errors()[0]['msg']}") from error
    _save(settings, read_recbole(folder, name=name, config=config, refine=wanted), store, set_)


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
    name: Annotated[
        str | None, typer.Option(callback=_plain_name, help="Name of the data set; the item file's name otherwise.")
    ] = None,
    store: Store = None,
    set_: Set = None,
    k_core: KCore = None,
    dedup_reviews: Dedup = False,
    split_rule: Rule = None,
    split_seed: SplitSeed = 0,
) -> None:
    """Read plain tables with a column map.

    A bad row is kept apart with its line and reason, and the import goes on.
    """
    from catalog.readers.finishing import refine
    from catalog.readers.rejects import Rejects
    from catalog.readers.table import read_table

    settings = load(store, set_)
    wanted = _refining(settings, k_core, dedup_reviews, split_rule, split_seed)
    imported = read_table(
        items,
        interactions,
        users,
        columns=parse_pairs(columns or [], "--column", "title=prod_name"),
        name=name,
        images=images,
        rejects=Rejects(),
        recording=settings.speech.job.recording,
    )
    _save(settings, refine(imported, wanted), store, set_)


@imports.command("feed")
def import_feed(
    feed: Annotated[str, typer.Argument(help="A product feed: file, folder of files, or http(s) URL (.gz too).")],
    interactions: Annotated[Path | None, typer.Option(help="CSV, TSV, Parquet or JSONL of events (.gz too).")] = None,
    users: Annotated[Path | None, typer.Option(help="The same for shoppers.")] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", metavar="OURS=THEIRS", help="Column map of events and shoppers.")
    ] = None,
    form: Form = None,
    currency: Currency = None,
    store: Store = None,
    set_: Set = None,
    name: Name = None,
    k_core: KCore = None,
    dedup_reviews: Dedup = False,
    split_rule: Rule = None,
    split_seed: SplitSeed = 0,
) -> None:
    """Read a product feed (Google Merchant, Shopify) with what shoppers did.

    From then on vitrine sync brings the catalogue up to date.
    """
    from catalog.readers.feed_import import with_log
    from catalog.readers.finishing import refine
    from vitrine.syncing import opened_feed

    asked = {name: value for name, value in (("form", form), ("currency", currency)) if value is not None}
    settings = load(store, set_, {"sync": {"feed": asked}})
    wanted = _refining(settings, k_core, dedup_reviews, split_rule, split_seed)
    mapped, heard = parse_pairs(columns or [], "--column", "item_id=sku"), settings.speech.job.recording
    with opened_feed(settings, feed) as (read, _):
        assert read is not None  # nothing is known of before that it could be the same as
        imported = with_log(read, interactions, users, columns=mapped, name=name, recording=heard)
    _save(settings, refine(imported, wanted), store, set_)


@imports.command("marketing")
def import_marketing(
    media: Annotated[Path, typer.Option(help="CSV, TSV, Parquet or JSONL of marketing films (.gz too).")],
    impressions: Annotated[
        Path | None, typer.Option(help="The same for impressions: which film, when, whether it was clicked, by whom.")
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option("--column", metavar="OURS=THEIRS", help="Column map, e.g. media_id=ad_id.")
    ] = None,
    store: Store = None,
    set_: Set = None,
) -> None:
    """Read marketing films and who saw and clicked them; the catalogue stays as it is.

    A bad row is kept apart with its line and reason, and the import goes on.
    """
    from catalog.marketing import save_marketing
    from catalog.readers.importing import REJECTS_FILE
    from catalog.readers.marketing import read_marketing
    from catalog.workspace import Workspace

    workspace = Workspace(load(store, set_).store)
    read = read_marketing(media, impressions, parse_pairs(columns or [], "--column", "media_id=ad_id"))
    rejected = {"rejected": dict(read.rejects.counts)}
    save_marketing(workspace, read.marketing, rejected, extra=lambda folder: read.rejects.save(folder / REJECTS_FILE))
    say(read.text())


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
    say(f"embeddings/{space}: {len(table.ids):,} vectors of width {table.dim}")


def _refining(
    settings: Settings, k_core: int | None, dedup_reviews: bool, split_rule: Literal["mmrec"] | None, split_seed: int
) -> RefineConfig:
    from catalog.readers.refining import RefineConfig

    return RefineConfig(
        k_core=k_core,
        dedup_reviews=dedup_reviews,
        split_rule=split_rule,
        split_seed=split_seed,
        positives=settings.positives,
    )


def _save(settings: Settings, imported: Import, store: Path | None, pairs: list[str] | None) -> None:
    from catalog.readers.importing import save_import
    from catalog.workspace import Workspace
    from vitrine.encoders import after_catalogue

    say(save_import(Workspace(settings.store), imported).text())
    say_next(store, pairs, *after_catalogue(settings))
