"""Models from the hub: what one is, how much of it is still to come, and bringing it, resumed where it broke off."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError, DataError, ServiceError
from vitrine.real.choices import OPTION, Choice

WANTED = (
    "*.json", "*.safetensors", "*.model", "*.txt", "*.tiktoken", "*.jinja", "LICENSE*", "LICENCE*", "NOTICE*",
    "README.md",
)  # fmt: skip
"""Weights are read from safetensors alone: a pickle is neither brought nor opened."""
UNWANTED = ("*/*.safetensors", "consolidated*", "onnx/*", "openvino/*")
"""The same weights again, in other forms."""


class HubAwayError(ConfigError):
    """The hub cannot be asked about a model that is not here; what it would take is not known."""


@dataclass(frozen=True, slots=True)
class HubModel:
    """One model of the hub, looked at and not yet brought.

    Attributes:
        choice: As it was named.
        commit: Which state of it.
        licence: As its makers state it; None where they state none.
        config: Its config.json.
        size: Bytes of the files that are wanted, and of the weights among them.
        weights: Bytes of the weights.
        left: Bytes still to come.
        folder: Where it lies once it is whole.
    """

    choice: Choice
    commit: str
    licence: str | None
    config: Mapping[str, Any]
    size: int
    weights: int
    left: int
    folder: Path | None


def endpoint() -> str:
    """Return the address of the hub: `HF_ENDPOINT`, else the public one."""
    return os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")


def look(choice: Choice, cache: Path | None) -> HubModel:
    """Ask the hub about a model; only its config.json is brought. Without the hub, take what is in the cache.

    Raises:
        ConfigError: When there is no such model, or it wants its terms accepted.
        HubAwayError: When it is not here and the hub cannot be asked.
    """
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download

    with _told(choice, cache):
        there = _cached(choice, cache)
        if there is not None:
            return there
        info = HfApi(endpoint=endpoint()).model_info(choice.name, revision=choice.detail)
        # Asked for by its branch, so that the cache notes which commit the branch is.
        files = snapshot_download(
            choice.name, revision=choice.detail, allow_patterns=list(WANTED), ignore_patterns=list(UNWANTED),
            dry_run=True, cache_dir=cache, endpoint=endpoint(), tqdm_class=_quiet(),
        )  # fmt: skip
        weights = [each for each in files if each.filename.endswith(".safetensors")]
        if not weights or "config.json" not in {each.filename for each in files}:
            raise ConfigError(
                f"{OPTION[choice.role]} {choice.name!r} on {endpoint()} has no config.json or no *.safetensors; a "
                "model whose weights are safetensors would be valid, since pickles are never opened"
            )
        commit = files[0].commit_hash
        config = hf_hub_download(
            choice.name, "config.json", revision=commit, cache_dir=cache, endpoint=endpoint()
        )  # fmt: skip
        card = info.card_data
        sizes = [each.file_size or 0 for each in files]
        return HubModel(
            choice,
            commit,
            str(card.license) if card is not None and card.license else _tagged(info.tags),
            json.loads(Path(config).read_text(encoding="utf-8")),
            sum(sizes),
            sum(each.file_size or 0 for each in weights),
            sum(each.file_size or 0 for each in files if each.will_download),
            None,
        )


def bring(model: HubModel, cache: Path | None) -> Path:
    """Download what is missing of a model and return its folder; a broken download goes on where it was.

    Raises:
        ConfigError: When the hub refuses it.
        ServiceError: When the hub stays away; what came is kept.
        DataError: When the disk has no room.
    """
    from huggingface_hub import snapshot_download

    if model.folder is not None:
        return model.folder
    with _told(model.choice, cache):
        return Path(
            snapshot_download(
                model.choice.name, revision=model.commit, cache_dir=cache, endpoint=endpoint(), tqdm_class=_quiet(),
                allow_patterns=list(WANTED), ignore_patterns=list(UNWANTED),
            )
        )  # fmt: skip


def _cached(choice: Choice, cache: Path | None) -> HubModel | None:
    """Return a model that lies whole in the cache; the hub is not asked for a newer one."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = Path(
            snapshot_download(
                choice.name, revision=choice.detail, cache_dir=cache, local_files_only=True, endpoint=endpoint(),
                allow_patterns=list(WANTED), ignore_patterns=list(UNWANTED),
            )
        )  # fmt: skip
    except LocalEntryNotFoundError:
        return None
    weights = sorted(folder.glob("*.safetensors"))
    if not weights or not (folder / "config.json").is_file() or _shards_missing(folder):
        return None  # brought in part, by us or another program
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
    return HubModel(
        choice, folder.name, None, config, size, sum(path.stat().st_size for path in weights), 0, folder
    )  # fmt: skip


def _shards_missing(folder: Path) -> bool:
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return False
    named = json.loads(index.read_text(encoding="utf-8")).get("weight_map", {}).values()
    return any(not (folder / name).is_file() for name in set(named))


def _tagged(tags: list[str] | None) -> str | None:
    return next((tag.removeprefix("license:") for tag in tags or () if tag.startswith("license:")), None)


def _quiet() -> Any:
    """Return a bar that shows nothing where nobody watches a terminal."""
    import sys

    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    class Quiet(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "disable": not sys.stderr.isatty()})

    return Quiet


@contextmanager
def _told(choice: Choice, cache: Path | None) -> Iterator[None]:
    """Turn what the hub's library raises into one line."""
    import httpx2
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )  # fmt: skip

    named = f"{OPTION[choice.role]} {choice.text()!r}"
    try:
        yield
    except GatedRepoError as error:
        raise ConfigError(
            f"{named} wants its terms accepted: open {endpoint()}/{choice.name} signed in, accept them, and set "
            "HF_TOKEN to a token of yours"
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise ConfigError(
            f"{named} is not on {endpoint()}; 'organisation/model', with @revision where it matters, would be valid "
            "(a private one needs HF_TOKEN)"
        ) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        raise ServiceError(
            f"{named}: {endpoint()} answered {status}; what came is kept, run the same command again", retryable=True
        ) from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, httpx2.TransportError) as error:
        raise HubAwayError(
            f"{named} is not in the model cache and {endpoint()} cannot be reached: with a network `hf download "
            f"{choice.name} --local-dir {choice.name.rpartition('/')[2]}`, copy that folder whole to this machine and "
            f"name it in place of {choice.name!r}"
        ) from error
    except OSError as error:
        import errno

        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"{named}: no room left below {str(cache or 'the model cache')!r}; what came is kept"
            ) from error
        raise
