"""`TokenCounter`: how many tokens a text has for a model, from its `tokenizer.json` alone."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class TokenCounter:
    """Counts and cuts texts as a model's own tokenizer does; safe for threads, and sent as a path.

    Args:
        folder: Holds `tokenizer.json`.
        limit: Most tokens of a text that the model reads, special tokens and instruction taken off.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit

    @staticmethod
    def stands_in(folder: Path) -> bool:
        """Whether a folder holds a tokenizer that can be read."""
        return (folder / "tokenizer.json").is_file()

    def count(self, text: str) -> int:
        """Return the number of tokens, special ones not among them."""
        return len(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def end(self, text: str, limit: int) -> int:
        """Return where the first `limit` tokens of a text end, in characters."""
        offsets = self._tokenizer.encode(text, add_special_tokens=False).offsets
        return len(text) if len(offsets) <= limit else int(offsets[limit - 1][1])

    def at_most(self, text: str) -> int:
        """Return a bound on `count` that costs nothing: no token is less than a byte."""
        return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(self.folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.folder, self.limit)
