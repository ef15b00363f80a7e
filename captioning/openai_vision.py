"""`openai`: an MLLM behind any OpenAI-compatible server, such as vLLM's."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image
from pydantic import Field

from batch.side_by_side import side_by_side
from captioning.base import Clip
from captioning.chat_answer import bad_answer, read_chat
from captioning.frames import sampling, thinned
from captioning.pixel_budget import FACTOR, VisionConfig, within_budget
from captioning.vision import Answer, Ask
from catalog.errors import MediaError, ServiceError
from catalog.server_answers import BadAnswer, answer_object
from catalog.server_words import server_words
from catalog.workspace import content_key

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

ENDED = 4
"""Failed requests, all of one batch, from which on the server counts as down."""
MOST_BYTES = 4_000_000
"""Of one answer, packed or not; an answer to the largest `max_tokens` is a hundredth of it."""


class OpenAIVisionConfig(VisionConfig):
    """Which server and model, and how it is asked."""

    base_url: str = Field(pattern=r"^https?://\S+$")
    """Address that ends in `/v1`."""
    model: str
    """The served model's name."""
    api_key_env: str = "VITRINE_CAPTION_API_KEY"
    """Environment variable that holds the key; the key itself never stands in a configuration."""
    concurrency: int = Field(8, ge=1)
    """Requests in flight within one batch; changes speed only."""
    timeout_seconds: float = Field(60.0, gt=0)
    """How long one try may take in all, from connecting to the last byte."""
    retries: int = Field(4, ge=0)
    """Further tries after 408, 409, 429, 5xx, a lost connection or a timeout, with growing pauses."""
    jpeg_quality: int = Field(88, ge=30, le=100)
    """Quality of the JPEG that is sent; changes captions."""
    temperature: float = Field(0.0, ge=0)
    """0 asks for the likeliest words."""
    seed: int | None = None
    """Sent along where set; changes captions of a temperature above 0."""
    clips: Literal["images", "video"] = "images"
    """`images` shows the frames of a video as pictures, each under its time, which any server takes; `video` shows them
    as one video with its sampling, which vLLM takes (`video/jpeg` and `media_io_kwargs`) where it was started with
    `--trust-request-mm-kwargs`."""

    @property
    def model_name(self) -> str:
        """What captions call the model."""
        return self.model


