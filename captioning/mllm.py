"""Captions by an MLLM: one prompt, one form of answer and one set of checks, whichever library runs the model."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from captioning.base import Clip, Moment, Picture, Words
from captioning.checks import caption_fault, refused
from captioning.languages import PROFILES, Language
from captioning.moments import read_moments
from captioning.prompt import Prompt, load_prompt
from captioning.vision import Answer, Ask, ChatVision
from catalog.plain_text import one_line
from catalog.workspace import content_key

Checks = Literal["enforce", "report"]

MAX_ENTRIES = 12
"""Entries of a list field that are kept."""
MAX_FIELD_CHARS = 200
"""Characters of a field beside the caption that are kept."""

_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)


class MllmConfig(BaseModel):
    """What an MLLM is asked, and which answers are captions."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Language = "en"
    """Of the captions; the model is asked for it, and an answer in another is a failure."""
    checks: Checks = "enforce"
    """`enforce`: what is no caption is a failure. `report`: its text is kept and the fault counted, for trials of a
    model; both stand in the captions' manifest."""
    max_tokens: int = Field(400, ge=16)
    """Bound on one answer; one that runs past it before its JSON is closed is cut off, and no caption."""
    max_video_tokens: int = Field(800, ge=16)
    """The same of a video, whose answer also names moments."""
    prompt_file: Path | None = None
    """A prompt of one's own, of the form of `captioning/prompt.toml`; changes captions."""


class MllmCaptioner:
    """A `Captioner` and `VideoCaptioner` for any `ChatVision`.

    Can be sent to another process before the model is loaded, which then happens there.

    Attributes:
        stamp: What the manifest says about how these captions were made.
    """

    def __init__(self, vision: ChatVision, config: MllmConfig | None = None) -> None:
        self.vision = vision
        self.config = config or MllmConfig()
        self.name = vision.name
        self.model = vision.model
        self._prompt: Prompt = load_prompt(self.config.prompt_file)
        words = self.config.model_dump(exclude={"prompt_file"})
        self.prompt_sha = content_key(self._prompt.sha, vision.settings_sha, words)
        self.stamp: Mapping[str, Any] = {
            "checks": self.config.checks,
            "language": self.config.language,
            "prompt_version": self._prompt.version,
            **getattr(vision, "stamp", {}),
        }

    def __reduce__(self) -> tuple[object, ...]:
        return MllmCaptioner, (self.vision, self.config)

    def caption(self, pictures: Sequence[Picture]) -> list[Words]:
        """Return one `Words` a picture, in order.

        Raises:
            ServiceError: When the model cannot be reached or loaded.
        """
        schema, most = self._prompt.answer_schema(), self.config.max_tokens
        asks = [self._ask(self._prompt.picture.strip(), schema, most, pictures=(picture,)) for picture in pictures]
        return [self._words(answer) for answer in self.vision.answer(asks)]

    def caption_video(self, clip: Clip) -> Words:
        """Return the words of one video.

        Raises:
            ServiceError: As `caption`.
        """
        return self.caption_videos([clip])[0]

    def caption_videos(self, clips: Sequence[Clip]) -> list[Words]:
        """Return one `Words` a video, in order; several at once keep the model busy.

        Raises:
            ServiceError: As `caption`.
        """
        schema, most = self._prompt.answer_schema(video=True), self.config.max_video_tokens
        asks = [self._ask(self._prompt.video_text(clip.heard), schema, most, clip=clip) for clip in clips]
        answers = self.vision.answer(asks)
        return [self._words(answer, clip) for clip, answer in zip(clips, answers, strict=True)]

    def _ask(self, instruction: str, schema: Mapping[str, Any], max_tokens: int, **shown: Any) -> Ask:
        return Ask(
            system=self._prompt.system_text(PROFILES[self.config.language].name),
            instruction=instruction,
            schema=schema,
            max_tokens=max_tokens,
            **shown,
        )

    def _words(self, answer: Answer, clip: Clip | None = None) -> Words:
        if answer.content is None:
            failure = answer.failure or "empty: the model said nothing"
            return Words(None, one_line(failure), answer.retryable, answer.usage)
        text, fault = read_answer(answer.content, self._prompt, self.config.language)
        if answer.cut and fault is not None and not fault.startswith("refusal"):
            most = self.config.max_tokens if clip is None else self.config.max_video_tokens
            fault = f"cut off: the answer ran past {most} tokens"
        if fault is None:
            return Words(text, usage=answer.usage, moments=self._moments(answer.content, clip))
        if self.config.checks == "report" and text:
            return Words(text, usage=answer.usage, faults=(fault.split(":", 1)[0],))
        return Words(None, one_line(fault), usage=answer.usage)

    def _moments(self, content: str, clip: Clip | None) -> tuple[Moment, ...]:
        """Return what is seen when, without what is no sentence of a model that sees."""
        name, answer = self._prompt.moments_field, _json_object(_THOUGHT.sub("", content))
        if clip is None or name is None or answer is None:
            return ()
        found = read_moments(answer.get(name), clip.times, clip.seconds)
        return tuple(moment for moment in found if caption_fault(moment.shows, None, self._prompt.texts) is None)


