"""What every worker of a store mints tokens of consent by, so that any of them takes any other's."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from catalog.errors import DataError

CONSENT_FILE = "consent.secret"
"""Its name in the store: 256 random bits, of no use to enter with."""


def store_secret(root: Path) -> bytes:
    """Return the secret of a store; the first who asks makes it.

    Raises:
        DataError: When its file is damaged.
    """
    path = root / CONSENT_FILE
    if not path.exists():
        beside = root / f".{CONSENT_FILE}.{os.getpid()}"
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # of two who begin at once, the first one's stands
            os.link(beside, path)
        beside.unlink()
    try:
        found = bytes.fromhex(path.read_text(encoding="ascii"))
    except ValueError:
        found = b""
    if len(found) != 32:
        raise DataError(f"{str(path)!r} is damaged: remove it, and whoever was asked for consent is asked anew")
    return found
