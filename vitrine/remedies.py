"""What to do about a model that lacks its features, said where the model cannot know of any command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from catalog.errors import DataError

LACKING = "no modality was given"
"""How a model says so. A class of error of its own would be better and would change the models' sources, which are
part of the key of every kept result."""

REMEDY = "vitrine caption and then vitrine embed make them from pictures and texts"


def with_remedy(why: str) -> str:
    """Return the reason of a refusal, with the commands that help where they do."""
    return f"{why}; {REMEDY}" if LACKING in why and REMEDY not in why else why


@contextmanager
def saying_the_remedy() -> Iterator[None]:
    """Let a refusal name the commands that help.

    Raises:
        DataError: The one that was raised inside, with the remedy.
    """
    try:
        yield
    except DataError as error:
        if LACKING not in str(error):
            raise
        raise DataError(with_remedy(str(error))) from error