class OpenAIVision:
    """A `ChatVision` behind `/v1/chat/completions`.

    A request that keeps failing is a failure of its question. A server that cannot be reached, does not know the
    model or the key, or fails a whole batch of four or more, is an outage: going on would only collect failures.
    """

    def __init__(self, config: OpenAIVisionConfig, role: str = "captioner") -> None:
        self.config = config
        self.role = role  # what errors call it
        self.name = config.name
        self.model = config.model
        words = config.model_dump(
            exclude={"name", "base_url", "api_key_env", "concurrency", "timeout_seconds", "retries"}
        )
        self.settings_sha = content_key("openai", words)

    def __reduce__(self) -> tuple[object, ...]:
        return OpenAIVision, (self.config, self.role)

    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        """Return one answer a question, in order.

        Raises:
            ServiceError: When the server is unreachable or refuses everything.
        """
        answers = side_by_side(self._ask, asks, self.config.concurrency, "caption")
        if len(answers) >= ENDED and all(answer.retryable for answer in answers):
            raise ServiceError(
                f"{self.role} {self.config.base_url!r}: all {len(answers)} requests of a batch failed, "
                f"the first with {answers[0].failure!r}",
                retryable=True,
            )
        return answers

    def served_models(self) -> list[str] | None:
        """Return the models the server lists; None where it lists none.

        Raises:
            ServiceError: When it cannot be reached.
        """
        import httpx
        import openai

        try:
            answer = self._client.get("/models", cast_to=httpx.Response)
            return [str(model["id"]) for model in answer_object(answer.content)["data"]]
        except openai.APIConnectionError as error:
            raise self._unreachable(error) from error
        except (openai.OpenAIError, LookupError, TypeError, ValueError):
            return None

    @cached_property
    def _key(self) -> str:
        from catalog.server_client import api_key

        return api_key(self.config.api_key_env)

    @cached_property
    def _client(self) -> OpenAI:
        from catalog.server_client import server_client

        return server_client(
            self.config.base_url,
            self._key,
            seconds=self.config.timeout_seconds,
            retries=self.config.retries,
            most_bytes=MOST_BYTES,
        )

    def _ask(self, ask: Ask) -> Answer:
        import httpx
        import openai

        from catalog.server_client import broke_off, redirected

        try:
            request = self._request(ask)
        except MediaError as error:  # a strip of pixels that no model takes
            return Answer(None, f"shape: {error}")
        try:
            answer = self._client.post("/chat/completions", body=request, cast_to=httpx.Response)
            return read_chat(answer_object(answer.content, answer.headers.get("content-type", "")))
        except BadAnswer as error:
            return bad_answer(str(error))
        except openai.APITimeoutError:
            return Answer(None, f"timeout: no answer within {self.config.timeout_seconds:g} s", retryable=True)
        except openai.APIConnectionError as error:
            if broke_off(error):
                return bad_answer(f"it broke off: {server_words(error, self._key)}")
            raise self._unreachable(error) from error
        except openai.APIStatusError as error:
            return self._refused(error, redirected(error))
        except openai.OpenAIError as error:
            return bad_answer(server_words(error, self._key))

    def _refused(self, error: APIStatusError, redirect: str | None) -> Answer:
        """Return the failure of one question.

        Raises:
            ServiceError: When every other question would be refused as well.
        """
        where, status = f"{self.role} {self.config.base_url!r}", error.status_code
        if redirect is not None:
            raise ServiceError(f"{where} {redirect}") from error
        words = server_words(error, self._key)
        if status in (401, 403, 404):
            raise ServiceError(
                f"{where} answered {status} for model {self.config.model!r}: {words}; "
                f"check the model's name and the key in {self.config.api_key_env}"
            ) from error
        return Answer(None, f"status {status}: {words}", retryable=status in (408, 409, 429) or status >= 500)

    def _unreachable(self, error: Exception) -> ServiceError:
        words = server_words(error, self._key)
        return ServiceError(f"{self.role} {self.config.base_url!r} cannot be reached: {words}", retryable=True)

    def _request(self, ask: Ask) -> dict[str, Any]:
        """Return the body of one request.

        Raises:
            MediaError: When a picture is too long a strip.
        """
        parts = [self._picture(picture.image, self.config.max_pixels) for picture in ask.pictures]
        extra: dict[str, Any] = {}
        if ask.clip is not None:
            clip = thinned(ask.clip, self.config.max_frames)
            if self.config.clips == "video":
                parts.append(self._video(clip))
                extra = {"media_io_kwargs": {"video": _video_options(clip)}}
            else:
                for frame, time in zip(clip.frames, clip.times, strict=True):
                    parts.append(_text(frame_line(time, clip.seconds)))
                    parts.append(self._picture(frame.image, self.config.frame_pixels))
        parts.append(_text(ask.instruction))
        if ask.schema is not None:
            form = {"name": "answer", "strict": True, "schema": dict(ask.schema)}
            extra["response_format"] = {"type": "json_schema", "json_schema": form}
        if self.config.seed is not None:
            extra["seed"] = self.config.seed
        return {
            "model": self.config.model,
            "messages": [{"role": "system", "content": ask.system}, {"role": "user", "content": parts}],
            "max_tokens": ask.max_tokens,
            "temperature": self.config.temperature,
            **extra,
        }

    def _picture(self, image: Image.Image, max_pixels: int) -> dict[str, Any]:
        url = "data:image/jpeg;base64," + self._jpeg(image, max_pixels)
        return {"type": "image_url", "image_url": {"url": url}}

    def _video(self, clip: Clip) -> dict[str, Any]:
        """Return the frames as vLLM takes a clip that was sampled already: JPEGs, one after the other."""
        frames = ",".join(self._jpeg(frame.image, self.config.frame_pixels) for frame in clip.frames)
        return {"type": "video_url", "video_url": {"url": "data:video/jpeg;base64," + frames}}

    def _jpeg(self, image: Image.Image, max_pixels: int) -> str:
        buffer = io.BytesIO()
        fitted = within_budget(image, FACTOR, self.config.min_pixels, max_pixels)
        fitted.save(buffer, "JPEG", quality=self.config.jpeg_quality)
        return base64.b64encode(buffer.getvalue()).decode()


def frame_line(time: float, seconds: float) -> str:
    """Return the line that stands before a frame shown as a picture.

    Example:
        >>> frame_line(1.25, 8.0)
        'Frame at 1.2 of 8.0 seconds:'
    """
    return f"Frame at {time:.1f} of {seconds:.1f} seconds:"


def _video_options(clip: Clip) -> dict[str, Any]:
    told = sampling(clip)
    return {
        "num_frames": -1,  # all that are sent; the default would cut them at 32
        "fps": told.fps,
        "frames_indices": list(told.frames_indices),
        "total_num_frames": told.total_num_frames,
        "duration": told.duration,
        "do_sample_frames": False,
    }


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}
