"""A checkpoint that cannot be opened, told in one line: every library has words of its own, and some advise badly."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from catalog.errors import ConfigError, VitrineError

MOST_THREADS = 256
"""Of torch: far above it the process dies without a word."""
_LINES = 3
"""Of a message about shapes: its heading and the first two tensors."""


def why_not_opened(error: BaseException) -> str:
    """Return in one line why a checkpoint cannot be opened, without the libraries' advice to run what is in it."""
    chain = _chain(error)
    kinds, texts = {type(each).__name__ for each in chain}, " ".join(str(each) for each in chain)
    if "UnpicklingError" in kinds or "weights_only" in texts:
        return "a weights file is damaged, or a pickle of more than tensors, which could run code and is not read"
    if "trust_remote_code" in texts:
        return "the model brings code of its own, which is never run, and is of no kind that the library knows"
    if "ignore_mismatched_sizes" in texts:
        return "the shapes of the weights are not those that config.json says"
    sought = isinstance(error, OSError) and error.errno == errno.EINVAL  # torch seeks before a short file's beginning
    if sought or kinds & {"SafetensorError", "EOFError"} or "PytorchStreamReader" in texts:
        return "a weights file is cut off or damaged"
    if isinstance(error, KeyError):
        return f"it has no {error}"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    kept = lines[:_LINES] if "loading state_dict" in lines[0] else lines[:1]
    return " ".join(kept)[:400].rstrip(" :.,")


@contextmanager
def opening(what: str, valid: str) -> Iterator[None]:
    """Turn whatever a library says of a checkpoint it cannot open into one line.

    Args:
        what: The setting and the folder or file.
        valid: What would be valid.

    Raises:
        ConfigError: When the block fails; our own errors pass as they are.
    """
    try:
        yield
    except (VitrineError, MemoryError):
        raise
    except Exception as error:  # a cut-off file, another shape, an unknown kind: there is no common base
        raise ConfigError(f"{what} cannot be opened: {why_not_opened(error)}; {valid} would be valid") from error


def check_tokenizer(tokenizer: Any, what: str) -> None:
    """Refuse a tokenizer without its vocabulary, which libraries build silently where its files are missing.

    Raises:
        ConfigError: When it knows no word of a plain text.
    """
    special = getattr(tokenizer, "all_special_ids", None)
    if special is None or not callable(tokenizer):  # another kind, which cannot be built without its file
        return
    if not set(tokenizer("a red mug 1", add_special_tokens=False)["input_ids"]) - set(special):
        raise ConfigError(
            f"{what} has no vocabulary of a tokenizer; its folder with tokenizer.json (or vocab.txt, or the .model "
            "file) and tokenizer_config.json would be valid"
        )


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
