"""The road, walked: step after step, each once, the servers of each up while it needs them."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, cast

from batch.lock import exclusive
from catalog.errors import JobPaused
from catalog.progress import Progress
from catalog.workspace import Workspace
from vitrine.real import steps
from vitrine.real.config import Role
from vitrine.real.estimate import require_room
from vitrine.real.fleet import Fleet
from vitrine.real.memory import CAPTION, EMBED, SHOP, Layout, Phase, lay_out
from vitrine.real.models import Found, overrides
from vitrine.real.plan import Plan, Wish, make_plan, merged, refuse, step_keys
from vitrine.real.plan_text import table
from vitrine.real.shop import ask_shop, open_shop
from vitrine.real.state import FOLDER, State
from vitrine.real.steps import Made, as_options, stands
from vitrine.real.supervisor import Supervised, free_port
from vitrine.settings import Settings, load_settings

Tell = Callable[[str], None]
WATCH_SECONDS = 0.5


class Road:
    """One walk from nothing to a served shop.

    Args:
        wish: Data and models.
        given: What the command line set, nested.
        settings: The same with files, environment and defaults.
        progress: Told of every long job.
        tell: Given every line a person should read.
    """

    def __init__(
        self, wish: Wish, given: Mapping[str, Any], settings: Settings, progress: Progress, tell: Tell
    ) -> None:
        self._wish, self._given, self._settings = wish, given, settings
        self._progress, self._tell = progress, tell
        self._root = Workspace(settings.store).root

    def walk(self, *, serve: bool) -> None:
        """Do what is missing, and end with a shop that was asked once; with `serve` it stays open.

        Raises:
            ConfigError: When something stands in the way; nothing has been brought by then.
            DataError: When the disk cannot hold what is to come.
            BusyError: When another run walks in this store.
            JobPaused: When a signal ended it; the same command goes on.
        """
        with exclusive(self._root / FOLDER / ".lock", "real"), _ended_by_signals(), ExitStack() as stack:
            plan = make_plan(self._wish, self._settings)
            require_room(plan.rooms, self._settings.real)
            refuse(plan)
            state = State.of(self._root)
            keys = step_keys(self._wish, plan.data, self._settings)
            walk = _Walk(plan, keys, state, self._root, self._tell)
            walk.step("fetch", lambda: steps.fetch_data(plan, self._progress, self._tell))
            models, made = self._models(plan), state
            walk.step("models", lambda: models()[1])
            found = models()[0]
            walk.step("import", lambda: steps.import_data(plan, self._settings, made, keys["import"]))
            self._recount(walk)
            layout = _layout(found, plan)
            fleet = stack.enter_context(
                Fleet(found, layout, self._settings.real, self._root / FOLDER / "logs", self._tell)
            )

            def ready(phase: Phase = ()) -> Settings:
                fleet.need(phase)
                return self._chosen(found, fleet, layout)

            walk.step("media", lambda: steps.bring_media(ready(), self._progress))
            walk.step("caption", lambda: steps.caption(ready(CAPTION), self._progress))
            walk.step("embed", lambda: steps.embed(ready(EMBED), self._progress))
            walk.step("index", lambda: steps.index(ready(), self._progress))
            walk.step("train", lambda: steps.train(ready(), self._progress))
            walk.step("evaluate", lambda: steps.evaluate(ready(), self._progress))
            if serve or not walk.is_done("check"):
                settings = ready(SHOP)
                port = settings.api.port if serve and settings.api.port else free_port()
                options = as_options(cast("dict[str, object]", self._with(found, fleet, layout)))
                log = self._root / FOLDER / "logs" / "shop.log"
                shop = open_shop(settings, options, port, log, self._tell)
                stack.callback(shop.stop)
                walk.again("check", lambda: (ask_shop(settings, port), {}))
                if serve:
                    self._tell(f"the shop is open at http://127.0.0.1:{port} (Ctrl+C closes it and its servers)")
                    _watch(shop)
            else:
                walk.step("check", lambda: ([], {}))

    def _models(self, plan: Plan) -> Callable[[], tuple[dict[Role, Found], Made]]:
        """Return what brings the models, once; also where the step is done, since a cache may have been emptied."""
        kept: list[tuple[dict[Role, Found], Made]] = []

        def bring() -> tuple[dict[Role, Found], Made]:
            if not kept:
                kept.append(steps.fetch_models(plan, self._settings.real))
            return kept[0]

        return bring

    def _recount(self, walk: _Walk) -> None:
        """Reckon again with what was imported, and look at the disk once more.

        Raises:
            DataError: When it is too small after all.
        """
        if walk.is_done("media"):
            return
        plan = make_plan(self._wish, self._settings)
        require_room(plan.rooms, self._settings.real)
        self._tell(f"counted: {plan.counts.items:,} items, {plan.counts.events:,} events, "
                   f"{plan.counts.pictures:,} pictures, {plan.counts.videos:,} videos; left to do:")  # fmt: skip
        for line in table(plan):
            self._tell(line)

    def _with(self, found: Mapping[Role, Found], fleet: Fleet, layout: Layout) -> dict[str, Any]:
        places = {role: place for phase in layout.places.values() for role, place in phase.items()}
        return merged(self._given, overrides(found, fleet.bases(), places, self._settings.real))

    def _chosen(self, found: Mapping[Role, Found], fleet: Fleet, layout: Layout) -> Settings:
        """Return the settings with the models of the road in their places."""
        return load_settings(self._with(found, fleet, layout))


class _Walk:
    """Does each step once and says so."""

    def __init__(self, plan: Plan, keys: Mapping[str, str], state: State, root: Path, tell: Tell) -> None:
        self._plan, self._keys, self._state, self._root, self._tell = plan, keys, state, root, tell

    def is_done(self, name: str) -> bool:
        """Whether a step was finished with these inputs and all of it stands."""
        done = self._state.done(name, self._keys[name])
        return done is not None and stands(done.made, self._root)

    def step(self, name: str, work: Callable[[], Made]) -> None:
        """Do a step unless it is done."""
        if self.is_done(name):
            self._tell(f"== {name}: done before ({self._state.steps[name].at})")
            return
        self.again(name, work)

    def again(self, name: str, work: Callable[[], Made]) -> None:
        """Do a step, done or not."""
        self._tell(f"== {name}")
        began = time.monotonic()
        lines, made = work()
        seconds = time.monotonic() - began
        for line in lines:
            self._tell(line)
        self._state.finish(name, self._keys[name], seconds, lines, made)
        self._tell(f"== {name}: done in {seconds:.1f} s")


def _layout(found: Mapping[Role, Found], plan: Plan) -> Layout:
    """Place the servers anew: what a template says of thinking is known only now."""
    return lay_out({role: each.checkpoint for role, each in found.items() if each.checkpoint is not None}, plan.gpus)


def _watch(shop: Supervised) -> None:
    """Return when the shop has ended by itself; a signal ends the watch."""
    while shop.is_running:
        time.sleep(WATCH_SECONDS)


class _Ended(KeyboardInterrupt):
    """A signal came; no job's own handling of errors stands in its way."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let Ctrl-C, SIGTERM and a closed terminal end the block in good order, servers included.

    Raises:
        JobPaused: After such a signal. Long jobs listen themselves while they run, and finish what they began.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)  # a second one would cut the servers' own end short
        raise _Ended(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    except _Ended as ended:
        raise JobPaused("paused: run the same command to go on", signal=ended.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
