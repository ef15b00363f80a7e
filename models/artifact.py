"""What every saved recommender looks like on disk: JSON, safetensors and Parquet, nothing pickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import BaseModel, ValidationError

from catalog.errors import DataError, NotBuiltError
from catalog.id_files import read_ids
from catalog.ids import IdMap
from catalog.workspace import write_text

Array = npt.NDArray[Any]
Config = TypeVar("Config", bound=BaseModel)


@dataclass(frozen=True, eq=False)
class Artifact:
    """A saved recommender in memory.

    Attributes:
        name: Registry name (`lirdrec`), kept in `model.json`.
        config: The component's config as plain JSON values, kept in `config.json`.
        arrays: Named tables, kept in `model.safetensors`.
        users, items: Id worlds of the tables, kept in `users.parquet` and `items.parquet`.
        meta: Small facts that are neither setting nor table, kept in `model.json`.
    """

    name: str
    config: Mapping[str, Any]
    arrays: Mapping[str, Array]
    users: IdMap
    items: IdMap
    meta: Mapping[str, Any] = field(default_factory=dict)

    def save(self, folder: Path) -> None:
        """Write into an existing folder; the same content gives the same bytes."""
        from safetensors.numpy import save_file

        ordered = {name: np.ascontiguousarray(self.arrays[name]) for name in sorted(self.arrays)}
        save_file(ordered, folder / "model.safetensors")
        (folder / "model.safetensors").chmod(0o644)
        write_text(folder / "config.json", json.dumps(self.config, indent=2) + "\n")
        _ids_frame(self.users, "user_id").write_parquet(folder / "users.parquet")
        _ids_frame(self.items, "item_id").write_parquet(folder / "items.parquet")
        head = {"name": self.name, "format": 1, **self.meta}
        write_text(folder / "model.json", json.dumps(head, indent=2) + "\n")

    @classmethod
    def load(cls, folder: Path, name: str) -> Artifact:
        """Read what `save` wrote.

        Raises:
            NotBuiltError: When `folder` holds no model.
            DataError: When it holds another kind of model than `name`, or damaged tables.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        head = read_head(folder)
        if head["name"] != name:
            raise DataError(f"{str(folder)!r} holds a {head['name']!r} model; {name!r} would be valid here")
        try:
            arrays = load_file(folder / "model.safetensors")
        except SafetensorError as error:
            raise DataError(f"{str(folder / 'model.safetensors')!r} cannot be read: {error}") from error
        return cls(
            name,
            json.loads((folder / "config.json").read_text("utf-8")),
            arrays,
            read_ids(folder / "users.parquet", "user_id", "user"),
            read_ids(folder / "items.parquet"),
            {key: value for key, value in head.items() if key not in ("name", "format")},
        )

    def parse_config(self, kind: type[Config]) -> Config:
        """Return the stored config as its typed class.

        Raises:
            DataError: When a stored field is unknown or out of range.
        """
        try:
            return kind.model_validate(self.config)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise DataError(f"config.json of the saved {self.name!r} model: field {place!r}: {first['msg']}") from error


def read_head(folder: Path) -> dict[str, Any]:
    """Return `model.json` of a saved model.

    Raises:
        NotBuiltError: When there is none.
        DataError: When it cannot be read as a model's head.
    """
    path = folder / "model.json"
    if not path.is_file():
        raise NotBuiltError(f"no model.json in {str(folder)!r}: run vitrine train first")
    try:
        head = json.loads(path.read_text("utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"{str(path)!r} is not JSON: {error}") from error
    if not isinstance(head, dict) or not isinstance(head.get("name"), str):
        raise DataError(f"{str(path)!r} names no model; a field 'name' would be valid")
    return head


def _ids_frame(ids: IdMap, column: str) -> pl.DataFrame:
    return pl.DataFrame({column: list(ids)}, schema={column: pl.String})
