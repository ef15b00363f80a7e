"""A token bucket for each caller."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_CALLERS = 10_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class RateLimit:
    """Lets each caller make so many requests a minute, in bursts of at most a sixth of that, in this process.

    Args:
        per_minute: Requests a minute; None lets everything pass.
        clock: Monotonic seconds.
    """

    def __init__(self, per_minute: int | None, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, caller: str, per_minute: int | None = None) -> int:
        """Take one request of `caller`; return 0 when it may pass, else the whole seconds until one may.

        Args:
            caller: Whose bucket.
            per_minute: The caller's own limit, in place of everybody's.
        """
        allowed = per_minute or self._per_minute
        if allowed is None:
            return 0
        rate, burst, now = allowed / 60, max(1.0, allowed / 6), self._clock()
        bucket = self._buckets.setdefault(caller, _Bucket(burst, now))
        self._buckets.move_to_end(caller)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0
        return max(1, math.ceil((1 - bucket.tokens) / rate))
