"""Where an open_clip model's weights and settings stand on this machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError, VitrineError, did_you_mean
from embedding.opening import why_not_opened
from embedding.weights import read_json, weights_sha

PICTURES = ("embedding.pictures.model", "embedding.pictures.pretrained")
"""Settings that name the model that reads pictures, and its weights."""
BASE = ("encoders.clip.base (--from)", "encoders.clip.pretrained")
"""Settings that name the model that a training starts from, and its weights."""
_FOLDER, _HUB = "local-dir:", "hf-hub:"
CONFIG = "open_clip_config.json"
_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin",
            "open_clip_pytorch_model.pth", "model.safetensors", "pytorch_model.bin")  # fmt: skip
"""In open_clip's own order of preference."""
_TRANSFORM = ("mean", "std", "interpolation", "resize_mode")
FEW = 5
"""Tags that an error names; a model has up to two dozen."""


@dataclass(frozen=True)
class ClipFiles:
    """What was found.

    Attributes:
        model: As open_clip takes it.
        weights: The checkpoint.
        in_folder: Whether open_clip finds the weights beside the settings itself.
        dim: Width of a vector.
        preprocess: Arguments of open_clip's `PreprocessCfg`.
        quick_gelu: Whether the weights were trained with QuickGELU although the settings do not say so.
        told: Provenance: name, tag and a digest of the weights.
        settings: open_clip's `model_cfg`.
        overrides: What `create_model` is told beyond the settings.
    """

    model: str
    weights: Path
    in_folder: bool
    dim: int
    preprocess: Mapping[str, Any]
    quick_gelu: bool
    told: str
    settings: Mapping[str, Any]
    overrides: Mapping[str, Any]


def find_clip(
    model: str, pretrained: str | None, cache: Path | None, settings: tuple[str, str] = PICTURES
) -> ClipFiles:
    """Return where the files of a model are.

    Args:
        model: A folder, `hf-hub:` with a name, or a name of open_clip's list.
        pretrained: Tag or file of its weights, for a name of the list.
        cache: Where files of tags stand; None: the usual places.
        settings: What the two are called where they were set, for errors.

    Raises:
        ConfigError: When the model or the tag is unknown, or the file is not on this machine.
    """
    folder = Path(model.removeprefix(_FOLDER)).expanduser()
    if folder.is_dir():
        return _in_folder(folder, folder.name, settings[0])
    if model.startswith(_HUB):
        return _in_folder(_snapshot(model.removeprefix(_HUB), cache, settings[0]), model, settings[0])
    return _of_the_list(model, pretrained, cache, settings)


@contextmanager
def offline(what: str) -> Iterator[None]:
    """Let nothing inside the block ask a hub, and turn what is missing into one line.

    Raises:
        ConfigError: When a file is missing or not the model's.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    except (VitrineError, MemoryError):
        raise
    # A hub that is asked, no tokenizer, weights of another model, a file cut off, a pickle with code: no common base.
    except Exception as error:
        raise ConfigError(
            f"{what} cannot be opened, and nothing is downloaded: {why_not_opened(error)}. A folder that "
            "holds open_clip_config.json, the weights and the tokenizer's files would be valid"
        ) from error
    finally:
        constants.HF_HUB_OFFLINE = before


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep open_clip from warning, through the root logger, that a model begins without weights."""

    def elsewhere(record: logging.LogRecord) -> bool:
        return "open_clip" not in record.pathname

    root = logging.getLogger()
    root.addFilter(elsewhere)
    try:
        yield
    finally:
        root.removeFilter(elsewhere)


def _in_folder(folder: Path, name: str, setting: str) -> ClipFiles:
    told = read_json(folder / CONFIG, setting)
    settings = told.get("model_cfg")
    if not isinstance(settings, dict) or "embed_dim" not in settings:
        raise ConfigError(
            f"{setting}: {str(folder)!r} has no {CONFIG} with model_cfg; open_clip saves one beside weights"
        )
    weights = next((folder / each for each in _WEIGHTS if (folder / each).is_file()), None)
    if weights is None:
        raise ConfigError(f"{setting}: {str(folder)!r} holds no weights; {_WEIGHTS[0]} would be valid")
    preprocess = _preprocess(settings, told.get("preprocess_cfg") or {})
    sha = f"{name}@{weights_sha(weights)[:12]}"
    return ClipFiles(
        f"{_FOLDER}{folder}", weights, True, int(settings["embed_dim"]), preprocess, False, sha, settings,
        whole_text_tower(folder, told),
    )  # fmt: skip


