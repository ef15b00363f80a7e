"""`vitrine eval captions`: the store's spaces of vectors on the caption scoreboard, into reports on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import polars as pl

from catalog.errors import ConfigError, NotBuiltError, did_you_mean
from catalog.log import Interactions
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.splits import PROTOCOLS, ProtocolName, make_split
from catalog.workspace import Workspace
from embedding.job import load_embeddings, review_sources
from embedding.learned import learned_rows
from eval.captions.agreement import Agreement, agreements, require_reader
from eval.captions.board import scoreboard
from eval.captions.config import Prices, ScoreboardConfig
from eval.captions.contenders import Contender
from eval.captions.cost import cost_of
from eval.captions.report import scoreboard_json, write_scoreboard
from vitrine.fusing import learned_roles, relearned
from vitrine.published import data_origin
from vitrine.settings import Settings
from vitrine.wiring import choose_spaces

ALL = ""
"""Of whom a price is, where it names no space."""


@dataclass(frozen=True)
class Scored:
    """What came of it: the report, and every file that was written."""

    report: Mapping[str, Any]
    files: tuple[Path, ...]


def score_captions(
    settings: Settings,
    config: ScoreboardConfig,
    *,
    contenders: tuple[str, ...] = (),
    ground: str | None = None,
    protocol: str = "mmrec",
    label_column: str | None = None,
    prices: Mapping[str, Prices] | None = None,
    also: Path | None = None,
    progress: Progress = SILENT,
) -> Scored:
    """Rank spaces of the store, write `reports/captions/<protocol>.{json,md,png}`, and return the report.

    Args:
        settings: Whose store, positives, seed of the split, and role of text.
        config: Metric, grids, controls, and the model to check with.
        contenders: Spaces, or captions by name for all spaces of them; () takes every space.
        ground: Space of what the shop wrote; None: the text role's, where there is one.
        protocol: Of `catalog.splits`.
        label_column: A given split column of the log.
        prices: By space, `ALL` for all others.
        also: A further place for the JSON.
        progress: Told of every line and fit.

    Raises:
        ConfigError: When the protocol or the model to check with is unknown, or the latter reads no vectors.
        NotBuiltError: When a space or the captions are not in the store, or there is no space at all.
        DataError: When nobody can be judged; nothing has been fitted by then.
    """
    if protocol not in PROTOCOLS:
        raise ConfigError(f"unknown protocol {protocol!r}. {did_you_mean(protocol, list(PROTOCOLS))}")
    if config.check is not None:
        require_reader(config.check)
    workspace = Workspace(settings.store)
    data = load_shop(workspace)
    manifest = workspace.manifest("catalog")
    assert manifest is not None
    on = ground if ground is not None else choose_spaces(settings, workspace).get("text")
    below = load_embeddings(workspace, on) if on is not None else None
    entered = [load_contender(workspace, name, prices or {}) for name in chosen_spaces(workspace, contenders)]
    split = make_split(
        data.log, data.catalog.ids, protocol=cast(ProtocolName, protocol), label_column=label_column,
        positives=settings.positives, seed=settings.seed,
    )  # fmt: skip
    entered = learned_anew(workspace, entered, split.train, data.log, progress)
    board = scoreboard(split, entered, config, ground=below, progress=progress)
    checked: tuple[Agreement, ...] = ()
    if config.check is not None:
        checked = agreements(
            split, board, entered, config, ground=below, workspace=workspace, data_key=manifest.key, progress=progress
        )
    report = scoreboard_json(
        board, checked, entered, config,
        dataset=data.name, origin=data_origin(manifest, data.log), data_key=manifest.key, protocol=protocol,
        split={"label_column": label_column, **dict(split.meta)},
    )  # fmt: skip
    return Scored(report, tuple(write_scoreboard(workspace.root / "reports" / "captions", protocol, report, also)))


def chosen_spaces(workspace: Workspace, wanted: Sequence[str]) -> list[str]:
    """Return the spaces that names stand for: a space, or captions, which stand for every space of theirs.

    Raises:
        NotBuiltError: When a name is neither, captions have no vectors yet, or nothing is named and there is no space.
    """
    there, captions = workspace.names("embeddings"), workspace.names("captions")
    if not there:
        raise NotBuiltError("no embedding space is in the store: run vitrine caption and vitrine embed first")
    chosen: list[str] = []
    for name in wanted or there:
        spaces = [name] if name in there else [each for each in there if _meta(workspace, each).get("captions") == name]
        if not spaces and name in captions:
            raise NotBuiltError(
                f"captions {name!r} have no vectors yet: run vitrine embed with captions of {name!r} first"
            )
        if not spaces:
            raise NotBuiltError(
                f"no embedding space and no captions {name!r} in the store. {did_you_mean(name, [*there, *captions])}"
            )
        chosen += spaces
    return list(dict.fromkeys(chosen))


def load_contender(workspace: Workspace, space: str, prices: Mapping[str, Prices]) -> Contender:
    """Return a space with what is known of its making."""
    meta = _meta(workspace, space)
    captions = meta.get("captions")
    made = workspace.manifest(f"captions/{captions}") if captions is not None else None
    artifacts = [*([f"captions/{captions}"] if captions is not None else []), f"embeddings/{space}"]
    return Contender(
        space,
        load_embeddings(workspace, space),
        captioner=None if captions is None else _captioner(captions, made.meta if made else {}),
        prompt=str(made.meta["prompt_sha"])[:8] if made and made.meta.get("prompt_sha") else None,
        embedder=meta.get("embedder"),
        stale=made is not None and made.key != meta.get("captions_key"),
        cost=cost_of(workspace, artifacts, prices.get(space, prices.get(ALL, Prices()))),
        learned_from=_learned_from(workspace, space),
    )


def learned_anew(
    workspace: Workspace, entered: Sequence[Contender], train: Interactions, log: pl.DataFrame, progress: Progress
) -> list[Contender]:
    """Return the contenders, spaces that learned from what shoppers took learned anew from train rows alone.

    What cannot be learned anew (a film encoder that saw clicks of items) stays as it is, with the rows that it knows.
    """
    learned = learned_roles(workspace, {each.name: each.name for each in entered})
    if not learned:
        return list(entered)
    tables, sources = relearned(
        workspace, learned, {each.name: each.table for each in entered if each.name in learned}, train, log, progress
    )
    return [
        replace(
            each, table=tables[each.name], learned_anew=True,
            learned_from=frozenset(sources[each.name].select("user_id", "item_id").iter_rows()),
        )
        if each.name in learned
        else each
        for each in entered
    ]  # fmt: skip


def _learned_from(workspace: Workspace, space: str) -> frozenset[tuple[str, str]]:
    """Return user and item of every event that a space was learned from, or whose review it holds."""
    tables = (learned_rows(workspace, space), review_sources(workspace, space))
    return frozenset(
        pair for table in tables if table is not None for pair in table.select("user_id", "item_id").iter_rows()
    )


def _captioner(name: str, meta: Mapping[str, Any]) -> str:
    model = meta.get("model")
    return name if model is None or model == name else f"{name} ({model})"


def _meta(workspace: Workspace, space: str) -> Mapping[str, Any]:
    manifest = workspace.manifest(f"embeddings/{space}")
    return manifest.meta if manifest is not None else {}


def parse_prices(pairs: Mapping[str, str]) -> dict[str, Prices]:
    """Return `{"prompt": "0.15", "caption-a-minilm:hour": "2"}` as prices by space, `ALL` for all others.

    Raises:
        ConfigError: When a kind is unknown or an amount is no number of 0 or more.
    """
    found: dict[str, dict[str, float]] = {}
    kinds = list(Prices.model_fields)
    for name, text in pairs.items():
        space, _, kind = name.rpartition(":")
        if kind not in kinds:
            raise ConfigError(f"--price {name!r}: unknown kind {kind!r}. {did_you_mean(kind, kinds)}")
        try:
            amount = float(text)
        except ValueError:
            amount = -1.0
        if not 0 <= amount < float("inf"):
            raise ConfigError(f"--price {name}={text!r} is no price; a number of 0 or more would be valid")
        found.setdefault(space, {})[kind] = amount
    return {space: Prices(**each) for space, each in found.items()}
