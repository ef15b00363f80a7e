"""Tables of a reader or a generator as one artifact, all or nothing, keyed by their bytes."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from catalog.workspace import Workspace, content_key


def save_tables(
    workspace: Workspace,
    artifact: str,
    tables: Mapping[str, pl.DataFrame],
    meta: Mapping[str, Any],
    *,
    of: tuple[object, ...],
    extra: Callable[[Path], None] | None = None,
    keep_same: bool = False,
) -> str:
    """Write each table as `<name>.parquet` of an artifact and return its content key.

    Args:
        workspace: Where to.
        artifact: Its name.
        tables: By name; their order is part of the key.
        meta: Metadata for the manifest.
        of: What the key is of beside the tables' bytes.
        extra: Writes further files into the artifact's folder, all-or-nothing with the rest.
        keep_same: Whether a whole artifact of this very key is left as it is.
    """
    written: dict[str, bytes] = {}
    for name, table in tables.items():
        buffer = io.BytesIO()
        table.write_parquet(buffer)
        written[name] = buffer.getvalue()
    key = content_key(*of, *written.values())
    if keep_same and workspace.has(artifact, key) and workspace.fault(artifact) is None:
        return key
    with workspace.writing(artifact, key, meta) as folder:
        for name, data in written.items():
            (folder / f"{name}.parquet").write_bytes(data)
        if extra is not None:
            extra(folder)
    return key
