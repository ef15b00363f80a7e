"""What a call can end in: `ClientError` > `Refused` (the shop said no), `Unreachable` (it said nothing)."""

from __future__ import annotations

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError


class ProblemBody(BaseModel):
    """The problem+json of a refusal (RFC 9457)."""

    model_config = ConfigDict(frozen=True, extra="allow")

    title: str
    status: int
    detail: str
    field: str | None = None
    errors: list[dict[str, str]] | None = None
    request_id: str | None = None


class ClientError(Exception):
    """A call without an answer."""


class Unreachable(ClientError):
    """The service cannot be reached, or broke off."""


class Refused(ClientError):
    """The service refused; `problem` says what is wrong, and `request_id` where to find it in its log."""

    def __init__(self, problem: ProblemBody, retry_after: float | None = None) -> None:
        super().__init__(f"{problem.status} {problem.title}: {problem.detail}")
        self.problem = problem
        self.status = problem.status
        self.field = problem.field
        self.request_id = problem.request_id
        self.retry_after = retry_after


def refusal(response: httpx.Response) -> Refused:
    """Return the error of a response, whose body has been read, that is no success."""
    try:
        problem = ProblemBody.model_validate_json(response.content)
    except ValidationError:  # a proxy in between speaks for itself
        request_id = response.headers.get("X-Request-Id")
        problem = ProblemBody(
            title=response.reason_phrase, status=response.status_code, detail=response.text[:200], request_id=request_id
        )
    return Refused(problem, retry_after(response))


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds a response asks to wait; None where it does not say."""
    seconds = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else None
