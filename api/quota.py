"""Daily quotas of keys, counted on the disk and shared by every worker of a store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from catalog.write_ahead import write_ahead

QUOTA_FILE = "quotas.sqlite"
"""Its name in the store."""
SHARE, MOST_AT_ONCE = 200, 100
"""A worker takes a two-hundredth of a day's quota at a time, a hundred requests at most: few writes, little lost."""
KEPT_DAYS = 7

_MAKE = "CREATE TABLE IF NOT EXISTS used (key_id TEXT, day TEXT, requests INTEGER, PRIMARY KEY (key_id, day))"
_TAKE = """
INSERT INTO used (key_id, day, requests) VALUES (:key_id, :day, :block)
ON CONFLICT (key_id, day) DO UPDATE SET requests = requests + :block WHERE requests + :block <= :quota
"""


@dataclass
class DailyQuota:
    """Lets a key make so many requests a day (UTC), over all workers that share the store and over restarts.

    A worker takes requests in blocks and counts them off in memory. What it had taken and not used when it stopped
    counts as used, so a key is never given more than its quota, and after a restart up to a block less.

    Attributes:
        path: The counts; made when the first key with a quota comes.
        clock: The time, aware.
    """

    path: Path
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _left: dict[str, tuple[str, int]] = field(default_factory=dict, init=False)

    def wait(self, key_id: str, quota: int) -> int:
        """Take one request of a key; return 0 when it may pass, else the seconds until the next day.

        Raises:
            sqlite3.Error: When the counts cannot be written: whoever cannot count may not let pass.
        """
        now = self.clock()
        day = f"{now:%Y-%m-%d}"
        held, left = self._left.get(key_id, (day, 0))
        if held != day:
            left = 0
        if not left:
            left = self._taken(key_id, day, quota)
        self._left[key_id] = (day, max(0, left - 1))
        if left:
            return 0
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        return max(1, int((midnight - now).total_seconds()) + 1)

    def used(self, key_id: str) -> int:
        """Return how many requests of today are taken."""
        if not self.path.exists():
            return 0
        with closing(self._open()) as connection:
            found = connection.execute(
                "SELECT requests FROM used WHERE key_id = ? AND day = ?", (key_id, f"{self.clock():%Y-%m-%d}")
            ).fetchone()
        return int(found[0]) if found else 0

    def _taken(self, key_id: str, day: str, quota: int) -> int:
        block = max(1, min(MOST_AT_ONCE, quota // SHARE))
        with closing(self._open()) as connection:
            while block:
                given = {"key_id": key_id, "day": day, "block": block, "quota": quota}
                if connection.execute(_TAKE, given).rowcount:
                    return block
                block //= 2  # the end of a day's quota is given out in ever smaller parts
        return 0

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=2, isolation_level=None)
        write_ahead(connection, seconds=2)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(_MAKE)
        oldest = self.clock() - timedelta(days=KEPT_DAYS)
        connection.execute("DELETE FROM used WHERE day < ?", (f"{oldest:%Y-%m-%d}",))
        return connection
