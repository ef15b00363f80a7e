"""A training that goes astray is told where it does, before anything of it is judged or written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from catalog.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor


def require_numbers(values: Iterable[Tensor], *, of: str, at: str, rate: float) -> None:
    """Refuse to go on with a loss, weights or vectors that are no numbers any more.

    Judged all the same they would look perfect: of a score that is no number, nothing is better.

    Args:
        values: What was learned so far.
        of: Group of the settings, e.g. `encoders.fusion`.
        at: How far it came, e.g. `epoch 3`.
        rate: What `learning_rate` of that group is.

    Raises:
        ConfigError: When one of them is infinite or not a number.
    """
    import torch

    if not all(bool(torch.isfinite(each).all()) for each in values):
        raise ConfigError(
            f"{of}: diverged at {at}, the loss or a weight is no number any more; lower {of}.learning_rate (now "
            f"{rate!r}; {rate / 10:g} would be worth a try); nothing of it is kept"
        )
