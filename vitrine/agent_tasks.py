"""`vitrine eval agent`: tasks drawn from a store's records, played with its agent, judged and kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from catalog.errors import ConfigError, did_you_mean
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace

if TYPE_CHECKING:
    from agent.config import AgentConfig
    from eval.agent.generate import Leaning
    from eval.agent.harness import Harness, Played
    from eval.agent.tasks import TaskConfig
    from tools.shop import Shop
    from vitrine.settings import Settings

OWN = "settings"
"""The mind the settings name: the planner, or an LLM where `agent.llm` says so."""


@dataclass(frozen=True)
class AgentTasks:
    """The figures of a run, the files it left, and how many passes failed."""

    figures: dict[str, Any]
    files: tuple[Path, ...]
    failures: int


def judge_agent(
    settings: Settings,
    config: TaskConfig,
    *,
    mind: str = OWN,
    folder: Path | None = None,
    progress: Progress = SILENT,
) -> AgentTasks:
    """Play tasks with the agent of a store; nothing is written to its events.

    Args:
        settings: The store and the agent.
        config: How many tasks, which seed, how many passes.
        mind: `settings`, `planner`, or a scripted persona of `agent.scripted_minds`.
        folder: Where `tasks.json` and `failures.jsonl` go; the store's reports/agent/ otherwise.
        progress: Told after every pass.

    Raises:
        ConfigError: When there is no such mind.
        NotBuiltError: When the catalogue or the indexes are missing.
        DataError: When the records name too little for any task.
    """
    from eval.agent.generate import generate
    from eval.agent.harness import save_failures
    from eval.agent.report import report

    target = folder or Workspace(settings.store).root / "reports" / "agent"
    with _Opened(settings, mind) as opened:
        tasks = generate(opened.shop.catalog.items, config, _leanings(settings, opened.shop, config))
        played = opened.harness.run(tasks, config, progress)
    manifest = Workspace(settings.store).manifest("catalog")
    about = {"shop": opened.shop.name, "mind": mind, "data": manifest.key if manifest else None}
    figures = report(played, config, about)
    target.mkdir(parents=True, exist_ok=True)
    files = (target / "tasks.json", target / "failures.jsonl")
    files[0].write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return AgentTasks(figures, files, save_failures(files[1], played))


def replay_task(settings: Settings, reference: str, *, mind: str = OWN) -> Played:
    """Play the failure at `FILE#n` again.

    Raises:
        NotFoundError: When there is no such file or line.
        DataError: When the line is no played task.
    """
    from eval.agent.harness import load_failure

    failure = load_failure(reference)
    with _Opened(settings, mind) as opened:
        return opened.harness.replay(failure)


class _Opened:
    """The shop, a harness with a folder of its own and, for a persona, its server."""

    harness: Harness

    def __init__(self, settings: Settings, mind: str) -> None:
        from agent.scripted_minds import PERSONAS
        from vitrine.wiring import open_shop

        known = [OWN, "planner", *PERSONAS]
        if mind not in known:
            raise ConfigError(f"unknown mind {mind!r}. {did_you_mean(mind, known)}")
        self._mind, self._agent = mind, settings.agent
        self.shop: Shop = open_shop(settings)

    def __enter__(self) -> _Opened:
        from contextlib import ExitStack

        from eval.agent.harness import Harness

        self._stack = ExitStack()
        self._stack.callback(self.shop.events.close)
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="vitrine-tasks-")))
        self.harness = Harness(self.shop, folder, self._config())
        self._stack.callback(self.harness.close)
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _config(self) -> AgentConfig:
        from typing import cast

        from agent.scripted_minds import Persona
        from agent.scripted_server import MODEL, ScriptedServer
        from eval.agent.harness import with_llm

        if self._mind == OWN:
            return self._agent
        if self._mind == "planner":
            return self._agent.model_copy(update={"llm": None})
        server = self._stack.enter_context(ScriptedServer(cast(Persona, self._mind)))
        return with_llm(self._agent, server.base_url, MODEL)


def _leanings(settings: Settings, shop: Shop, config: TaskConfig) -> tuple[Leaning, ...]:
    """Hidden tastes where the store keeps the truth of a generated shop; none otherwise."""
    from catalog.boutique.generate import TRUTH, load_truth
    from catalog.shop_data import load_shop
    from eval.agent.tastes import leanings

    workspace = Workspace(settings.store)
    if workspace.manifest(TRUTH) is None:
        return ()
    log = load_shop(workspace).log
    taken = {str(user[0]): set(rows["item_id"].to_list()) for user, rows in log.group_by("user_id")}
    return leanings(load_truth(workspace), shop.catalog, taken, n=config.n, seed=config.seed)
