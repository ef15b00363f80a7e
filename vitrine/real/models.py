"""The three models, found: what their files say, or what a running server says of itself."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError, ServiceError
from vitrine.real.checkpoints import Checkpoint, checkpoint, read_checkpoint, require_role
from vitrine.real.choices import OPTION, Choice
from vitrine.real.commands import window
from vitrine.real.config import RealConfig, Role
from vitrine.real.hub import HubAwayError, HubModel, bring, look
from vitrine.real.memory import Placement

KEYS: dict[Role, str] = {
    "captions": "VITRINE_CAPTION_API_KEY", "embeddings": "VITRINE_EMBED_API_KEY", "agent": "VITRINE_LLM_API_KEY",
}  # fmt: skip
"""Environment variables that may hold the key of a server that runs already."""
NOWHERE = "http://127.0.0.1:9/v1"
"""Address of a server that is not up: settings name one even where nothing is asked."""
ASKED_AS = "Instruct: Given what a shopper asks for, retrieve the products that fit\nQuery: "
"""Put before a shopper's words for Qwen3-Embedding, which was trained with one."""


@dataclass(frozen=True, slots=True)
class Found:
    """One model, looked at.

    Attributes:
        choice: As it was named.
        checkpoint: What its files say; None for what is built in and for a server elsewhere.
        folder: Where its files lie; None until a model of the hub has been brought.
        hub: What the hub says of it.
        model: Name that its server knows it by.
        width: Of its vectors, for embeddings.
        away: Why nothing is known of it but its name; None where it could be looked at.
    """

    choice: Choice
    checkpoint: Checkpoint | None = None
    folder: Path | None = None
    hub: HubModel | None = None
    model: str = ""
    width: int = 0
    away: str | None = None

    @property
    def artifact(self) -> str:
        """What captions and embedding spaces are called after it."""
        return re.sub(r"[^a-z0-9._-]+", "-", self.model.rpartition("/")[2].lower()).strip("-._") or "model"


def find(choice: Choice, config: RealConfig) -> Found:
    """Return what a choice stands for; of a model on the hub only the config.json is brought.

    Where the hub cannot be asked it is known by name alone, `Found.away` says why.

    Raises:
        ConfigError: When it cannot be had or cannot do its job.
        ServiceError: When a server does not answer.
    """
    try:
        return _found(choice, config)
    except HubAwayError as error:
        return Found(choice, model=choice.name.rpartition("/")[2], away=str(error))


def _found(choice: Choice, config: RealConfig) -> Found:
    if choice.kind == "built in":
        return Found(choice)
    if choice.kind == "server":
        return _ask(choice)
    if choice.kind == "folder":
        known = read_checkpoint(choice.folder.name, choice.folder)
        found = Found(choice, known, choice.folder, None, known.name, known.width)
    else:
        seen = look(choice, config.models)
        name = choice.name.rpartition("/")[2]
        known = checkpoint(name, seen.config, seen.weights)
        found = Found(choice, known, None, seen, name, known.width)
        if seen.folder is not None:
            found = _placed(found, seen.folder)
    require_role(known, choice.role)
    return found


def fetch(found: Found, config: RealConfig) -> Found:
    """Bring a model of the hub, where it is not here; others stay as they are."""
    if found.hub is None or found.folder is not None:
        return found
    return _placed(found, bring(found.hub, config.models))


def _placed(found: Found, folder: Path) -> Found:
    return replace(found, checkpoint=read_checkpoint(found.model, folder), folder=folder)


def _ask(choice: Choice) -> Found:
    """Ask a running server which model it serves, and for embeddings how wide its vectors are."""
    key = os.environ.get(KEYS[choice.role], "")
    served = [str(each["id"]) for each in _json(choice, key, "/models", None)["data"]]
    model = choice.detail or (served[0] if len(served) == 1 else None)
    if model is None or model not in served:
        raise ConfigError(
            f"{OPTION[choice.role]} {choice.text()!r} serves {', '.join(served) or 'nothing'}; one of them after '#', "
            f"as in {choice.name}#{served[0] if served else 'model'}, would be valid"
        )
    width = 0
    if choice.role == "embeddings":
        answer = _json(choice, key, "/embeddings", {"model": model, "input": ["a red mug"]})
        width = len(answer["data"][0]["embedding"])
    return Found(choice, model=model, width=width)


def _json(choice: Choice, key: str, path: str, body: Mapping[str, Any] | None) -> Any:
    import httpx

    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        answer = httpx.request(
            "GET" if body is None else "POST", choice.name + path, json=body, headers=headers, timeout=60.0
        )  # fmt: skip
        answer.raise_for_status()
        told = answer.json()
        told["data"][0]  # both answers are lists of something
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ServiceError(
            f"{OPTION[choice.role]} {choice.text()!r} does not answer at {path}: {error}; the address of an "
            f"OpenAI-compatible server, with its key in {KEYS[choice.role]}, would be valid"
        ) from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ServiceError(
            f"{OPTION[choice.role]} {choice.text()!r} answers at {path}, and not as OpenAI does"
        ) from error
    return told


def overrides(
    models: Mapping[Role, Found], bases: Mapping[Role, str], places: Mapping[Role, Placement], config: RealConfig
) -> dict[str, Any]:
    """Return the settings that put these models to work, nested as in vitrine.toml.

    Args:
        models: All three.
        bases: Addresses of their servers.
        places: Of those started here: how many requests at once they take.
        config: How many pictures and videos of an item.
    """
    job = {"images_per_item": config.pictures, "videos_per_item": config.videos}
    captions: dict[str, Any] = {"captioner": "pixels", "job": job}
    embedding: dict[str, Any] = {"embedder": "minilm"}
    agent: dict[str, Any] = {"llm": None}
    if (eyes := models["captions"]).model:
        server: dict[str, Any] = {"base_url": bases["captions"], "model": eyes.model, "name": eyes.artifact}
        if "captions" in places:
            server["concurrency"] = min(64, places["captions"].sequences)
        captions |= {"captioner": "openai", "openai": server}
    if (words := models["embeddings"]).model:
        server = {
            "base_url": bases["embeddings"], "model": words.model, "name": words.artifact, "dim": words.width,
        }  # fmt: skip
        if "qwen3-embedding" in words.artifact:
            server["query_instruction"] = ASKED_AS
        embedding |= {"embedder": "openai", "openai": server}
    if (mind := models["agent"]).model:
        llm: dict[str, Any] = {"base_url": bases["agent"], "model": mind.model}
        if mind.checkpoint is not None:
            llm["context_window"] = window("agent", mind.checkpoint)
        elif os.environ.get(KEYS["agent"]):
            llm["api_key_env"] = KEYS["agent"]
        agent["llm"] = llm
    return {"captions": captions, "embedding": embedding, "agent": agent}


def loadable(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return command line settings as they load before the servers are known.

    `--set captions.openai.temperature=0.2` is about a server whose address and model the road finds out; until then
    both are placeholders.
    """
    found = {**given}
    for group, server, unknown in (
        ("captions", "openai", {"base_url": NOWHERE, "model": "-"}),
        ("embedding", "openai", {"base_url": NOWHERE, "model": "-", "dim": 1}),
        ("agent", "llm", {"base_url": NOWHERE, "model": "-"}),
    ):
        inner = found.get(group)
        if isinstance(inner, Mapping) and isinstance(inner.get(server), Mapping):
            found[group] = {**inner, server: {**unknown, **inner[server]}}
    return found
