"""What a shopper is told of a turn that failed, and what the log is."""

from __future__ import annotations

import logging

from agent.base import Problem
from agent.trace import Trace
from agent.wording import APOLOGY
from catalog.errors import ServiceError

log = logging.getLogger("vitrine.agent")


def problem_of(error: Exception, trace: Trace) -> Problem:
    """Return the problem of a failed turn, noted in its trace and logged once.

    That something the shop stands on does not answer is no bug: it is a line of the log, and a 503.
    """
    trace.error = f"{type(error).__name__}: {error}"
    if isinstance(error, ServiceError):
        log.warning("turn failed trace_id=%s error=%s", trace.trace_id, error)
        return Problem("Service Unavailable", APOLOGY, 503)
    log.error("turn failed trace_id=%s", trace.trace_id, exc_info=error)
    return Problem("Internal Server Error", APOLOGY)
