"""Where a model's files stand on this machine, and which weights they are. Nothing is ever downloaded."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError

_WHOLE = 64 * 2**20
_SAMPLES, _SAMPLE = 256, 64 * 2**10
_DIGESTED = ("*.safetensors", "*.json", "*.txt", "*.model", "*.pt", "*.bin")


def find_model(name: str, setting: str) -> Path:
    """Return the folder of a model: a folder on this machine, or the snapshot of a name in the local hub cache.

    Args:
        name: A path, or a name such as `Qwen/Qwen3-Embedding-0.6B`.
        setting: Which setting said so, for the error.

    Raises:
        ConfigError: When it is neither, or lacks `config.json` or safetensors; the text says how to place them.
    """
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = _cached(name, setting)
    if not (folder / "config.json").is_file() and not (folder / "modules.json").is_file():
        raise ConfigError(
            f"{setting} is {name!r}: {str(folder)!r} holds no config.json; a model's whole folder is wanted"
        )
    if next(folder.rglob("*.safetensors"), None) is None:
        raise ConfigError(
            f"{setting} is {name!r}: {str(folder)!r} holds no .safetensors file; other weights are not read, since a "
            "pickle can run code; convert them, or take a revision that has safetensors"
        )
    return folder


def provenance(name: str, folder: Path, *settings: str) -> str:
    """Return the name of a model with the digest of its files and the settings that change vectors."""
    short = Path(name).name if Path(name).expanduser().is_dir() else name
    return " ".join([f"{short}@{weights_sha(folder)[:12]}", *settings])


def weights_sha(path: Path) -> str:
    """Return a digest of a model's file or folder: names, sizes and bytes.

    Of a file above 64 MB, 256 blocks of 64 KB spread evenly are read: training moves every weight, so that another
    training cannot go unseen, and eight billion weights are known in a fraction of a second.
    """
    files = [path] if path.is_file() else sorted({file for form in _DIGESTED for file in path.rglob(form)})
    digest = hashlib.sha256()
    for file in files:
        status = file.stat()
        digest.update(file.name.encode() if path.is_file() else file.relative_to(path).as_posix().encode())
        digest.update(_file_sha(file.resolve(), status.st_size, status.st_mtime_ns))
    return digest.hexdigest()


def read_json(path: Path, setting: str) -> dict[str, Any]:
    """Return a JSON object of a model's folder; {} where the file is missing.

    Raises:
        ConfigError: When it is no JSON object.
    """
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError(f"{setting}: {str(path)!r} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise ConfigError(f"{setting}: {str(path)!r} holds {type(found).__name__}; a JSON object would be valid")
    return found


def hidden_size(folder: Path, setting: str) -> int:
    """Return the width of a transformers model from its `config.json`.

    Raises:
        ConfigError: When the file does not say.
    """
    config = read_json(folder / "config.json", setting)
    for told in (config, config.get("text_config") or {}):
        for key in ("hidden_size", "d_model", "n_embd", "dim"):
            if isinstance(told.get(key), int):
                return int(told[key])
    raise ConfigError(f"{setting}: {str(folder / 'config.json')!r} says no hidden_size; a text model's would be valid")


def _cached(name: str, setting: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise ConfigError(
            f"{setting} is {name!r}: no such folder, and not in the hub cache {HF_HUB_CACHE!r}. Nothing is "
            "downloaded: put its files (config.json, tokenizer.json, *.safetensors) into a folder and name that "
            "folder, or run `hf download` where there is a network and bring that cache along"
        ) from error


@lru_cache(maxsize=512)
def _file_sha(path: Path, size: int, _changed: int) -> bytes:
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= _WHOLE:
            while block := file.read(2**20):
                digest.update(block)
        else:
            for at in range(_SAMPLES):
                file.seek((size - _SAMPLE) * at // (_SAMPLES - 1))
                digest.update(file.read(_SAMPLE))
    return digest.digest()
