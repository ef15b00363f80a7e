"""What an OpenAI client sends, read as one message of a shopper and the conversation before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from agent.base import ChatRequest, PastMessage, Spoken
from api.config import ApiConfig
from api.fields import ExternalId, SessionId, TopN, Unicode, check_image, check_message
from api.problems import ApiProblem
from api.voice import with_words

Hears = Callable[[str, str], Spoken]


class _Lenient(Unicode):
    """OpenAI clients send many parameters; those that mean nothing here are let through."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False, strict=True)


class ImageUrl(_Lenient):
    """A picture of a message."""

    url: str


class InputAudio(_Lenient):
    """A voice of a message."""

    data: str
    format: str = "wav"


class Part(_Lenient):
    """A piece of a message's content."""

    type: Literal["text", "image_url", "input_audio", "file", "refusal"]
    text: str = ""
    image_url: ImageUrl | None = None
    input_audio: InputAudio | None = None


class Echoed(_Lenient):
    """A recommendation that comes back with the assistant's message."""

    item_id: str


class Message(_Lenient):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    recommendations: list[Echoed] | None = None

    @property
    def text(self) -> str:
        """What it says."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or () if part.type == "text")

    @property
    def pictures(self) -> tuple[str, ...]:
        """Addresses of its pictures."""
        parts = self.content if isinstance(self.content, list) else []
        return tuple(part.image_url.url for part in parts if part.image_url is not None)

    @property
    def voice(self) -> str | None:
        """Its first voice as a data URL, None where there is none."""
        parts = self.content if isinstance(self.content, list) else []
        found = next((part.input_audio for part in parts if part.input_audio is not None), None)
        return f"data:audio/{found.format};base64,{found.data}" if found is not None else None


class CompletionBody(_Lenient):
    """A request in OpenAI's form; `session_id`, `user_id` and `top_n` are ours, `user` counts as `user_id`."""

    messages: Annotated[list[Message], Field(min_length=1, max_length=400)]
    model: str = "vitrine"
    stream: bool = False
    stream_options: dict[str, Any] | None = None
    user: ExternalId | None = None
    user_id: ExternalId | None = None
    session_id: SessionId | None = None
    top_n: TopN = 10


def request_of(body: CompletionBody, config: ApiConfig, hears: Hears | None = None) -> ChatRequest:
    """Return the last user message as a request, with the conversation before it as history.

    Args:
        body: The request.
        config: The limits.
        hears: What is said in a data URL that stands in the named field; None ignores voices.

    Raises:
        ApiProblem: 422, when there is no user message, or it is empty or too long.
    """
    last = max((i for i, message in enumerate(body.messages) if message.role == "user"), default=None)
    if last is None:
        raise ApiProblem(422, "messages: there is no message of role 'user'", field="messages")
    place = f"messages.{last}.content"
    message = body.messages[last]
    images = tuple(check_image(url, place) for url in message.pictures)
    spoken = hears(message.voice, place) if hears is not None and message.voice is not None else None
    text = message.text if spoken is None else with_words(message.text, spoken)
    if text.strip() or not (images or spoken):
        text = check_message(text, config, place)
    history = tuple(
        PastMessage(m.role, m.text, tuple(each.item_id for each in m.recommendations or ()))
        for m in body.messages[:last]
        if m.role in ("user", "assistant") and (m.text or m.recommendations)
    )
    return ChatRequest(text, body.session_id, body.user_id or body.user, images, body.top_n, history, spoken)