def read_answer(content: str, prompt: Prompt | None = None, language: Language | None = None) -> tuple[str, str | None]:
    """Return the text of an answer and why it is no caption, None when it is one.

    What stands around the JSON object (a fence, a word of politeness, a closed train of thought) is passed over. Text
    that is no such object is given back as it is, with its fault.

    Args:
        content: What the model said.
        prompt: What it was asked; None: the prompt that comes along.
        language: The language it was asked for; None: any.
    """
    prompt = prompt or load_prompt()
    said = _THOUGHT.sub("", content)
    answer = _json_object(said)
    if answer is None:
        plain = _clean(said)
        fault = caption_fault(plain, None, prompt.texts)
        kept = (
            fault if fault and fault.split(":", 1)[0] in ("empty", "refusal", "repetition", "echo", "garbled") else None
        )
        return plain, kept or f"not JSON: {plain[:120]!r}"
    if "properties" in answer and "type" in answer:
        return _clean(said), "echo: the schema of the answer in place of an answer"
    if (wrong := _wrong_field(answer, prompt)) is not None:
        return _clean(said), f"wrong fields: {wrong}"
    sentence = _clean(answer[prompt.fields[0].name])
    text = _merged(sentence, answer, prompt)
    fault = caption_fault(sentence, language, prompt.texts) or caption_fault(text, None, prompt.texts)
    return text, fault


def _json_object(said: str) -> dict[str, Any] | None:
    start = said.find("{")
    if start < 0 or refused(said[:start]):
        return None
    try:
        found, _ = json.JSONDecoder(strict=False).raw_decode(said, start)  # a bare newline in a string is no reason
    except (ValueError, RecursionError):  # ValueError: also a number of thousands of digits
        return None
    return found if isinstance(found, dict) else None


def _wrong_field(answer: Mapping[str, Any], prompt: Prompt) -> str | None:
    """Return which field is missing or of the wrong kind; what is null or absent beside the sentence is not said."""
    for field in prompt.fields:
        value = answer.get(field.name)
        if field.kind == "sentence" and not isinstance(value, str):
            return f"{field.name} is {_short(value)}; a sentence would be valid"
        if field.kind == "text" and not (value is None or isinstance(value, str)):
            return f"{field.name} is {_short(value)}; text or null would be valid"
        if field.kind == "list" and not (
            value is None or (isinstance(value, list) and all(isinstance(entry, str) for entry in value))
        ):
            return f"{field.name} is {_short(value)}; a list of words would be valid"
    return None


def _short(value: object) -> str:
    try:
        text = "missing" if value is None else repr(value)
    except (ValueError, RecursionError):
        text = f"a {type(value).__name__} too deep or long to show"
    return text if len(text) <= 60 else text[:59] + "…"


def _merged(sentence: str, answer: Mapping[str, Any], prompt: Prompt) -> str:
    """Return the sentence followed by the fields that say something."""
    said = []
    for field in (field for field in prompt.fields[1:] if field.kind != "moments"):
        value = answer.get(field.name)
        entries = value[:MAX_ENTRIES] if isinstance(value, list) else [value or ""]
        words = ", ".join(dict.fromkeys(word for entry in entries if (word := _clean(entry))))
        if words and words.lower() not in ("null", "none", "n/a"):
            said.append(f"{field.label or field.name.replace('_', ' ')}: {words[:MAX_FIELD_CHARS].rstrip()}")
    ended = sentence if not sentence or sentence[-1] in ".!?。！？…" else f"{sentence}."
    return ended + (f" {'; '.join(said)}." if said else "")


def _clean(text: str) -> str:
    """Return text as one line without anything that steers a terminal; a picture may hold such characters."""
    flat = "".join(" " if c.isspace() else c for c in text)
    return " ".join("".join(c for c in flat if c.isprintable() or c in "\u200c\u200d").split())
