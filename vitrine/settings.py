"""All settings, in one frozen typed tree composed of each layer's own config.

Command line > environment `VITRINE_...` > `vitrine.local.toml` > `vitrine.toml` > defaults. Unknown
keys are refused by name, unknown `VITRINE_` variables too. Secrets come by environment only.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from agent.config import AgentConfig
from api.config import ApiConfig
from captioning.job import CaptionJobConfig
from captioning.openai_compatible import OpenAICaptionerConfig
from catalog.boutique.config import BoutiqueConfig
from catalog.errors import ConfigError, did_you_mean
from embedding.minilm import MiniLMConfig
from embedding.openai_compatible import OpenAIEmbedderConfig
from tools.pipeline.config import PipelineConfig
from vitrine.logs import Level

PREFIX = "VITRINE_"
SECRETS = re.compile(r"VITRINE_(\w+_)?API_KEYS?")
"""Variables that are read where they are used and never become a setting."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CaptionSettings(_Part):
    """Who reads the pictures."""

    captioner: Literal["pixels", "openai"] = "pixels"
    """`pixels` needs nothing; `openai` is any OpenAI-compatible server with an MLLM, such as vLLM."""
    openai: OpenAICaptionerConfig | None = None
    """Where that server is. Needed when `captioner` is `openai`."""
    job: CaptionJobConfig = CaptionJobConfig()
    """How the batch job runs; none of it changes a caption."""


class EmbeddingSettings(_Part):
    """Who turns words into vectors."""

    embedder: Literal["minilm", "openai"] = "minilm"
    """`minilm` needs nothing; `openai` is any server with `/v1/embeddings`."""
    minilm: MiniLMConfig = MiniLMConfig()
    """How MiniLM runs."""
    openai: OpenAIEmbedderConfig | None = None
    """Where that server is. Needed when `embedder` is `openai`."""


class ModelSettings(_Part):
    """What is trained and served."""

    serve: str = "lirdrec"
    """The recommender that `vitrine train` fits and the shop serves."""
    modalities: dict[str, str] = Field(default_factory=dict)
    """Embedding space by role, e.g. `{picture = "image_feat", text = "text_feat"}`. Empty: the caption space and
    the text space where they exist, else the folder's own features."""
    overrides: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Parameters by model name, e.g. `{lirdrec = {lr = 0.001}}`."""
    ranker: bool = True
    """Whether `vitrine train` fits the LightGBM re-ranker as well."""


class Settings(BaseSettings):
    """Everything that can be set; `vitrine settings` prints it with where each value came from."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__", case_sensitive=False
    )
    toml_files: ClassVar[tuple[Path, ...]] = (Path("vitrine.local.toml"), Path("vitrine.toml"))

    store: Path = Path("store")
    """The workspace folder: everything a run makes lives there."""
    seed: int = 7
    """Flows into every random choice; the same inputs give the same bytes."""
    log_level: Level = "WARNING"
    """Least level that is logged to standard error."""
    positives: tuple[str, ...] | None = None
    """Event kinds that count as a success. None: purchase and cart where present, else every row."""
    boutique: BoutiqueConfig = BoutiqueConfig()
    """The generated shop."""
    captions: CaptionSettings = CaptionSettings()
    """Pictures to words."""
    embedding: EmbeddingSettings = EmbeddingSettings()
    """Words to vectors."""
    models: ModelSettings = ModelSettings()
    """Vectors and events to scores."""
    pipeline: PipelineConfig = PipelineConfig()
    """Retrieve, unite, rank, diversify."""
    agent: AgentConfig = AgentConfig()
    """The mind, its budgets and its memory."""
    api: ApiConfig = ApiConfig()
    """The wire."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources; the first that names a value wins."""
        files = (TomlConfigSettingsSource(settings_cls, toml_file=path) for path in cls.toml_files)
        return (init_settings, env_settings, *files)


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of this process.

    Args:
        overrides: Nested values from the command line; they win over everything.

    Raises:
        ConfigError: On an unknown key or variable, or a wrong value; the text names it and what would be valid.
    """
    _refuse_unknown_variables(os.environ)
    try:
        return Settings(**dict(overrides or {}))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"a settings file is not valid TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(_explain(first["loc"], first["type"], first["msg"], first.get("input"))) from None


def setting_paths() -> dict[str, tuple[str, Any]]:
    """Return every setting as `dotted.path -> (meaning, default)`, for documentation and its test."""
    return dict(_walk(Settings, ()))


def _walk(model: type[BaseModel], parents: tuple[str, ...]) -> list[tuple[str, tuple[str, Any]]]:
    rows: list[tuple[str, tuple[str, Any]]] = []
    docs = _field_docs(model)
    for name, field in model.model_fields.items():
        path = (*parents, name)
        nested = _nested(field.annotation)
        if nested is not None:
            rows += _walk(nested, path)
        else:
            default = None if field.is_required() else field.get_default(call_default_factory=True)
            rows.append((".".join(path), (docs.get(name) or field.description or "", default)))
    return rows


def _nested(annotation: Any) -> type[BaseModel] | None:
    for choice in (annotation, *get_args(annotation)):
        if isinstance(choice, type) and issubclass(choice, BaseModel):
            return choice
    return None


def _field_docs(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring under each field of `model` and its bases, from the source."""
    import ast
    import inspect
    import textwrap

    docs: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if not issubclass(cls, BaseModel) or cls.__module__.startswith(("pydantic", "builtins")):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, after in zip(body.body, body.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
            ):
                docs[field.target.id] = " ".join(str(after.value.value).split())
    return docs


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {PREFIX + path.upper().replace(".", "__") for path in setting_paths()}
    groups = {PREFIX + name.upper() for name in Settings.model_fields}
    valid = known | groups
    for name in environment:
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper in valid or SECRETS.fullmatch(upper):
            continue
        if any(upper.startswith(f"{path}__") for path in known | groups):
            continue  # inside a free mapping, or a group whose own config judges it
        raise ConfigError(f"unknown environment variable {name!r}. {did_you_mean(upper, sorted(valid))}")


def _explain(place: tuple[int | str, ...], kind: str, message: str, value: object) -> str:
    path = ".".join(str(part) for part in place)
    if kind == "extra_forbidden":
        parent = path.rpartition(".")[0]
        siblings = [
            known[len(parent) + 1 if parent else 0 :].split(".")[0]
            for known in setting_paths()
            if known.startswith(f"{parent}." if parent else "")
        ]
        return f"unknown setting {path!r}. {did_you_mean(str(place[-1]), sorted(set(siblings)))}"
    return f"setting {path!r} is {value!r}: {message}"


def settings_markdown() -> str:
    """Return the table of `docs/configuration.md`: every setting, its default and its meaning."""
    import json

    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for path, (meaning, default) in setting_paths().items():
        shown = json.dumps(default, default=str).replace("|", "\\|")
        lines.append(f"| `{path}` | `{shown}` | {meaning.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"
