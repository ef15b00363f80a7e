"""RecBole atomic files: `<name>.inter`, `.item`, `.user`, as `read_recbole` and RecBole take them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl

from catalog.exports.folder import new_folder
from catalog.exports.mmrec import Exported, refuse_breaking, safe_stem
from catalog.exports.selection import Selection, number_text, seconds_text, select_events
from catalog.nouns import Item, User
from catalog.readers.fields import NAMES, TableKind, labels
from catalog.readers.recbole_fields import CONFIG_FILE, RecBoleConfig
from catalog.shop_data import ShopData

PARTS = ("train", "valid", "test")
SEQUENCE = "|"
"""RecBole's own separator, a space, would part `Hair Care`."""

_NO_QUOTES = str.maketrans({"\t": " ", "\r": " ", "\n": " ", '"': "'"})
_IN_SEQUENCE = str.maketrans({SEQUENCE: "/"})


def export_recbole(
    shop: ShopData,
    folder: Path,
    *,
    name: str | None = None,
    label_column: str | None = None,
    kinds: tuple[str, ...] | None = None,
    seed: int = 0,
) -> Exported:
    """Write a shop as atomic files.

    `<name>.inter` holds the positives with every split label; `<name>.train.inter` and its two siblings
    hold the parts of `x_label` (`benchmark_filename: [train, valid, test]` in RecBole); `recbole.json`
    names the separators, for RecBole and for our import. Ids stand verbatim; in other texts tabs, line
    breaks and double quotes, which atomic files cannot hold, become spaces and single quotes.

    Args:
        shop: What to write.
        folder: A new folder; RecBole wants it called as the data set.
        name: Stem of the files; None takes the shop's.
        label_column: The given split that becomes `x_label`.
        kinds: Kinds that count as a positive.
        seed: Of MMRec's rule, where no split is given.

    Raises:
        DataError: When something stands at `folder`, there is no positive, or an id cannot stand in such a file.
    """
    chosen = select_events(shop, label_column=label_column, kinds=kinds, seed=seed)
    stem = safe_stem(name or shop.name)
    refuse_breaking("user", shop.users["user_id"].to_list(), '\t\r\n"')
    refuse_breaking("item", shop.items["item_id"].to_list(), '\t\r\n"')
    with new_folder(folder) as place:
        whole = _inter(chosen)
        _write(whole, place / f"{stem}.inter")
        given = [column for column in whole.columns if column.startswith("x_label")]
        for number, part in enumerate(PARTS):
            of_part = whole.filter(chosen.log["x_label"] == number).drop(given)
            _write(of_part, place / f"{stem}.{part}.inter")
        items = list(shop.catalog)
        _write(_table(items, _ITEM_FIELDS, [item.attributes for item in items], "items"), place / f"{stem}.item")
        users = list(shop.user_nouns.values())
        _write(_table(users, _USER_FIELDS, [user.attributes for user in users], "users"), place / f"{stem}.user")
        config = RecBoleConfig(seq_separator=SEQUENCE).model_dump()
        (place / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    n_users = chosen.log["user_id"].n_unique()
    return Exported(stem, folder, chosen.log.height, n_users, len(items), chosen.source, chosen.left_out, {})


def _inter(chosen: Selection) -> pl.DataFrame:
    columns = [pl.col("user_id").alias("user_id:token"), pl.col("item_id").alias("item_id:token")]
    columns += [number_text("value").alias("rating:float")] if chosen.with_value else []
    columns += [seconds_text().alias("timestamp:float")]
    columns += [pl.col(label).alias(f"{label}:float") for label in labels(chosen.log.columns)]
    columns += [pl.col("kind").alias("kind:token")] if chosen.with_kind else []
    return chosen.log.select(columns)


_Field = tuple[str, Callable[..., str]]

_ITEM_FIELDS: Sequence[_Field] = (
    ("item_id:token", lambda item: item.item_id),
    ("title:token", lambda item: _text(item.title)),
    ("brand:token", lambda item: _text(item.brand)),
    ("categories:token_seq", lambda item: _several(item.categories)),
    ("price:float", lambda item: _number(item.price)),
    ("currency:token", lambda item: _text(item.currency)),
    ("average_rating:float", lambda item: _number(item.rating)),
    ("rating_count:float", lambda item: _number(item.rating_count)),
)
_USER_FIELDS: Sequence[_Field] = (
    ("user_id:token", lambda user: user.user_id),
    ("membership:token", lambda user: _text(user.membership)),
)


def _table(
    nouns: Sequence[Item] | Sequence[User],
    fields: Sequence[_Field],
    attributes: Sequence[Mapping[str, tuple[str, ...]]],
    table: TableKind,
) -> pl.DataFrame:
    """Return the fields that any noun fills, then each attribute as a sequence, under a name that no noun claims."""
    columns: dict[str, list[str]] = {}
    for field, say in fields:
        values = [say(noun) for noun in nouns]
        if any(values):
            columns[field] = values
    claimed = {known for row in NAMES[table].values() for known in row}
    for attribute in sorted({name for each in attributes for name in each}):
        plain = "_".join(attribute.translate(_NO_QUOTES).replace(":", " ").split()) or "attribute"
        field = f"attribute_{plain}" if plain.casefold() in claimed else plain
        if f"{field}:token_seq" not in columns:
            columns[f"{field}:token_seq"] = [_several(each.get(attribute, ())) for each in attributes]
    return pl.DataFrame(columns)


def _write(table: pl.DataFrame, path: Path) -> None:
    table.write_csv(path, separator="\t", quote_style="never")


def _text(value: str | None) -> str:
    return "" if value is None else value.translate(_NO_QUOTES)


def _several(values: tuple[str, ...]) -> str:
    return SEQUENCE.join(_text(value).translate(_IN_SEQUENCE) for value in values)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}" if float(value).is_integer() and abs(value) < 1e6 else repr(value)
