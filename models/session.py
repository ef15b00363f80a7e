"""The session at hand as features: what was looked at in it, when it is, and on which kind of screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

SESSION_FEATURES = (
    "session_items", "session_seen", "session_brand", "session_category", "session_price",
    "hour", "weekday", "month", "screen",
)  # fmt: skip

SCREENS = {
    "watch": 0, "phone": 1, "mobile": 1, "smartphone": 1, "tablet": 2, "laptop": 3, "desktop": 3, "computer": 3,
    "pc": 3, "tv": 4,
}  # fmt: skip
"""Kinds of devices, the smallest screen first; other words are unknown."""


@dataclass(frozen=True, slots=True)
class Session:
    """What is known of the session at hand.

    Attributes:
        viewed: Item ids looked at in it before this moment, oldest first, repeats kept.
        device: As the shop's own word for it, such as `phone`.
    """

    viewed: tuple[str, ...] = ()
    device: str | None = None


NO_SESSION = Session()


def moment_columns(now: datetime, device: str | None) -> dict[str, float]:
    """Return hour (0 to 23), weekday (0 is Monday) and month of `now` in UTC, and the screen, alike for all items."""
    screen = SCREENS.get((device or "").strip().casefold(), float("nan"))
    return {"hour": now.hour, "weekday": now.weekday(), "month": now.month, "screen": screen}
