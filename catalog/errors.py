"""The one exception tree.

VitrineError
|- ConfigError        a setting is unknown, missing or contradictory
|- DataError          input that cannot be used: a file, a column, a value
|  |- MediaError      a picture, video or sound that cannot be decoded or fetched
|  |  `- FetchError   one by URL that was refused or did not come; `reason` says in which way
|  `- NothingToDo     a job without any work; where several belong together, the others go on
|- NotFoundError      an item, user, trace or model that does not exist
|- NotBuiltError      a workspace artifact that an earlier command has not made yet
|- BusyError          another process holds what this one needs
|- JobPaused          a long job stopped at the user's wish; the same command goes on
|- ServiceError       another service (LLM, embeddings) failed; `retryable` says whether to try again
|  `- EventStoreError the database of events does not answer; nothing was acknowledged
`- ToolError          what a tool may tell its caller
   |- ToolRetry       mend the arguments and call again
   `- ToolUnavailable final for now: go on without it

Everything else is a bug and propagates.
"""

from __future__ import annotations

from catalog.shown import shown_text


class VitrineError(Exception):
    """Base of every error a user can cause or mend; its text is one clear line."""


class ConfigError(VitrineError):
    """A setting is unknown, missing or contradictory."""


class DataError(VitrineError):
    """Input that cannot be used; the text names the value, its place and what would be valid."""


class MediaError(DataError):
    """A picture, video or sound that cannot be decoded or fetched.

    Args:
        message: One line; passwords and keys of the URLs in it are not kept.
    """

    def __init__(self, message: str) -> None:
        super().__init__(shown_text(message))


class FetchError(MediaError):
    """A medium by URL was refused or did not come.

    Args:
        message: One line naming the URL and what was wrong.
        reason: The kind of failure in a few words, for counting: `refused address`, `HTTP 404`, `timeout`.
        retryable: Whether the same request may succeed later (timeouts, 429, 5xx).
        wait: Seconds the server asks to wait before another request.
    """

    def __init__(
        self, message: str, *, reason: str = "not fetched", retryable: bool = False, wait: float | None = None
    ) -> None:
        super().__init__(message)
        self.reason, self.retryable, self.wait = reason, retryable, wait


class NothingToDo(DataError):
    """A job found nothing to work on: no item has a text, say."""


class NotFoundError(VitrineError):
    """Something asked for by id or name does not exist."""


class NotBuiltError(VitrineError):
    """A workspace artifact is missing; the text names the command that makes it."""


class BusyError(VitrineError):
    """Another process holds what this one needs; the text says which, and what to do."""


class JobPaused(VitrineError):
    """A long job stopped by a signal, with everything finished kept.

    Args:
        message: How far it is, and how to go on.
        signal: Number of the signal; a command that was paused exits with 128 + signal.
    """

    def __init__(self, message: str, *, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


class ServiceError(VitrineError):
    """Another service failed.

    Args:
        message: One line naming the service, what was asked and what came back.
        retryable: Whether the same request may succeed later (timeouts, 429, 5xx).
        retry_after: Seconds after which the service itself says it may; None where it says nothing.
    """

    def __init__(self, message: str, *, retryable: bool = False, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.retry_after = retry_after


class EventStoreError(ServiceError):
    """The database of events does not answer; what was asked may be asked again.

    Args:
        message: One line naming the database and what it said, without a password.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class ToolError(VitrineError):
    """What a tool may tell its caller; anything else a tool raises is a bug."""


class ToolRetry(ToolError):
    """The arguments can be mended: the text says which and how."""


class ToolUnavailable(ToolError):
    """The tool cannot answer now; going on without it is right."""


class ToolInapplicable(ToolUnavailable):
    """There is nothing that the tool could do this to, now or a moment later."""


def did_you_mean(name: str, available: list[str]) -> str:
    """Return `. Did you mean 'x'? Available: a, b` for an unknown `name`.

    Example:
        >>> did_you_mean("lirdrek", ["itemknn", "lirdrec"])
        "Did you mean 'lirdrec'? Available: itemknn, lirdrec"
    """
    import difflib

    close = difflib.get_close_matches(name, available, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}Available: {', '.join(sorted(available)) or 'none'}"
