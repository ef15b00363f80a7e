"""The one prompt of LLM extraction and the schema of its answer; `prompt.toml` is hashed into the provenance."""

from __future__ import annotations

import json
import tomllib
from functools import lru_cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from captioning.intents.base import Utterance
from catalog.intents import INTENT_KINDS
from catalog.workspace import content_key

FILE = "prompt.toml"

_ENTRY: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "kind": {"type": "string", "enum": list(INTENT_KINDS)},
        "quote": {"type": "string"},
        "aspect": {"type": ["string", "null"]},
        "polarity": {"type": ["integer", "null"], "enum": [1, -1, None]},
        "amount": {"type": ["number", "null"]},
    },
    "required": ["kind", "quote", "aspect", "polarity", "amount"],
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"intents": {"type": "array", "items": _ENTRY}},
    "required": ["intents"],
}


class IntentPrompt(BaseModel):
    """What a model is told; `sha` is the hash of the file's bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(min_length=1)
    """For people; the hash is what counts."""
    system: str = Field(min_length=1)
    """The standing rules."""
    sha: str = Field(min_length=1)
    """Of the file and the schema."""


@lru_cache(maxsize=1)
def intent_prompt() -> IntentPrompt:
    """Return the prompt that comes along."""
    data = files("captioning.intents").joinpath(FILE).read_bytes()
    return IntentPrompt.model_validate({**tomllib.loads(data.decode()), "sha": content_key(data, SCHEMA)})


def asked(said: Utterance) -> str:
    """Return the text as data: one JSON object, in which no text can end its own quotation."""
    return json.dumps({"source": said.source, "stars": said.stars, "text": said.text}, ensure_ascii=False)
