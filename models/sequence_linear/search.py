"""Settings climbed one rung at a time on validation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Settings = Mapping[str, float]


def climb(
    start: Settings, ladders: Mapping[str, Sequence[float]], judge: Callable[[Settings], float], max_trials: int
) -> tuple[dict[str, float], float, tuple[float, ...]]:
    """Return the best settings met, their value, and the best value after each trial.

    One setting at a time moves to the next rung up, then down, as long as the value grows; the round ends when
    no setting moves or the trials are spent. Deterministic: the order is that of `ladders`, and a tie stays.

    Args:
        start: A value for each setting; it need not be a rung.
        ladders: Rungs of each setting, ascending.
        judge: Settings -> the number to maximise.
        max_trials: Most calls of `judge`, at least 1.
    """
    best = dict(start)
    value = judge(best)
    history = [value]
    seen = {_key(best)}
    moved = True
    while moved and len(history) < max_trials:
        moved = False
        for name, rungs in ladders.items():
            for up in (True, False):
                climbed = False
                while len(history) < max_trials and (rung := _next(rungs, best[name], up=up)) is not None:
                    trial = {**best, name: rung}
                    if _key(trial) in seen:
                        break
                    seen.add(_key(trial))
                    got = judge(trial)
                    history.append(max(got, value))
                    if got <= value:
                        break
                    best, value, climbed, moved = trial, got, True, True
                if climbed:
                    break
    return best, value, tuple(history)


def _next(rungs: Sequence[float], value: float, *, up: bool) -> float | None:
    beyond = [rung for rung in rungs if (rung > value if up else rung < value)]
    if not beyond:
        return None
    return min(beyond) if up else max(beyond)


def _key(settings: Settings) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(settings.items()))
