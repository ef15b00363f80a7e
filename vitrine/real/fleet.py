"""The model servers of the road: those a phase needs are up, the others are not, and in the end none is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from vitrine.real.commands import server_command, server_environment
from vitrine.real.config import RealConfig, Role
from vitrine.real.memory import Layout, Phase, Placement
from vitrine.real.models import NOWHERE, Found
from vitrine.real.supervisor import Supervised, free_port


class Fleet:
    """Starts and ends servers; a context manager that leaves none behind.

    Args:
        models: All three, those of the hub brought.
        layout: Where each runs.
        config: Programs, flags, patience.
        logs: Folder of their logs, one a role.
        tell: Given a line for every start.
    """

    def __init__(
        self,
        models: Mapping[Role, Found],
        layout: Layout,
        config: RealConfig,
        logs: Path,
        tell: Callable[[str], None],
    ) -> None:
        self._models, self._layout, self._config, self._logs, self._tell = models, layout, config, logs, tell
        self._running: dict[Role, tuple[Placement, Supervised, str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for role in list(self._running):
            self._stop(role)

    def need(self, phase: Phase) -> None:
        """Have the servers of a phase up; others end, unless all run side by side.

        Raises:
            ServiceError: When one does not start.
        """
        wanted = self._layout.places.get(phase, {})
        for role, (place, server, _) in list(self._running.items()):
            if not server.is_running or (wanted.get(role) != place and not self._layout.together):
                self._stop(role)
        for role, place in wanted.items():
            if role not in self._running:
                self._start(role, place)

    def bases(self) -> dict[Role, str]:
        """Return the address of each role's server; of one that is not up a place where nobody answers."""
        found: dict[Role, str] = {}
        for role, model in self._models.items():
            own = self._running[role][2] if role in self._running else NOWHERE
            found[role] = model.choice.name if model.choice.kind == "server" else own
        return found

    def _start(self, role: Role, place: Placement) -> None:
        model = self._models[role]
        assert model.checkpoint is not None and model.folder is not None
        port = free_port()
        base = f"http://127.0.0.1:{port}/v1"
        server = Supervised(
            f"{role} server",
            server_command(role, model.checkpoint, model.folder, place, self._config, port),
            f"{base}/models",
            self._logs / f"{role}.log",
            environment=server_environment(place),
            stop_seconds=self._config.stop_seconds,
        )
        server.start(self._config.start_seconds, self._tell)
        self._running[role] = (place, server, base)

    def _stop(self, role: Role) -> None:
        _, server, _ = self._running.pop(role)
        server.stop()
        self._tell(f"{role} server: ended")
