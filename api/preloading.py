"""Workers that share the code of the libraries: forked by a server that has imported them and done nothing else.

A shop's workers import the same several hundred MB of modules. Each on its own, that memory is its own; forked from a
process that only imported them, it is in memory once, and a worker that is killed is replaced in seconds. Nothing is
forked that ran: torch, FAISS and polars with their threads do not survive a fork, so the fork server (the standard
library's) opens no file of the shop and starts no thread, and every worker opens the shop itself.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from multiprocessing.context import BaseContext

UNFIT = frozenset({"polars"})
"""Libraries that start threads of their own when imported: never in the fork server."""


def start_context(libraries: Sequence[str]) -> BaseContext:
    """Return how workers are started: forked from a server that imported `libraries`, spawned where there are none.

    The fork server starts with the first worker, and ends with this process. What is not installed is left out.

    Raises:
        ValueError: When a library is among `UNFIT`.
    """
    if unfit := UNFIT.intersection(libraries):
        raise ValueError(f"{sorted(unfit)[0]!r} starts threads when it is imported, and cannot be forked")
    if not libraries or "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*libraries, "api.preloaded"])
    return context
