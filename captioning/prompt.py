"""The one prompt of all MLLM captioners, and the answer schema, from `prompt.toml` or a file of one's own."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from catalog.errors import ConfigError
from catalog.plain_text import one_line
from catalog.workspace import content_key

FILE = "prompt.toml"
MAX_HEARD = 1000
"""Characters of a sound track that are told."""


_MOMENT: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"seconds": {"type": "number"}, "shows": {"type": "string"}},
    "required": ["seconds", "shows"],
}


class AnswerField(BaseModel):
    """One field of the answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z_]*$")
    """Key in the JSON."""
    kind: Literal["sentence", "text", "list", "moments"]
    """`sentence` is demanded, `text` may be null, `list` may be empty; `moments` is asked of videos only."""
    about: str
    """What belongs into it; the schema's description."""
    label: str = ""
    """What a caption calls it; empty: the name."""

    def schema_part(self) -> dict[str, Any]:
        """Return the field's JSON schema."""
        kinds: dict[str, dict[str, Any]] = {
            "sentence": {"type": "string"},
            "text": {"type": ["string", "null"]},
            "list": {"type": "array", "items": {"type": "string"}},
            "moments": {"type": "array", "items": _MOMENT},
        }
        return {**kinds[self.kind], "description": self.about}


class Prompt(BaseModel):
    """What a model is told and asked; `sha` stands in the provenance of every caption."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(min_length=1)
    """For people; the hash is what counts."""
    system: str = Field(min_length=1)
    """The standing rules; `{language}` is replaced."""
    picture: str = Field(min_length=1)
    """What is asked of a picture."""
    video: str = Field(min_length=1)
    """What is asked of the frames of a video."""
    heard: str
    """How a sound track is told; `{heard}` is replaced."""
    fields: tuple[AnswerField, ...] = Field(min_length=1)
    """Of the answer; the first is the sentence."""
    sha: str = ""
    """Hash of the file's bytes; set by `load_prompt`."""

    @field_validator("fields")
    @classmethod
    def _sentence_first(cls, fields: tuple[AnswerField, ...]) -> tuple[AnswerField, ...]:
        if fields[0].kind != "sentence" or any(field.kind == "sentence" for field in fields[1:]):
            raise ValueError("the first field, and only it, is of kind 'sentence'")
        if len({field.name for field in fields}) < len(fields):
            raise ValueError("two fields have one name")
        return fields

    def answer_schema(self, *, video: bool = False) -> dict[str, Any]:
        """Return the JSON schema of an answer; every field is required, as strict structured output wants."""
        fields = [field for field in self.fields if video or field.kind != "moments"]
        return {
            "type": "object",
            "additionalProperties": False,
            "properties": {field.name: field.schema_part() for field in fields},
            "required": [field.name for field in fields],
        }

    @property
    def moments_field(self) -> str | None:
        """Name of the field of a video's moments."""
        return next((field.name for field in self.fields if field.kind == "moments"), None)

    def system_text(self, language: str) -> str:
        """Return the standing rules for answers in `language`."""
        return self.system.replace("{language}", language).strip()

    def video_text(self, heard: str | None) -> str:
        """Return what is asked of a video whose sound track says `heard`."""
        if not heard or not heard.strip():
            return self.video.strip()
        # Quotes would let a speaker end the quotation.
        said = one_line(" ".join(heard.split())).replace('"', "'")[:MAX_HEARD]
        return f"{self.video.strip()}\n{self.heard.replace('{heard}', said).strip()}"

    @property
    def texts(self) -> tuple[str, ...]:
        """Everything a model could parrot."""
        return (self.system, self.picture, self.video, *(field.about for field in self.fields))


@lru_cache(maxsize=8)
def load_prompt(path: Path | None = None) -> Prompt:
    """Return the prompt of a file; None: the one that comes along.

    Raises:
        ConfigError: When it cannot be read, or lacks something; the text names the file and the field.
    """
    where = "the prompt that comes along" if path is None else f"the prompt file {str(path)!r}"
    try:
        data = files("captioning").joinpath(FILE).read_bytes() if path is None else path.read_bytes()
        return Prompt.model_validate({**tomllib.loads(data.decode()), "sha": content_key(data)})
    except OSError as error:
        raise ConfigError(f"{where} cannot be read: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{where} is no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{where}: {place}: {first['msg']}; {FILE} of the package shows the form") from error
