"""`vitrine eval`: the store's data through one or several protocols, into reports on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from captioning.intents.job import load_intents
from catalog.errors import ConfigError, did_you_mean
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.splits import PROTOCOLS, ProtocolName, make_split
from catalog.workspace import Workspace
from eval.audit import audit
from eval.config import EvalConfig
from eval.contenders import names, reads_as
from eval.diagnosis import DiagnosisConfig, diagnosed
from eval.earlier import keep_earlier
from eval.report import report_json
from eval.report_files import write_report
from eval.requirements import require_test_users, require_valid_users
from eval.table import evaluate
from vitrine.fusing import relearned
from vitrine.published import data_origin, published_rows
from vitrine.remedies import saying_the_remedy, with_remedy
from vitrine.settings import Settings
from vitrine.training import ranker_intents
from vitrine.wiring import choose_spaces, load_modalities, review_roles, undated_roles


@dataclass(frozen=True)
class Evaluated:
    """What came of it.

    Attributes:
        report: One report, or `{"reports": [...]}` for several protocols.
        files: Every file that was written.
        earlier: Where the report is kept whose place it took; None where there was none.
    """

    report: Mapping[str, Any]
    files: tuple[Path, ...]
    earlier: Path | None = None


def evaluate_store(
    settings: Settings,
    config: EvalConfig,
    *,
    protocols: tuple[str, ...],
    label_column: str | None = None,
    diagnose: DiagnosisConfig | None = None,
    also: Path | None = None,
    progress: Progress = SILENT,
) -> Evaluated:
    """Evaluate, write `reports/<protocols>.{json,md,npz,png}`, and return the report.

    A role that only some of the models ask for is read by those alone; lists are compared in the others' roles. A space
    learned from what shoppers took (`fused`) is learned anew from each protocol's train rows.
    With `diagnose`, each report says what features do to item ids in a model that learns both.

    Raises:
        ConfigError: When a protocol or model is unknown; nothing has been fitted by then.
        DataError: When no user has a test row under one of the protocols, or `diagnose` lacks a validation row; nothing
            has been fitted by then either.
    """
    for protocol in protocols:
        if protocol not in PROTOCOLS:
            raise ConfigError(f"unknown protocol {protocol!r}. {did_you_mean(protocol, list(PROTOCOLS))}")
    for model in config.models:
        if model not in names():
            raise ConfigError(f"unknown model {model!r}. {did_you_mean(model, names())}")
    workspace = Workspace(settings.store)
    data = load_shop(workspace)
    manifest = workspace.manifest("catalog")
    assert manifest is not None
    usual = choose_spaces(settings, workspace)
    asked = {model: choose_spaces(settings, workspace, reads_as(model)) for model in config.models}
    roles = {**usual, **{role: space for mine in asked.values() for role, space in mine.items()}}
    if len(roles) > len(usual):
        config = config.model_copy(update={"roles": {**{m: tuple(mine) for m, mine in asked.items()}, **config.roles}})
    for role in config.shuffle:
        if role not in roles:
            raise ConfigError(f"--shuffle {role!r} is no modality in use. {did_you_mean(role, list(roles))}")
    if diagnose is not None and not usual:
        raise ConfigError("--diagnose needs features beside the ids and the store has none; run vitrine embed first")
    splits = [
        make_split(
            data.log,
            data.catalog.ids,
            protocol=cast(ProtocolName, protocol),
            label_column=label_column,
            positives=settings.positives,
            seed=settings.seed,
        )
        for protocol in protocols
    ]
    for split in splits:
        require_test_users(split)
        if diagnose is not None:
            require_valid_users(split, "--diagnose")
    modalities = load_modalities(workspace, roles)
    reports, tables = [], []
    for split in splits:
        read, learned = relearned(workspace, roles, modalities, split.train, data.log, progress)
        shared = {role: read[role] for role in usual}
        with saying_the_remedy():
            table = evaluate(
                split, read, config, workspace=workspace, data_key=manifest.key, backdrop=shared, progress=progress
            )
        report = report_json(
            table,
            dataset=data.name,
            origin=data_origin(manifest, data.log),
            data_key=manifest.key,
            modalities=roles,
            config=config,
        )
        audited = audit(
            split, read, catalog=data.catalog, log=data.log, positives=settings.positives,
            undated=undated_roles(workspace, roles), reviews=review_roles(workspace, roles), learned=learned,
            intents=load_intents(workspace, said) if (said := ranker_intents(settings, workspace)) else None,
        )  # fmt: skip
        given = {"label_column": label_column, **dict(split.meta)}
        found = {"audit": audited.as_json(), "published": published_rows(split), "split": given}
        if diagnose is not None:
            found["diagnosis"] = diagnosed(split.train, split.valid, shared, diagnose, progress)
        refused = {name: with_remedy(why) for name, why in table.refused.items()}
        reports.append({**report, "refused": refused, **found})
        tables.append(table)
    whole = reports[0] if len(reports) == 1 else {"reports": reports}
    folder, name = workspace.root / "reports", "-".join(protocols)
    earlier = keep_earlier(folder, name, tuple(protocols) if len(protocols) > 1 else ())
    return Evaluated(whole, tuple(write_report(folder, name, whole, also, tables)), earlier)
