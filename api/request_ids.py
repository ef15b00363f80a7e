"""The id that every answer carries, so that a caller's log and ours speak of the same request."""

from __future__ import annotations

import re
import uuid

HEADER = "X-Request-Id"

_TAKEN = re.compile(r"[A-Za-z0-9._-]{1,64}")


def request_id_from(given: str) -> str:
    """Return the caller's own id where it can stand in a log and a header, else a new one."""
    return given if _TAKEN.fullmatch(given) else uuid.uuid4().hex