def whole_text_tower(folder: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `create_model` must be told so that a text tower of transformers is built from the folder alone.

    open_clip looks for `hf_model_name` on a hub, wherever the folder stands; with the tower's `config.json` beside
    the weights the folder is whole, and may be moved.
    """
    text = told["model_cfg"].get("text_cfg") or {}
    if not text.get("hf_model_name") or not (folder / "config.json").is_file():
        return {}
    return {"text_cfg": {**text, "hf_model_name": str(folder), "hf_model_pretrained": False}}


def _of_the_list(model: str, pretrained: str | None, cache: Path | None, settings: tuple[str, str]) -> ClipFiles:
    import open_clip
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

    chosen, weighted = settings
    told = open_clip.get_model_config(model)
    if told is None:
        near = did_you_mean(model, open_clip.list_models()).split("Available:")[0]
        raise ConfigError(f"{chosen} is {model!r}: no folder, and no model of open_clip. {near}`ViT-B-32`, for one, is")
    tags = list_pretrained_tags_by_model(model)
    if not pretrained:
        raise ConfigError(
            f"{weighted} is missing for model {model!r}: a file, or one of its tags would be valid: {_few(model, tags)}"
        )
    tag = get_pretrained_cfg(model, pretrained)
    weights = Path(pretrained).expanduser() if not tag else _cached(tag, cache)
    if weights is None:
        source = tag.get("hf_hub") or tag.get("url")
        raise ConfigError(
            f"{weighted} is {pretrained!r}: its weights ({source}) are not on this machine, and "
            "nothing is downloaded; fetch the file where there is a network and name it here, or place it in the cache"
        )
    if not weights.is_file():
        raise ConfigError(
            f"{weighted} is {pretrained!r}: no such file, and no tag of {model!r}. "
            f"{_near(pretrained, tags)}Its tags: {_few(model, tags)}"
        )
    preprocess = _preprocess(told, {key: tag[key] for key in _TRANSFORM if key in tag})
    gelu = bool(tag.get("quick_gelu")) and not told.get("quick_gelu", False)
    said = pretrained if tag else weights.name
    sha = f"{model} {said}@{weights_sha(weights)[:12]}"
    return ClipFiles(model, weights, False, int(told["embed_dim"]), preprocess, gelu, sha, told, {})


def _near(pretrained: str, tags: list[str]) -> str:
    """Return what may have been meant, without the whole list."""
    return did_you_mean(pretrained, tags).split("Available:")[0]


def _few(model: str, tags: list[str]) -> str:
    """Return the first tags, and where the others stand."""
    if len(tags) <= FEW:
        return ", ".join(tags) or "none"
    listed = f"open_clip.pretrained.list_pretrained_tags_by_model({model!r})"
    return f"{', '.join(tags[:FEW])} or one of {len(tags) - FEW} more, which {listed} lists"


def _preprocess(settings: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    size = settings["vision_cfg"].get("image_size", 224)
    return {"size": tuple(size) if isinstance(size, list) else size, **{k: v for k, v in given.items() if k != "size"}}


def _cached(tag: Mapping[str, Any], cache: Path | None) -> Path | None:
    """Return the file of a tag where it is in a cache, as open_clip would look for it."""
    from huggingface_hub import try_to_load_from_cache

    if hub := tag.get("hf_hub"):
        repository, _, named = str(hub).rpartition("/")
        names = (f"{named.rsplit('.', 1)[0]}.safetensors", named) if named else _WEIGHTS
        for name in names:
            found = try_to_load_from_cache(repository, name, cache_dir=cache)
            if isinstance(found, str):
                return Path(found)
    if url := tag.get("url"):
        file = (cache or Path("~/.cache/clip").expanduser()) / str(url).rsplit("/", 1)[-1]
        return file if file.is_file() else None
    return None


def _snapshot(name: str, cache: Path | None, setting: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, local_files_only=True, cache_dir=cache))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        raise ConfigError(
            f"{setting} is '{_HUB}{name}': not in the hub cache, and nothing is downloaded; put {CONFIG}, the weights "
            "and the tokenizer's files into a folder and name that folder"
        ) from error
