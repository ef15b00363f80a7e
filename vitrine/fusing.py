"""`vitrine train fusion`, and the fused space as an evaluation may read it: learned from train rows alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from catalog.ids import IdMap
from catalog.log import Interactions
from catalog.nouns import Item
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from vitrine.settings import Settings

if TYPE_CHECKING:
    from datetime import datetime

OTHERS = ("picture", "video", "speech")
"""Spaces whose names begin so are fused as well where the settings name no roles."""
ORDER = ("text", "caption", *OTHERS)
KEPT = "fusion"
"""Folder inside a version of the encoders it was trained with, one folder a space."""


def train_fusion_store(settings: Settings, progress: Progress = SILENT) -> list[str]:
    """Fit the fusion encoder on what the store's shoppers took together, and say how it went.

    Raises:
        NotBuiltError: When the catalogue or a space is missing.
        DataError: When too few items were taken together.
        NothingToDo: When the store has no space to fuse.
    """
    from embedding.fusion.job import train_fusion
    from vitrine.words_kept import unread_captions

    workspace = Workspace(settings.store)
    report = train_fusion(
        workspace, settings.encoders.fusion, roles=fusion_roles(settings, workspace), kinds=settings.positives,
        seed=settings.seed, progress=progress,
    )  # fmt: skip
    return [*report.lines(), *unread_captions(settings, workspace)]


def fusion_roles(settings: Settings, workspace: Workspace) -> dict[str, str]:
    """Return which spaces are fused, by role: those the settings name, else what there is.

    The role of captions is `caption` where the pictures have vectors of their own, else `picture`.

    Raises:
        NotBuiltError: When a named space is not in the store.
    """
    from catalog.errors import NotBuiltError, did_you_mean
    from vitrine.wiring import default_spaces

    there = workspace.names("embeddings")
    named = settings.encoders.fusion.roles
    for role, space in named.items():
        if space not in there:
            raise NotBuiltError(
                f"encoders.fusion.roles.{role} is {space!r}, which is not in the store. {did_you_mean(space, there)}"
            )
    if named:
        return dict(named)
    others = {role: space for role in OTHERS for space in there if space == role or space.startswith(f"{role}-")}
    others |= {role: space for role, space in _made_now(settings, workspace).items() if space in there}
    usual = default_spaces(settings, workspace)
    renamed = {"caption" if role == "picture" and role in others else role: s for role, s in usual.items()}
    found = {**renamed, **others}
    return {role: found[role] for role in ORDER if role in found}


def _made_now(settings: Settings, workspace: Workspace) -> dict[str, str]:
    """Return the spaces that the picture model and the film encoder in use make: of several those are fused."""
    from embedding.picture_job import picture_space
    from embedding.video.encoder import ARTIFACT
    from vitrine.wiring import picture_config

    pictures, films = picture_config(settings), workspace.manifest(ARTIFACT)
    found = {"picture": picture_space(pictures.name)} if pictures is not None else {}
    return found | ({"video": str(films.meta["space"])} if films is not None and "space" in films.meta else {})


def learned_roles(workspace: Workspace, roles: Mapping[str, str]) -> dict[str, str]:
    """Return the roles whose spaces were learned from what shoppers took."""
    from embedding.fusion.job import EMBEDDER

    made = {role: workspace.manifest(f"embeddings/{space}") for role, space in roles.items()}
    return {role: roles[role] for role, found in made.items() if found and found.meta.get("embedder") == EMBEDDER}


def relearned(
    workspace: Workspace,
    roles: Mapping[str, str],
    modalities: Mapping[str, EmbeddingTable],
    train: Interactions,
    log: pl.DataFrame,
    progress: Progress = SILENT,
) -> tuple[dict[str, EmbeddingTable], dict[str, pl.DataFrame]]:
    """Return the tables with those that were learned from takes learned anew from `train` alone, and from which rows.

    Without one the store's own table would know what the models are to foretell. What learned from the log and cannot
    be learned anew here (a film encoder that saw clicks of items) stays as it is, with the rows that it knows: the
    leakage audit then says what of them is judged.

    Args:
        workspace: The store, with `encoders/fusion`.
        roles: Space by role.
        modalities: The store's tables by role.
        train: All that may be learned from.
        log: Where the sessions of those rows are looked up.
        progress: Told of every round.
    """
    from embedding.fusion.job import retrained
    from embedding.learned import LEARNED, learned_rows

    tables, sources = dict(modalities), {}
    again = learned_roles(workspace, roles)
    for role in again:
        events = events_of(train, log)
        tables[role] = retrained(workspace, train.items, events, progress=progress)
        sources[role] = events.select(list(LEARNED))
    for role, space in roles.items():
        if role not in again and (rows := learned_rows(workspace, space)) is not None:
            sources[role] = rows
    return tables, sources


def events_of(train: Interactions, log: pl.DataFrame) -> pl.DataFrame:
    """Return interactions as rows of a log: `item_id`, `user_id`, `timestamp` and the session each belongs to."""
    import numpy as np

    stamps = pl.Series("timestamp", train.timestamps, pl.Int64).cast(pl.Datetime("us", "UTC"))
    rows = pl.DataFrame(
        {
            "item_id": train.items.at(train.item_rows.astype(np.int64)),
            "user_id": train.users.at(train.user_rows.astype(np.int64)),
            "timestamp": stamps,
        }
    )
    columns = ["item_id", "user_id", "timestamp"]
    sessions = log.select(*columns, "session_id").unique(columns, keep="first", maintain_order=True)
    return rows.join(sessions, on=columns, how="left", maintain_order="left")


def save_encoders(workspace: Workspace, roles: Mapping[str, str], folder: Path) -> None:
    """Keep the encoder of each learned space of `roles` with the version in `folder`, for items that come later.

    `vitrine train fusion` may learn the space anew, in other directions; a version trained before never reads that.
    """
    from embedding.fusion.encoder import ARTIFACT, load_fusion

    made = workspace.manifest(ARTIFACT)
    for space in learned_roles(workspace, roles).values():
        table = workspace.manifest(f"embeddings/{space}")
        if made is not None and table is not None and made.key == table.key:
            place = folder / KEPT / space
            place.mkdir(parents=True)
            load_fusion(workspace).save(place)


def later_fused(
    workspace: Workspace, folder: Path, roles: Mapping[str, str], new: Sequence[Item]
) -> dict[str, EmbeddingTable]:
    """Return the fused vectors by role of items that came after the training of the version in `folder`.

    Raises:
        DataError: When the version's encoder or a space it reads is damaged.
    """
    from embedding.fusion.encoder import FusionEncoder
    from embedding.job import load_embeddings

    found = {}
    for role, space in roles.items():
        if (place := folder / KEPT / space).is_dir():
            encoder = FusionEncoder.load(place)
            there = {r: s for r, s in encoder.spaces.items() if workspace.has(f"embeddings/{s}")}
            tables = {r: load_embeddings(workspace, s) for r, s in there.items()}
            found[role] = encoder.encode_items(tables, IdMap(item.item_id for item in new))
    return found


def require_earlier(workspace: Workspace, roles: Mapping[str, str], as_of: datetime | None) -> None:
    """Refuse a learned space that knows events from `as_of` on.

    Raises:
        ConfigError: When one does; the text says how to make an earlier one.
    """
    from catalog.errors import ConfigError
    from embedding.learned import learned_rows

    for role, space in learned_roles(workspace, roles).items():
        rows = learned_rows(workspace, space) if as_of is not None else None
        late = rows.filter(pl.col("timestamp") >= as_of) if rows is not None else ()
        if len(late) and as_of is not None:
            raise ConfigError(
                f"--as-of {as_of.isoformat()}: space {space!r} of role {role!r} was learned from {len(late):,} later "
                f"events; run vitrine train fusion --set encoders.fusion.as_of={as_of.isoformat()} first"
            )
