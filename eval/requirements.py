"""What a split must hold before hours of fitting: somebody to judge by."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.columns import LABEL_PREFIX
from catalog.errors import DataError
from catalog.split_rules import FEWEST
from catalog.splits import Split
from eval.contenders import contender

STOPPED_BY = ("max_epochs", "max_trials")
"""Settings of a model that validation stops; without it such a model takes its default number or settings."""


def require_test_users(split: Split) -> None:
    """Refuse a split that can judge nothing.

    Raises:
        DataError: When no user has a test row; the text counts users and rows and says what would be valid.
    """
    if not len(split.test):
        raise DataError(f"{_nobody(split, 'test')}, so no model can be judged; {_valid(split, 2)}")


def require_valid_users(split: Split, asker: str) -> None:
    """Refuse a split for what cannot do without a validation part; models can, see `unvalidated`.

    Raises:
        DataError: When no user has a validation row.
    """
    if not len(split.valid):
        raise DataError(f"{asker}: {_nobody(split, 'validation')}; {_valid(split, 1)}")


def unvalidated(split: Split, models: Iterable[str]) -> tuple[str, ...]:
    """Return the models that would be stopped by a validation part and have none."""
    if len(split.valid):
        return ()
    return tuple(
        name for name in models if any(hasattr(getattr(contender(name), "config", None), each) for each in STOPPED_BY)
    )


def _nobody(split: Split, part: str) -> str:
    users = len(split.users) + int(split.meta.get("dropped_users", 0))
    rows = sum(map(len, (split.train, split.valid, split.test))) + int(split.meta.get("dropped_rows", 0))
    parts = f"{len(split.train)} train, {len(split.valid)} validation, {len(split.test)} test"
    dropped = f", {split.meta['dropped_rows']} of users without a train row" if split.meta.get("dropped_rows") else ""
    return (
        f"protocol {split.protocol!r} ({split.meta.get('source', 'given')}): no user has a {part} row "
        f"({users} users with {rows} rows in all: {parts}{dropped})"
    )


def _valid(split: Split, label: int) -> str:
    source = str(split.meta.get("source", ""))
    if source.startswith(LABEL_PREFIX):
        whose = "" if split.protocol == "temporal" else " of a user with a row labelled 0"
        return f"a row whose {source!r} is {label}{whose} would be valid"
    return (
        f"a user with {FEWEST} different items would be valid (with fewer, every row is train), "
        "or, where events have times, protocol 'temporal'"
    )
