"""`vitrine search`: the store's train and validation part through a hyper-parameter search."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, cast

from catalog.errors import ConfigError, did_you_mean
from catalog.progress import SILENT, Progress
from catalog.shop_data import load_shop
from catalog.splits import PROTOCOLS, ProtocolName, make_split
from catalog.workspace import Workspace, content_key, write_text
from eval.contenders import contender
from eval.report import LABELS, commit
from eval.search import SearchConfig, search
from eval.search_report import search_json, search_markdown, search_toml
from eval.trials import merged
from models import registry
from models.provenance import code_key
from vitrine.fusing import relearned
from vitrine.published import data_origin
from vitrine.settings import Settings
from vitrine.wiring import choose_spaces, load_modalities


def search_store(
    settings: Settings,
    model: str,
    config: SearchConfig,
    *,
    protocol: str = "mmrec",
    label_column: str | None = None,
    progress: Progress = SILENT,
) -> tuple[dict[str, Any], str, Path]:
    """Search on the validation part of one protocol, and write what was found below `reports/search/<model>/`.

    Finished trials are kept by the content of everything they rest on, the model's own code included: the same
    search goes on where it was killed, another one begins anew.

    Returns:
        The report, the best settings as TOML, and the file that holds them.

    Raises:
        ConfigError: When the model, the protocol or a fixed setting is unknown.
        DataError: When no trial finishes.
    """
    if protocol not in PROTOCOLS:
        raise ConfigError(f"unknown protocol {protocol!r}. {did_you_mean(protocol, list(PROTOCOLS))}")
    if model not in registry.names():
        raise ConfigError(f"unknown model {model!r}. {did_you_mean(model, registry.names())}")
    workspace = Workspace(settings.store)
    data = load_shop(workspace)
    manifest = workspace.manifest("catalog")
    assert manifest is not None
    roles = choose_spaces(settings, workspace, model)
    split = make_split(
        data.log,
        data.catalog.ids,
        protocol=cast(ProtocolName, protocol),
        label_column=label_column,
        positives=settings.positives,
        seed=settings.seed,
    )
    fixed = dict(settings.models.overrides.get(model, {}))
    spaces = {role: getattr(workspace.manifest(f"embeddings/{space}"), "key", None) for role, space in roles.items()}
    rows = [part.tobytes() for side in (split.train, split.valid) for part in (side.user_rows, side.item_rows)]
    asked = config.model_dump(mode="json", exclude={"trials", "timeout"})
    key = content_key("search", model, code_key(model), manifest.key, protocol, *rows, spaces, fixed, asked)
    folder = workspace.root / "reports" / "search" / model
    read, _ = relearned(workspace, roles, load_modalities(workspace, roles), split.train, data.log, progress)
    found = search(
        model,
        split.train,
        split.valid,
        read,
        config,
        fixed=fixed,
        kept=folder / f"trials-{key[:16]}.jsonl",
        progress=progress,
    )
    report = search_json(
        found,
        config,
        {
            "dataset": data.name,
            "protocol": protocol,
            "label_column": label_column,
            "label": LABELS[data_origin(manifest, data.log)],
            "modalities": roles,
            "data_key": manifest.key,
            "commit": commit(),
        },
    )
    toml = search_toml(found)
    name = protocol if label_column is None else f"{protocol}-{label_column}"
    write_text(folder / f"{name}.json", json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    write_text(folder / f"{name}.md", search_markdown(report, toml))
    write_text(folder / f"{name}.toml", toml)
    return report, toml, folder / f"{name}.toml"


def with_parameters(settings: Settings, files: list[Path]) -> Settings:
    """Return the settings with the model parameters of what searches wrote; a later file wins.

    Raises:
        ConfigError: When a file is missing, is no TOML, or holds anything but `[models.overrides.<name>]`.
    """
    overrides: dict[str, Any] = dict(settings.models.overrides)
    for path in files:
        try:
            tree = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"--parameters {str(path)!r} is no TOML: {error}") from error
        found = tree.get("models", {}).get("overrides") if isinstance(tree.get("models"), dict) else None
        if list(tree) != ["models"] or list(tree["models"]) != ["overrides"] or not isinstance(found, dict):
            raise ConfigError(
                f"--parameters {str(path)!r}: only tables [models.overrides.<model>] would be valid, as "
                "`vitrine search` writes them"
            )
        for name, parameters in found.items():
            contender(name, parameters)
        overrides = merged(overrides, found)
    chosen = settings.models.model_copy(update={"overrides": overrides})
    return settings.model_copy(update={"models": chosen})
