"""Captions from any OpenAI-compatible multimodal server: vLLM, or a hosted model."""

from __future__ import annotations

import base64
import io
import json
import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from captioning import prompt
from captioning.base import Clip, Picture, Words
from captioning.checks import caption_fault
from catalog.errors import ServiceError
from catalog.workspace import content_key

if TYPE_CHECKING:
    from openai import OpenAI


class OpenAICaptionerConfig(BaseModel):
    """Which server and model, and how it is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base_url: str = Field(pattern=r"^https?://\S+$")
    """Address that ends in `/v1`."""
    model: str
    """The served model's name."""
    name: str = "mllm"
    """Name of the artifact, `captions/<name>`."""
    api_key_env: str = "VITRINE_CAPTION_API_KEY"
    """Environment variable that holds the key; the key itself never stands in a configuration."""
    concurrency: int = Field(8, ge=1)
    """Requests in flight within one batch; changes speed only."""
    timeout_seconds: float = Field(60.0, gt=0)
    """How long one request may take."""
    retries: int = Field(4, ge=0)
    """Further tries after 408, 409, 429, 5xx, a lost connection or a timeout, with growing pauses."""
    max_pixels: int = Field(512 * 512, ge=28 * 28)
    """A picture is scaled down to at most this many pixels; changes captions."""
    jpeg_quality: int = Field(88, ge=30, le=100)
    """Quality of the JPEG that is sent; changes captions."""
    max_frames: int = Field(6, ge=1)
    """Frames of a video that are sent, evenly spaced."""
    max_tokens: int = Field(400, ge=16)
    """Bound on one answer."""
    temperature: float = Field(0.0, ge=0)
    """0 asks for the likeliest words."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore")

    caption: str
    category: str | None = None
    colours: list[str] = []
    material: str | None = None
    pattern: str | None = None
    style: str | None = None
    occasion: str | None = None
    text_seen: str | None = None

    def text(self) -> str:
        """Return the caption sentence followed by the fields that say something."""
        fields = {
            "category": self.category,
            "colours": ", ".join(c for c in self.colours if c.strip()),
            "material": self.material,
            "pattern": self.pattern,
            "style": self.style,
            "occasion": self.occasion,
            "text in the picture": self.text_seen,
        }
        said = [f"{name}: {value.strip()}" for name, value in fields.items() if value and value.strip()]
        sentence = self.caption.strip().rstrip(".") + "."
        return sentence + (f" {'; '.join(said)}." if said else "")


class OpenAICaptioner:
    """A `Captioner` (and `VideoCaptioner`) behind `/v1/chat/completions` with image parts.

    A refusal, broken JSON, a babble or a request that keeps failing is a failure of that picture. A
    server that cannot be reached, does not know the model or the key, or fails a whole batch of four
    or more, stops the job: going on would only collect failures.
    """

    def __init__(self, config: OpenAICaptionerConfig) -> None:
        self.config = config
        self.name = config.name
        self.model = config.model
        self.prompt_sha = content_key(
            prompt.PROMPT_SHA,
            config.max_pixels, config.jpeg_quality, config.max_frames, config.max_tokens, config.temperature,
        )  # fmt: skip

    def caption(self, pictures: Sequence[Picture]) -> list[Words]:
        """Return one `Words` a picture, in order.

        Raises:
            ServiceError: When the server is unreachable or refuses everything.
        """
        with ThreadPoolExecutor(self.config.concurrency, thread_name_prefix="caption") as pool:
            words = list(pool.map(lambda picture: self._ask(prompt.PICTURE, [picture]), pictures))
        if len(words) >= 4 and all(w.retryable for w in words):
            raise ServiceError(
                f"captioner {self.config.base_url!r}: all {len(words)} requests of a batch failed, "
                f"the first with {words[0].failure!r}",
                retryable=True,
            )
        return words

    def caption_video(self, clip: Clip) -> Words:
        """Return the words of one video from evenly spaced frames."""
        frames = clip.frames
        step = max(1, math.ceil(len(frames) / self.config.max_frames))
        return self._ask(prompt.VIDEO, frames[::step])

    @cached_property
    def _client(self) -> OpenAI:
        from openai import OpenAI

        return OpenAI(
            base_url=self.config.base_url,
            api_key=os.environ.get(self.config.api_key_env) or "none",
            timeout=self.config.timeout_seconds,
            max_retries=self.config.retries,
        )

    def _ask(self, instruction: str, pictures: Sequence[Picture]) -> Words:
        import openai

        parts: list[dict[str, Any]] = [{"type": "text", "text": instruction}]
        parts += [{"type": "image_url", "image_url": {"url": self._data_url(p.image)}} for p in pictures]
        where = f"captioner {self.config.base_url!r}"
        request: dict[str, Any] = {
            "model": self.config.model,
            "messages": [{"role": "system", "content": prompt.SYSTEM}, {"role": "user", "content": parts}],
            "max_tokens": self.config.max_tokens,
            "temperature": self.config.temperature,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "caption", "strict": True, "schema": prompt.SCHEMA},
            },
        }
        try:
            answer = self._client.chat.completions.create(**request)
        except openai.APITimeoutError:
            return Words(None, f"timeout: no answer within {self.config.timeout_seconds} s", retryable=True)
        except openai.APIConnectionError as error:
            raise ServiceError(f"{where} cannot be reached: {error.__cause__ or error}", retryable=True) from error
        except openai.APIStatusError as error:
            if error.status_code in (401, 403, 404):
                raise ServiceError(
                    f"{where} answered {error.status_code} for model {self.config.model!r}: {error.message}; "
                    f"check the model's name and the key in {self.config.api_key_env}"
                ) from error
            retryable = error.status_code == 429 or error.status_code >= 500
            return Words(None, f"status {error.status_code}: {error.message[:200]}", retryable=retryable)
        except openai.OpenAIError as error:
            return Words(None, f"bad answer: {str(error)[:200]}")
        if not answer.choices:
            return Words(None, "bad answer: no choice")
        choice = answer.choices[0]
        if refusal := getattr(choice.message, "refusal", None):
            return Words(None, f"refusal: {refusal[:120]!r}")
        if choice.finish_reason == "length":
            return Words(None, f"cut off: the answer ran past {self.config.max_tokens} tokens")
        return read_answer(choice.message.content or "")

    def _data_url(self, image: Image.Image) -> str:
        """Return the picture as a JPEG data URL within the pixel budget."""
        scale = math.sqrt(self.config.max_pixels / (image.width * image.height))
        if scale < 1:
            size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
            image = image.resize(size, Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "JPEG", quality=self.config.jpeg_quality)
        return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def read_answer(content: str) -> Words:
    """Turn the model's JSON into one text, or the reason it is no caption.

    A fence of three backticks around the JSON is tolerated: servers without structured output add it.
    """
    body = content.strip()
    if body.startswith("```"):
        body = body.strip("`").removeprefix("json").strip()
    try:
        answer = _Answer.model_validate(json.loads(body))
    except json.JSONDecodeError:
        fault = caption_fault(content)
        kept = fault if fault and fault.startswith(("empty", "refusal")) else f"not JSON: {content[:120]!r}"
        return Words(None, kept)
    except ValidationError as error:
        first = error.errors()[0]
        return Words(None, f"wrong fields: {'.'.join(map(str, first['loc'])) or 'answer'}: {first['msg']}")
    text = answer.text()
    fault = caption_fault(answer.caption) or caption_fault(text)
    return Words(None, fault) if fault else Words(text)
