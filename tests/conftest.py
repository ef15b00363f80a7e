"""How tests are shared by two processes (`make test`): by file, the slow ones first, some of them alone."""

from __future__ import annotations

import fcntl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TOGETHER = ("tests/vllm", "tests/batch")
"""Folders that one process runs: a vLLM takes 3 GB, and a Ray cluster is started once."""
GATE, ROOM = Path(__file__), Path(__file__).parents[1] / "pyproject.toml"
"""Files that the processes lock, in this order; nothing is written to them."""

_FIGURES: dict[str, list[str]] = {}


def unit_of(nodeid: str) -> str:
    """What is given to one process as a whole: a file, whose fixtures are built once, or a folder."""
    path = nodeid.partition("::")[0]
    folder = path.rpartition("/")[0]
    return folder if folder in TOGETHER else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

    config.option.loadscopereorder = False  # the order below, where xdist's would be by the number of tests
    return ByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the long units first, so that no process waits at the end, and those with tests that must be alone before."""
    if not hasattr(config, "workerinput"):
        return
    alone, slow = ({unit_of(i.nodeid) for i in items if i.get_closest_marker(m)} for m in ("alone", "slow"))
    items.sort(key=lambda item: [unit_of(item.nodeid) not in units for units in (alone, TOGETHER, slow)])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Hold a place while a test runs; outside of its timeout, which does not count the waiting."""
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with place(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@contextmanager
def place(*, alone: bool) -> Iterator[None]:
    """Wait for a place beside others, or for the whole room; who waits for the room lets nobody in before."""
    with GATE.open("rb") as gate, ROOM.open("rb") as room:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        try:
            yield
        finally:
            fcntl.flock(room, fcntl.LOCK_UN)  # a child forked meanwhile holds the file open


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Keep the figures that a process noted."""
    for title, figures in getattr(node, "workeroutput", {}).get("figures", {}).items():
        _FIGURES.setdefault(title, []).extend(figures)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for title, figures in _FIGURES.items():
        terminalreporter.section(title)
        for figure in figures:
            terminalreporter.write_line(figure)
