"""What each step of the road does; each gives the lines to say and what later steps need to know."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from catalog.progress import Progress
from catalog.workspace import Workspace
from vitrine.real.config import ROLES, RealConfig, Role
from vitrine.real.data import read_data
from vitrine.real.models import Found, fetch
from vitrine.real.plan import BEGUN, Plan
from vitrine.real.state import State
from vitrine.settings import Settings

Made = tuple[list[str], dict[str, str]]
"""Lines, and what the state keeps beside them."""


def fetch_data(plan: Plan, progress: Progress, tell: Callable[[str], None]) -> Made:
    """Bring the files of the data set; its terms were accepted with the plan."""
    from catalog.fetching import fetch as fetching

    source = plan.data.source
    if source is None:
        return [f"{plan.data.folder}: here"], {}
    lines = fetching.fetch(
        source, plan.data.folder, accept_licence=True, base=plan.wish.mirror, progress=progress, tell=tell
    )
    return lines, {}


def fetch_models(plan: Plan, config: RealConfig) -> tuple[dict[Role, Found], Made]:
    """Bring the models of the hub."""
    found = {role: fetch(plan.models[role], config) for role in ROLES}
    lines: list[str] = []
    made: dict[str, str] = {}
    for role, each in found.items():
        if each.folder is not None:
            made[role] = str(each.folder)
            lines.append(f"{each.choice.text()}: {each.folder}")
    return found, (lines or ["none is needed here"], made)


def import_data(plan: Plan, settings: Settings, state: State, key: str) -> Made:
    """Read, filter and save the catalogue."""
    from catalog.readers.importing import save_import

    state.finish(BEGUN, key, 0.0, (), {})
    summary = save_import(Workspace(settings.store), read_data(plan.data, settings.real))
    return summary.text().splitlines(), {"catalog": summary.key}


def bring_media(settings: Settings, progress: Progress) -> Made:
    """Bring pictures and videos by URL before a GPU waits for them; what fails is tried again by `vitrine media`."""
    from vitrine.media import bring_store, media_text, store_urls

    config = settings.real
    urls = store_urls(settings, images=config.pictures, videos=config.videos)
    if not urls:
        return ["none is named by URL"], {}
    return media_text(bring_store(settings, urls, progress)).splitlines(), {}


def caption(settings: Settings, progress: Progress) -> Made:
    """Read words from every picture."""
    from catalog.errors import NothingToDo
    from vitrine.jobs import caption_store
    from vitrine.wiring import captions_name

    try:
        said = caption_store(settings, progress)
    except NothingToDo as error:
        return [f"skipped: {error}"], {}
    return said.splitlines(), {"artifact": f"captions/{captions_name(settings)}"}


def embed(settings: Settings, progress: Progress) -> Made:
    """Turn texts and captions into vectors."""
    from vitrine.jobs import embed_store
    from vitrine.wiring import default_spaces

    lines = embed_store(settings, progress)
    spaces = default_spaces(settings, Workspace(settings.store))
    return lines, {f"artifact {role}": f"embeddings/{space}" for role, space in spaces.items()}


def index(settings: Settings, progress: Progress) -> Made:
    """Build the indexes."""
    from vitrine.jobs import index_store

    lines = index_store(settings, progress)
    return lines, {f"artifact {at}": line.partition(":")[0] for at, line in enumerate(lines)}


def train(settings: Settings, progress: Progress) -> Made:
    """Fit what the shop serves."""
    from vitrine.jobs import train_store

    return train_store(settings, None, progress), {"artifact": f"models/{settings.models.serve}"}


def evaluate(settings: Settings, progress: Progress) -> Made:
    """Fit the compared models afresh and print their table."""
    from eval.config import EvalConfig
    from eval.report_text import report_text
    from vitrine.evaluation import evaluate_store

    config = EvalConfig(models=settings.real.compared, overrides=settings.models.overrides)
    made = evaluate_store(settings, config, protocols=(settings.real.protocol,), progress=progress)
    return [*report_text(made.report).splitlines(), *(f"wrote {path}" for path in made.files)], {
        f"file {at}": str(path) for at, path in enumerate(made.files)
    }


def stands(made: dict[str, str], store: Path) -> bool:
    """Whether everything a finished step made is still there."""
    workspace = Workspace(store)
    for name, value in made.items():
        if name.startswith("artifact") and not workspace.has(value):
            return False
        if name.startswith("file ") and not Path(value).is_file():
            return False
        if name in ROLES and not Path(value).is_dir():
            return False
        if name == "catalog" and not workspace.has("catalog", value):
            return False
    return True


def as_options(tree: dict[str, object], path: str = "") -> list[str]:
    """Return nested settings as `--set` words.

    Example:
        >>> as_options({"agent": {"llm": None}})
        ['--set', 'agent.llm=null']
    """
    words: list[str] = []
    for name, value in tree.items():
        place = f"{path}.{name}" if path else name
        if isinstance(value, dict):
            words += as_options(value, place)
        else:
            words += ["--set", f"{place}={json.dumps(value)}"]
    return words
