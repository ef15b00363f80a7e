"""What every model that torch runs here shares: threads, number formats, silence while loading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from catalog.errors import ConfigError

if TYPE_CHECKING:
    import torch

Dtype = Literal["float32", "bfloat16", "float16"]
"""How weights are held. The half-width two are for GPUs; vectors come out float32 all the same."""


@contextmanager
def torch_threads(threads: int | None) -> Iterator[None]:
    """Use `threads` torch threads inside the block, and what was set before after it; None changes nothing."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def quiet_loading() -> Iterator[None]:
    """Keep transformers from drawing bars while weights load."""
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def torch_dtype(name: Dtype) -> torch.dtype:
    """Return torch's own object for a number format."""
    import torch

    return {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[name]


def require_device(name: str, setting: str) -> None:
    """Refuse a device that torch cannot use here.

    Raises:
        ConfigError: Naming the setting it comes from.
    """
    import torch

    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA asserts
        reason = str(error).splitlines()[0]
        raise ConfigError(f"{setting} is {name!r}: {reason}; 'cpu' would be valid") from error
