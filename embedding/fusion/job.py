"""`vitrine train fusion`: the encoder `encoders/fusion` and the space `fused` of a store."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from catalog.errors import ConfigError, NothingToDo
from catalog.ids import IdMap
from catalog.log import positives
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace, content_key
from embedding.fusion.config import FusionConfig
from embedding.fusion.encoder import ARTIFACT, SPACE, FusionEncoder, fit_fusion, load_fusion
from embedding.fusion.training import LEAST_HELD_OUT, FusionFit
from embedding.job import load_embeddings
from embedding.learned import save_learned

EMBEDDER = "fusion"
_FORMAT = 1
"""Part of the content key: raised when the same inputs would give other weights."""


@dataclass(frozen=True)
class FusionReport:
    """What a training came to.

    Attributes:
        made: Whether it had to train; False: the store's is of these very inputs.
        meta: What the artifact's manifest says.
    """

    made: bool
    meta: Mapping[str, Any]

    def _doubts(self) -> list[str]:
        """Return a line where nobody can say whether it learned anything."""
        if self.meta["held_out"]:
            return []
        least = math.ceil(LEAST_HELD_OUT / max(self.meta["baskets"], 1) * 100) / 100
        more = f"encoders.fusion.held_out={least:g} holds some out" if least <= 0.5 else "more of them would tell"
        return [
            f"  all {self.meta['epochs']} rounds were run and nothing was judged: of {self.meta['baskets']:,} "
            f"{self.meta['together']}s fewer than {LEAST_HELD_OUT} can be held out; {more}. Whether it beats the "
            "mean of its roles nobody knows"
        ]

    def lines(self) -> list[str]:
        """Return what a terminal is told."""
        told = self.meta
        roles = ", ".join(f"{role} {space}" for role, space in told["roles"])
        if not self.made:
            return [f"encoders/fusion: already current ({roles})"]
        found = told["held_out"]
        rounds = f"{told['epochs']} round{'' if told['epochs'] == 1 else 's'}"
        held = f", held-out ndcg@20 {found['first']:.4f} -> {found['best']:.4f}" if found else ", nothing held out"
        return [
            f"encoders/fusion: {roles}; {told['takes']:,} takes of {told['baskets']:,} {told['together']}s, "
            f"{rounds}{held}, {told['seconds']:.1f} s",
            *self._doubts(),
            f"embeddings/{SPACE}: {told['items']:,} items, {told['dim']} wide",
        ]


def train_fusion(
    workspace: Workspace,
    config: FusionConfig | None = None,
    *,
    roles: Mapping[str, str] | None = None,
    kinds: tuple[str, ...] | None = None,
    seed: int = 0,
    progress: Progress = SILENT,
) -> FusionReport:
    """Train on what shoppers took together, and write `encoders/fusion` and the space `fused`.

    Both are left alone while catalogue, log, spaces, settings and seed are the same.

    Args:
        workspace: Holds the catalogue and the roles' spaces.
        config: How; None: the defaults.
        roles: Space by role. None: `config.roles`.
        kinds: Event kinds that count as taking; see `catalog.log.positives`.
        seed: Of everything drawn.
        progress: Told of every round.

    Raises:
        NotBuiltError: When the catalogue or a space is missing.
        ConfigError: When a role names the fused space itself, or nothing was taken before `config.as_of`.
        DataError: When too few items were taken together, or an artifact is damaged.
        NothingToDo: When no role is named, or the store's space `fused` was brought along.
    """
    config = config or FusionConfig()
    roles = dict(roles or config.roles)
    if not roles:
        raise NothingToDo("fusion: the store has no space to fuse; vitrine embed makes some")
    if SPACE in roles.values():
        raise ConfigError(f"encoders.fusion.roles names {SPACE!r}, which is what it makes; other spaces would be valid")
    data = load_shop(workspace)
    standing = workspace.manifest(f"embeddings/{SPACE}")
    if standing is not None and standing.meta.get("embedder") != EMBEDDER:
        raise NothingToDo(f"space {SPACE!r}: the one in the store was brought along and stays")
    key = _key(workspace, roles, config, kinds, seed)
    current = workspace.manifest(ARTIFACT)
    if current is not None and current.key == key and standing is not None and standing.key == key:
        return FusionReport(False, current.meta)
    tables = {role: load_embeddings(workspace, space) for role, space in roles.items()}
    events = _events(data.log, kinds, config.as_of)
    encoder, fit = fit_fusion(tables, data.catalog.ids, events, config, seed=seed, progress=progress)
    table = encoder.encode_items(tables, data.catalog.ids)
    meta = {
        **_meta(encoder, fit, table, seed),
        "inputs": _inputs(workspace, roles),
        "as_of": config.as_of.isoformat() if config.as_of is not None else None,
        "learned_from": len(events),
        "kinds": list(kinds) if kinds is not None else None,
    }
    with workspace.writing(ARTIFACT, key, meta) as folder:
        encoder.save(folder)
    with workspace.writing(f"embeddings/{SPACE}", key, {"space": SPACE, "embedder": EMBEDDER, **meta}) as folder:
        table.save(folder)
        save_learned(events, folder)
    return FusionReport(True, meta)


def retrained(
    workspace: Workspace, items: IdMap, events: pl.DataFrame, *, progress: Progress = SILENT
) -> EmbeddingTable:
    """Return the space `fused` as the store's settings, roles and seed make it of other events, such as train rows.

    Kept below `reports/spaces/`, so that the same rows are learned from once.

    Args:
        workspace: Holds `encoders/fusion` and the spaces it reads.
        items: The catalogue.
        events: What to learn from: `item_id`, `user_id`, `timestamp`, and `session_id` for sessions.
        progress: Told of every round.

    Raises:
        NotBuiltError: When the encoder or a space is missing.
        DataError: When too few items were taken together, or an artifact is damaged.
    """
    encoder, manifest = load_fusion(workspace), workspace.manifest(ARTIFACT)
    assert manifest is not None
    seed = int(manifest.meta["seed"])
    columns = [name for name in ("item_id", "user_id", "session_id", "timestamp") if name in events.columns]
    rows = events.select(columns).sort(columns)
    key = content_key(
        "fusion of rows", _key(workspace, encoder.spaces, encoder.config, None, seed), rows.write_csv().encode()
    )
    name = f"reports/spaces/{key[:16]}"
    if workspace.has(name, key):
        with workspace.reading(name, whole=True) as folder:
            return EmbeddingTable.load(folder, SPACE)
    tables = {role: load_embeddings(workspace, space) for role, space in encoder.spaces.items()}
    fresh, _ = fit_fusion(tables, items, events, encoder.config, seed=seed, progress=progress)
    table = fresh.encode_items(tables, items)
    with workspace.writing(name, key, {"space": SPACE, "rows": len(events)}) as folder:
        table.save(folder)
        save_learned(events, folder)
    return table


def _key(
    workspace: Workspace,
    roles: Mapping[str, str],
    config: FusionConfig,
    kinds: tuple[str, ...] | None,
    seed: int,
) -> str:
    inputs = _inputs(workspace, roles)
    choices = config.model_dump(mode="json", exclude={"roles", "device"})
    return content_key("fusion", _FORMAT, inputs, list(roles.items()), choices, kinds, seed)


def _inputs(workspace: Workspace, roles: Mapping[str, str]) -> dict[str, str | None]:
    """Return the content key of everything that is read, by name."""
    names = ("catalog", *(f"embeddings/{space}" for space in roles.values()))
    return {name: getattr(workspace.manifest(name), "key", None) for name in names}


def _events(log: pl.DataFrame, kinds: tuple[str, ...] | None, as_of: datetime | None) -> pl.DataFrame:
    taken = positives(log, kinds)
    if as_of is None:
        return taken
    before = taken.filter(pl.col("timestamp") < as_of)
    if not len(before):
        first = str(taken["timestamp"].min())
        moment = as_of.isoformat()
        raise ConfigError(
            f"encoders.fusion.as_of is {moment!r}, before which nothing was taken; after {first} would be valid"
        )
    return before


def _meta(encoder: FusionEncoder, fit: FusionFit, table: EmbeddingTable, seed: int) -> dict[str, Any]:
    held_out = {"first": round(fit.history[0], 6), "best": round(max(fit.history), 6)} if fit.history else None
    return {
        "model": f"fusion transformer of {', '.join(encoder.roles)}",
        "roles": [[role, space] for role, space in encoder.spaces.items()],
        "dim": encoder.dim,
        "items": len(table.ids),
        "baskets": fit.baskets,
        "takes": fit.takes,
        "together": encoder.config.together,
        "epochs": fit.epochs,
        "held_out": held_out,
        "seconds": round(fit.seconds, 3),
        "seed": seed,
    }
