"""The plan of the road: what is chosen, what it takes, and what stands in its way; nothing is brought for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from catalog.errors import ConfigError
from catalog.fetching.download import begun_bytes
from catalog.fetching.fetch import plan as plan_fetch
from catalog.workspace import Workspace, content_key
from vitrine.real.choices import OPTION, choose
from vitrine.real.commands import program
from vitrine.real.config import ROLES, RealConfig, Role
from vitrine.real.counts import Counts, count
from vitrine.real.data import Data, data_key, find_data
from vitrine.real.estimate import Downloads, Line, Room, estimate, rooms, shortage
from vitrine.real.memory import Gpus, Layout, find_gpus, lay_out
from vitrine.real.models import Found, find
from vitrine.real.state import State
from vitrine.settings import Settings

BEGUN = "import begun"
"""Noted before the catalogue is written, so that one of a killed run is known as the road's own."""
STEPS = ("fetch", "models", "import", "media", "caption", "embed", "index", "train", "evaluate", "check")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for.

    Attributes:
        data: Folder, or category of Amazon Reviews 2023.
        captioner: Who reads the pictures.
        embedder: Who makes vectors.
        llm: Who thinks.
        mirror: Address in place of the publisher's.
    """

    data: str
    captioner: str = "pixels"
    embedder: str = "minilm"
    llm: str = "planner"
    mirror: str | None = None

    def named(self, role: Role) -> str:
        """Return who was named for a job."""
        return {"captions": self.captioner, "embeddings": self.embedder, "agent": self.llm}[role]


@dataclass(frozen=True)
class Plan:
    """What is to be done and what it takes.

    Attributes:
        wish: As it was asked for.
        data: What is imported.
        models: All three, looked at.
        counts: How much there is.
        gpus: What this machine has.
        layout: Where the servers run; None where they do not fit.
        lines: What each step takes; of steps that are done, nothing.
        done: Names of those.
        rooms: Disks.
        obstacles: What stands in the way, a line each.
    """

    wish: Wish
    data: Data
    models: Mapping[Role, Found]
    counts: Counts
    gpus: Gpus
    layout: Layout | None
    lines: list[Line]
    done: frozenset[str]
    rooms: list[Room]
    obstacles: tuple[str, ...]


def make_plan(wish: Wish, settings: Settings) -> Plan:
    """Look at everything and reckon.

    Raises:
        ConfigError: When something named is not what it should be.
        ServiceError: When a server that is named does not answer.
    """
    config = settings.real
    data = find_data(wish.data, config)
    models = {role: find(choose(role, wish.named(role)), config) for role in ROLES}
    workspace = Workspace(settings.store)
    state = State.of(workspace.root)
    here = {role: each.checkpoint for role, each in models.items() if each.checkpoint is not None}
    gpus = find_gpus(config)
    layout, obstacles = None, [each.away for each in models.values() if each.away is not None]
    obstacles += _missing_tools(models, gpus, config)
    try:
        layout = lay_out(here, gpus)
    except ConfigError as error:
        obstacles.append(str(error))
    keys = step_keys(wish, data, settings)
    done = frozenset(name for name, key in keys.items() if state.done(name, key) is not None)
    if workspace.has("catalog") and not {"import", BEGUN} & set(state.steps):
        obstacles.append(
            f"the store {str(settings.store)!r} holds a catalogue that this road did not import; another --store would "
            "be valid"
        )
    imported = "import" in done and workspace.has("catalog")
    counts = count(settings, config, data, imported=imported)
    downloads = Downloads(
        _data_left(data, wish.mirror),
        sum(each.hub.left for each in models.values() if each.hub is not None),
        data.folder,
        config.models or _hub_cache(),
    )
    built_in = frozenset(role for role, each in models.items() if each.choice.kind == "built in")
    unknown = {role: each.choice.name for role, each in models.items() if each.away is not None}
    lines = estimate(counts, here, built_in, downloads, config, workspace.root, gpus.count, unknown)
    lines = [replace(line, disk=0, seconds=0.0, read=0, written=0) if line.step in done else line for line in lines]
    found = rooms(lines)
    if (missing := shortage(found, config)) is not None:
        obstacles.append(missing)
    return Plan(wish, data, models, counts, gpus, layout, lines, done, found, tuple(obstacles))


def _missing_tools(models: Mapping[Role, Found], gpus: Gpus, config: RealConfig) -> list[str]:
    """Return what the servers lack on this machine."""
    served = [OPTION[role] for role, each in models.items() if each.choice.is_served_here]
    if not served:
        return []
    lacks = []
    if config.device == "gpu" and not gpus.count:
        lacks.append(
            f"{', '.join(served)} name models for a server, and nvidia-smi finds no GPU here; pixels, minilm and "
            "planner need none, an address (http://gpu-box:8000/v1) names a server elsewhere, real.gpu_gb "
            "says what there is"
        )
    if program(config) is None:
        lacks.append(
            f"{config.vllm[0]!r} is neither beside this Python nor on the PATH; pip install vllm==0.32.0 into an "
            'environment of its own and name it, as in real.vllm = ["/opt/vllm/bin/vllm", "serve"]'
        )
    return lacks


def _data_left(data: Data, mirror: str | None) -> int | None:
    """Return the bytes of the data set still to come; None where a server does not say."""
    import httpx

    if data.source is None:
        return 0
    left = 0
    for each in plan_fetch(data.source, data.folder, mirror):
        if each.here:
            continue
        try:
            answer = httpx.head(each.url, timeout=10.0, follow_redirects=True)
            answer.raise_for_status()
            left += max(0, int(answer.headers["content-length"]) - begun_bytes(each.target))
        except (httpx.HTTPError, httpx.InvalidURL, KeyError, ValueError):
            return None
    return left


def _hub_cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def step_keys(wish: Wish, data: Data, settings: Settings) -> dict[str, str]:
    """Return what each step is made from, by name and in order: a step whose key is in the state is done.

    A key holds what was asked for and every key before it. Addresses of servers are no part of it, so a server that
    moved makes nothing anew.
    """
    config = settings.real
    moving = {"base_url", "model", "name", "api_key_env", "concurrency", "batch_size", "timeout_seconds", "retries"}
    captions = settings.captions.model_dump(mode="json", include={"mllm": True, "job": {"video"}})
    embedding = settings.embedding.model_dump(mode="json", include={"parts", "reviews", "pictures", "attributes"})
    eyes, words = settings.captions.openai, settings.embedding.openai
    captions["openai"] = eyes and eyes.model_dump(mode="json", exclude=moving)
    embedding["openai"] = words and words.model_dump(mode="json", exclude=moving)
    parts: dict[str, object] = {
        "fetch": [str(data.folder), data_key(data) if data.source is None else None],
        "import": [config.k_core],
        "media": [config.pictures, config.videos],
        "caption": [wish.captioner, captions],
        "embed": [wish.embedder, embedding],
        "index": [],
        "train": [settings.models.model_dump(mode="json"), settings.seed, settings.positives],
        "evaluate": [config.protocol, config.compared],
        "check": [wish.llm],
    }
    keys, before = {"models": content_key([wish.named(role) for role in ROLES])}, ""
    for name, part in parts.items():
        keys[name] = before = content_key(before, part)
    return {name: keys[name] for name in STEPS}


def refuse(plan: Plan) -> None:
    """Refuse a plan that something stands in the way of.

    Raises:
        ConfigError: With the first obstacle and its figures.
    """
    if plan.obstacles:
        raise ConfigError(plan.obstacles[0])


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return two trees of settings as one; the second wins."""
    found = dict(first)
    for name, value in second.items():
        mine = found.get(name)
        both = isinstance(mine, Mapping) and isinstance(value, Mapping)
        found[name] = merged(mine, value) if both else value  # type: ignore[arg-type]
    return found
