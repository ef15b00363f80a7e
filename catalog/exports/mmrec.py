"""MMRec folders: `<name>.inter`, `*_feat.npy`, `items.jsonl` and the id maps, as `read_mmrec` takes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from catalog.errors import DataError
from catalog.exports.folder import new_folder
from catalog.exports.selection import Selection, number_text, seconds_text, select_events
from catalog.nouns import Item
from catalog.readers.features import ABSENT_FILE
from catalog.readers.fields import labels
from catalog.shop_data import ShopData
from catalog.vectors import EmbeddingTable

USER_MAP, ITEM_MAP = "u_id_mapping.csv", "i_id_mapping.csv"


@dataclass(frozen=True)
class Exported:
    """What an export wrote: for the terminal (`text`) and for machines."""

    name: str
    folder: Path
    interactions: int
    users: int
    items: int
    label: str
    left_out: int
    without_vector: Mapping[str, int]

    def text(self) -> str:
        """Return a few plain lines."""
        lines = [
            f"{self.folder}: {self.name}, {self.interactions:,} interactions, {self.users:,} users, "
            f"{self.items:,} items; x_label from {self.label}"
        ]
        if self.left_out:
            lines.append(f"{self.left_out:,} events left out: they are no positives")
        lines += [
            f"{name}.npy: {count:,} items have no vector: rows of zeros, named in {ABSENT_FILE}"
            for name, count in self.without_vector.items()
            if count
        ]
        return "\n".join(lines)


def export_mmrec(
    shop: ShopData,
    folder: Path,
    *,
    features: Mapping[str, EmbeddingTable],
    name: str | None = None,
    label_column: str | None = None,
    kinds: tuple[str, ...] | None = None,
    seed: int = 0,
    root: Path | None = None,
) -> Exported:
    """Write a shop as an MMRec folder.

    `userID` counts users as the log meets them, `itemID` is the item's row in the catalogue and in every
    feature array. `x_label` is a given split, or drawn by MMRec's rule.

    Args:
        shop: What to write; of its log the positives.
        folder: A new folder.
        features: File stem (`image_feat`) -> vectors.
        name: Stem of the `.inter` file; None takes the shop's.
        label_column: The given split that becomes `x_label`.
        kinds: Kinds that count as a positive.
        seed: Of the rule, where no split is given.
        root: What relative media paths are relative to.

    Raises:
        DataError: When something stands at `folder`, there is no positive, or an id cannot stand in a file of tabs.
    """
    chosen = select_events(shop, label_column=label_column, kinds=kinds, seed=seed)
    stem = safe_stem(name or shop.name)
    catalog = shop.catalog
    users = chosen.log["user_id"].unique(maintain_order=True)
    for noun, ids in (("user", users.to_list()), ("item", list(catalog.ids))):
        refuse_breaking(noun, ids)
    absent: dict[str, list[int]] = {}
    with new_folder(folder) as place:
        _inter(chosen, users, list(catalog.ids)).write_csv(place / f"{stem}.inter", separator="\t", quote_style="never")
        _map(place / USER_MAP, "user_id", "userID", users.to_list())
        _map(place / ITEM_MAP, "asin", "itemID", list(catalog.ids))
        with (place / "items.jsonl").open("w", encoding="utf-8") as file:
            for row, item in enumerate(catalog):
                file.write(json.dumps(item_record(row, item, root), ensure_ascii=False) + "\n")
        for feature, table in features.items():
            vectors, present = table.align(catalog.ids)
            np.save(place / f"{safe_stem(feature)}.npy", vectors, allow_pickle=False)
            absent[safe_stem(feature)] = np.flatnonzero(~present).tolist()
        if any(absent.values()):
            (place / ABSENT_FILE).write_text(json.dumps(absent) + "\n", encoding="utf-8")
    without = {feature: len(absent[safe_stem(feature)]) for feature in features}
    return Exported(stem, folder, chosen.log.height, len(users), len(catalog), chosen.source, chosen.left_out, without)


def item_record(row: int, item: Item, root: Path | None) -> dict[str, object]:
    """Return the line of one item; what it lacks is left out, paths are absolute."""
    said: dict[str, object] = {
        key: value for key, value in asdict(item).items() if value is not None and value not in ((), {}, [])
    }
    for media in ("images", "videos"):
        if media in said:
            said[media] = [_placed(reference, root) for reference in getattr(item, media)]
    return {"itemID": row, **said}


def safe_stem(name: str) -> str:
    """Return a name as a file's stem: letters, digits, `-`, `_` and `.` stay, anything else becomes `_`."""
    stem = "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip(".")
    return stem or "shop"


def refuse_breaking(noun: str, ids: list[str], breaking: str = "\t\r\n") -> None:
    """Refuse ids that a file without quoting cannot hold.

    Raises:
        DataError: Naming the first.
    """
    for each in ids:
        if any(c in each for c in breaking):
            raise DataError(f"{noun} id {each!r} cannot be exported: it holds a character that parts fields there")


def _inter(chosen: Selection, users: pl.Series, items: list[str]) -> pl.DataFrame:
    codes = pl.DataFrame({"user_id": users, "userID": range(len(users))})
    rows = pl.DataFrame({"item_id": items, "itemID": range(len(items))}, schema_overrides={"item_id": pl.String})
    numbered = chosen.log.join(codes, on="user_id", how="left", maintain_order="left").join(
        rows, on="item_id", how="left", maintain_order="left"
    )
    columns: list[str | pl.Expr] = ["userID", "itemID"]
    columns += [number_text("value").alias("rating")] if chosen.with_value else []
    columns += [seconds_text().alias("timestamp"), *labels(chosen.log.columns)]
    return numbered.select(*columns, *(["kind"] if chosen.with_kind else []))


def _map(path: Path, external: str, number: str, ids: list[str]) -> None:
    table = pl.DataFrame({external: ids, number: range(len(ids))}, schema_overrides={external: pl.String})
    table.write_csv(path, separator="\t", quote_style="never")


def _placed(reference: str, root: Path | None) -> str:
    if reference.startswith(("http://", "https://")) or Path(reference).is_absolute() or root is None:
        return reference
    return str(root / reference)
