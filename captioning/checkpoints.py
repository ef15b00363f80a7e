"""Where the files of a model lie; nothing is downloaded that was not asked for."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field

from captioning.pixel_budget import VisionConfig
from catalog.errors import ConfigError
from catalog.workspace import content_key

HASHED = 1 << 20
"""Files up to this many bytes are told apart by their content, larger ones by their size."""


class CheckpointConfig(VisionConfig):
    """Which weights a library loads into this process."""

    model: str = Field(min_length=1)
    """A folder with the files of a model, or its name on the hub, such as `Qwen/Qwen2.5-VL-7B-Instruct`."""
    revision: str | None = None
    """Branch, tag or commit of a model named by its hub name."""
    local_files_only: bool = True
    """Only a folder or the local model cache is looked in; false lets a missing model be downloaded."""

    @property
    def model_name(self) -> str:
        """What captions call the model: its name on the hub, or the folder's name."""
        folder = Path(self.model).expanduser()
        return folder.resolve().name if folder.is_dir() else self.model


def checkpoint_folder(config: CheckpointConfig, group: str) -> Path | None:
    """Return the folder of the model's files; None when they are not here and may be downloaded.

    Args:
        config: Names the model.
        group: The group of settings it stands in, for the error.

    Raises:
        ConfigError: When it is not here and must not be downloaded, or the folder holds no model.
    """
    given = Path(config.model).expanduser()
    if given.is_dir():
        if not (given / "config.json").is_file():
            raise ConfigError(
                f"{group}.model is {config.model!r}, a folder without config.json; the folder that holds config.json, "
                "the tokenizer and the weights would be valid"
            )
        return given.resolve()
    if (cached := _cached(config)) is not None:
        return cached
    if _is_path(config.model):
        raise ConfigError(
            f"{group}.model is {config.model!r}, which is no folder here; a folder with config.json, the tokenizer and "
            "the weights, or a name on the hub such as Qwen/Qwen2.5-VL-7B-Instruct, would be valid"
        )
    if not config.local_files_only and not _offline():
        return None
    free = "set HF_HUB_OFFLINE=0" if not config.local_files_only else f"set {group}.local_files_only=false"
    raise ConfigError(
        f"{group}.model is {config.model!r}, which is no folder here and not in the local model cache; place its files "
        f"in a folder and name that, run `hf download {config.model}` where there is a network and copy the cache, or "
        f"{free} to let it be downloaded"
    )


def fingerprint(config: CheckpointConfig, folder: Path | None) -> str:
    """Return a hash of what is loaded: of small files the content, of weights name and size.

    Two checkpoints in one folder, one after the other, are two models to a caption's provenance.
    """
    if folder is None:
        return content_key(config.model, config.revision)
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix not in (".md", ".py", ""))
    return content_key(*((path.name, content_key(path) if _small(path) else path.stat().st_size) for path in files))


def _small(path: Path) -> bool:
    return path.stat().st_size <= HASHED


def _cached(config: CheckpointConfig) -> Path | None:
    """Return the snapshot of a hub name in the local cache, where its weights are there as well."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(config.model, revision=config.revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError):
        return None
    whole = (folder / "config.json").is_file() and any(folder.glob("*.safetensors"))
    return folder if whole else None


def _is_path(model: str) -> bool:
    """Whether this can be no name on the hub, which has one slash at most and does not begin like a path."""
    return model.count("/") > 1 or model.startswith(("/", ".", "~")) or "\\" in model


def _offline() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")
