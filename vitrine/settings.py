"""All settings, in one frozen typed tree composed of each layer's own config.

Command line > environment `VITRINE_...` > `vitrine.local.toml` > `vitrine.toml` > defaults. Unknown
keys are refused by name, unknown `VITRINE_` variables too. Secrets come by environment only.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from agent.config import AgentConfig
from api.config import ApiConfig
from batch.ray_engine import RayConfig
from captioning.catalogue.config import CatalogueConfig
from captioning.intents.config import IntentConfig
from captioning.job import CaptionJobConfig
from captioning.mllm import MllmConfig
from captioning.openai_vision import OpenAIVisionConfig
from captioning.proven import ProbeMode
from captioning.speech.config import SpeechConfig
from captioning.transformers_vision import TransformersVisionConfig
from captioning.vllm_vision import VllmVisionConfig
from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.marketing.config import MarketingConfig
from catalog.errors import ConfigError
from catalog.event_config import EventConfig
from catalog.media.bringing import MediaConfig
from catalog.nouns import Kind
from catalog.sync import SyncConfig
from embedding.attribute_space import AttributeSpaceConfig
from embedding.clip import OpenClipConfig
from embedding.clip_training.config import ClipTrainingConfig
from embedding.decoder import DecoderConfig
from embedding.fusion.config import FusionConfig
from embedding.item_text import CATALOGUE_PARTS, Part
from embedding.job import EmbedJobConfig
from embedding.minilm import MiniLMConfig
from embedding.openai_compatible import OpenAIEmbedderConfig
from embedding.picture_job import PictureJobConfig
from embedding.reviews import ReviewConfig
from embedding.sentence import SentenceConfig
from embedding.video.config import VideoEncoderConfig
from embedding.vllm_pooling import VllmPoolingConfig
from indexes.config import IndexSettings
from models import registry
from tools.crossmodal.config import CrossModalConfig
from tools.experiment import ExperimentConfig
from tools.live_config import LiveConfig
from tools.pipeline.config import PipelineConfig
from vitrine.faults import fault_line
from vitrine.logs import Format, Level
from vitrine.origins import origin_of, read_toml
from vitrine.real.config import RealConfig
from vitrine.reference import setting_names
from vitrine.retrain_config import RetrainConfig
from vitrine.withheld import addresses_with_names, refuse_secrets

PREFIX = "VITRINE_"
MAX_SEED = 2**31 - 1
"""The largest seed that every library of ours takes."""
SECRETS = re.compile(r"VITRINE_(\w+_)?API_KEYS?")
"""Variables that are read where they are used and never become a setting."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CaptionSettings(_Part):
    """Who reads the pictures."""

    captioner: Literal["pixels", "catalogue", "openai", "transformers", "vllm"] = "pixels"
    """`pixels` needs nothing; `catalogue` is what `vitrine train clip` learned from the shop's own items; `openai` is
    any OpenAI-compatible server with an MLLM, such as vLLM's; `transformers` and `vllm` load an MLLM into this
    process."""
    catalogue: CatalogueConfig = CatalogueConfig()
    """What `catalogue` learns, and which of its guesses it says."""
    openai: OpenAIVisionConfig | None = None
    """Where that server is. Needed when `captioner` is `openai`."""
    transformers: TransformersVisionConfig | None = None
    """Which model is loaded. Needed when `captioner` is `transformers`."""
    vllm: VllmVisionConfig | None = None
    """Which model vLLM loads. Needed when `captioner` is `vllm`."""
    mllm: MllmConfig = MllmConfig()
    """What an MLLM is asked, and which of its answers are captions; changes captions."""
    probe: ProbeMode = "run"
    """`run`: before its first caption an MLLM must read a picture of random words, name colours in their order and keep
    to a JSON schema; a wrong answer stops the job. `off` goes on without the proof, and says so in the manifest."""
    job: CaptionJobConfig = CaptionJobConfig()
    """How the batch job runs; none of it changes a caption."""


class EmbeddingSettings(_Part):
    """Who turns words into vectors."""

    embedder: Literal["minilm", "openai", "sentence", "decoder", "vllm"] = "minilm"
    """`minilm` needs nothing; `openai` is any server with `/v1/embeddings`; `sentence` is any sentence-transformers
    model, `decoder` a transformers decoder (Qwen3-Embedding), `vllm` vLLM in this process, each from files that stand
    on this machine."""
    parts: tuple[Part, ...] = CATALOGUE_PARTS
    """What an item's text is made of, of title, brand, categories, attributes, captions, description, reviews; their
    order is always that. Captions have a space of their own besides. Changes vectors."""
    reviews: ReviewConfig = ReviewConfig()
    """Which reviews the part `reviews` reads, and from before when."""
    minilm: MiniLMConfig = MiniLMConfig()
    """How MiniLM runs."""
    openai: OpenAIEmbedderConfig | None = None
    """Where that server is. Needed when `embedder` is `openai`."""
    sentence: SentenceConfig | None = None
    """Which sentence-transformers model. Needed when `embedder` is `sentence`."""
    decoder: DecoderConfig | None = None
    """Which decoder. Needed when `embedder` is `decoder`."""
    vllm: VllmPoolingConfig | None = None
    """Which model vLLM runs. Needed when `embedder` is `vllm`."""
    pictures: OpenClipConfig | None = None
    """Which open_clip model makes the space `picture-<name>`; None: none does."""
    picture_job: PictureJobConfig = PictureJobConfig()
    """How the pictures' batch job runs."""
    job: EmbedJobConfig = EmbedJobConfig()
    """How the batch job runs."""
    attributes: AttributeSpaceConfig = AttributeSpaceConfig()
    """Vectors of what the shop states, made without any model."""


class EncoderSettings(_Part):
    """What `vitrine train clip`, `video` and `fusion` fit on the shop's own media."""

    clip: ClipTrainingConfig = ClipTrainingConfig()
    """The picture-text model."""
    video: VideoEncoderConfig = VideoEncoderConfig()
    """The vector of a film, and the click-through to expect of it."""
    fusion: FusionConfig = FusionConfig()
    """The vectors of an item, or of a query, made one."""


class BatchSettings(_Part):
    """Who runs the batch jobs; nothing here changes what they make."""

    engine: Literal["local", "ray"] = "local"
    """`local` is threads of this process; `ray` is Ray Data, on this machine or a cluster."""
    ray: RayConfig = RayConfig()
    """Where Ray runs."""


class ModelSettings(_Part):
    """What is trained and served."""

    serve: str = "lirdrec"
    """The recommender that `vitrine train` fits and the shop serves."""
    modalities: dict[str, str] = Field(default_factory=dict)
    """Embedding space by role, e.g. `{picture = "image_feat", text = "text_feat"}`; LIRDRec reads them in this
    order, the pictures first. Empty: the caption space and the text space where they exist, else the folder's
    own features; models that ask for it read the space `attributes` as well."""
    overrides: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Parameters by model name, e.g. `{lirdrec = {learning_rate = 0.001}}`."""
    ranker: bool = True
    """Whether `vitrine train` fits the LightGBM re-ranker as well."""
    ctr: Literal["impressions", "always", "never"] = "impressions"
    """When `vitrine train` fits the click model: where the log has clicked impressions, always (items drawn by
    popularity stand for those shown where none were logged: a proxy), or never."""
    keep: int = Field(5, ge=1)
    """Versions of a trained model that are kept, the served one among them; the oldest go first."""


class Settings(BaseSettings):
    """Everything that can be set; `vitrine settings --changed` says where each value came from."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter="__", case_sensitive=False
    )
    toml_files: ClassVar[tuple[Path, ...]] = (Path("vitrine.local.toml"), Path("vitrine.toml"))

    store: Path = Path("store")
    """The workspace folder: everything a run makes lives there."""
    seed: int = Field(7, ge=0, le=MAX_SEED)
    """Of splits and training: the same inputs give the same bytes. The generated shop has its own, `boutique.seed`."""
    log_level: Level = "WARNING"
    """Least level that is logged to standard error."""
    log_format: Format = "text"
    """`text` is `key=value`, `json` one object a line."""
    positives: tuple[Kind, ...] | None = None
    """Event kinds that count as a success. None: purchase and cart where present, else every row."""
    boutique: BoutiqueConfig = BoutiqueConfig()
    """The generated shop."""
    marketing: MarketingConfig = MarketingConfig()
    """The generated shop's marketing films."""
    media: MediaConfig = MediaConfig()
    """How media that the catalogue names by URL are brought."""
    sync: SyncConfig = SyncConfig()
    """How a product feed becomes the catalogue, again and again."""
    captions: CaptionSettings = CaptionSettings()
    """Pictures to words."""
    speech: SpeechConfig = SpeechConfig()
    """Speech to words."""
    intents: IntentConfig = IntentConfig()
    """What shoppers wrote and said to what they want."""
    embedding: EmbeddingSettings = EmbeddingSettings()
    """Words to vectors."""
    encoders: EncoderSettings = EncoderSettings()
    """Encoders trained on the shop itself."""
    batch: BatchSettings = BatchSettings()
    """How the two jobs above are run."""
    indexes: IndexSettings = IndexSettings()
    """Words and vectors to candidates."""
    models: ModelSettings = ModelSettings()
    """Vectors and events to scores."""
    pipeline: PipelineConfig = PipelineConfig()
    """Retrieve, unite, rank, diversify."""
    experiment: ExperimentConfig | None = None
    """The A/B experiment that runs: which shoppers are answered by which variant."""
    crossmodal: CrossModalConfig = CrossModalConfig()
    """Queries with a picture, a film or a voice."""
    agent: AgentConfig = AgentConfig()
    """The mind, its budgets and its memory."""
    events: EventConfig = EventConfig()
    """Where what shoppers do is kept."""
    retrain: RetrainConfig = RetrainConfig()
    """When a version that was trained anew is served."""
    live: LiveConfig = LiveConfig()
    """How the open shop takes in what is written to its catalogue."""
    api: ApiConfig = ApiConfig()
    """The wire."""
    real: RealConfig = RealConfig()
    """The road to real data and real models, `vitrine real`."""

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
        files = (InitSettingsSource(settings_cls, read_toml(path)) for path in cls.toml_files)
        return (init_settings, env_settings, *files)


def load_settings(overrides: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of this process.

    Args:
        overrides: Nested values from the command line; they win over everything.

    Raises:
        ConfigError: On an unknown key or variable, or a wrong value; the text names it, where it came from
            and what would be valid.
    """
    _refuse_unknown_variables(os.environ)
    refuse_secrets(Settings.toml_files, overrides or {}, set(setting_names(Settings)))
    try:
        settings = Settings(**dict(overrides or {}))
    except SettingsError as error:
        raise ConfigError(_not_json(error)) from error
    except ValidationError as error:
        place = tuple(error.errors()[0]["loc"])
        origin = _origin(place, overrides or {}) or _origin(place[:-1], overrides or {})
        secret = ("events", "events.url")
        raise ConfigError(fault_line(error, Settings, "setting", origin or "", secret)) from error
    _check_events_url(settings, overrides or {})
    for path in addresses_with_names(settings.model_dump(mode="json")):
        origin = _origin(tuple(path.split(".")), overrides or {})
        raise ConfigError(
            f"{path} (from {origin}) holds a user name or password, which would stand in logs; an address without, and "
            "a key by the environment, would be valid"
        )
    registry.build(settings.models.serve)
    for name, parameters in settings.models.overrides.items():
        registry.build(name, parameters)
    return settings


def changed_settings(settings: Settings, overrides: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return path, value as JSON and origin of every setting that somebody named."""
    rows = []
    values = settings.model_dump(mode="json")
    for path in setting_names(Settings):
        place = tuple(path.split("."))
        value: Any = values
        for part in place:
            value = value.get(part) if isinstance(value, Mapping) else None
        is_group = any(name.startswith(f"{path}.") for name in setting_names(Settings))
        origin = None if is_group else _origin(place, overrides)
        if origin is not None:
            rows.append((path, json.dumps(value, ensure_ascii=False), origin))
    return rows


def _origin(place: tuple[str | int, ...], overrides: Mapping[str, Any]) -> str | None:
    return origin_of(place, overrides, PREFIX, Settings.toml_files)


def _check_events_url(settings: Settings, overrides: Mapping[str, Any]) -> None:
    """Judge `events.url` here and not in its config, whose errors would repeat the password in it."""
    if settings.events.url is None:
        return
    from catalog.event_engines import holds_password, read_url  # SQLAlchemy loads only where one names a database

    written = holds_password(read_url(settings.events.url.get_secret_value()))
    origin = _origin(("events", "url"), overrides) or ""
    if written and not origin.upper().startswith(PREFIX):
        raise ConfigError(
            f"events.url holds a password and comes from {origin}; by the environment variable "
            f"{PREFIX}EVENTS__URL, or apart from it as PGPASSWORD or in ~/.pgpass, would be valid"
        )


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {PREFIX + path.upper().replace(".", "__") for path in setting_names(Settings)}
    for name in environment:
        upper = name.upper()
        if not upper.startswith(PREFIX) or upper in known or SECRETS.fullmatch(upper):
            continue
        if any(upper.startswith(f"{path}__") for path in known):
            continue  # inside a free mapping, or a group whose own config judges it
        close = get_close_matches(upper, sorted(known), n=1)
        hint = f"Did you mean {close[0]!r}? " if close else ""
        raise ConfigError(f"unknown environment variable {name!r}. {hint}`vitrine settings --markdown` lists them all")


def _not_json(error: SettingsError) -> str:
    """Return the line for a variable whose list or group does not parse; the library names the group only.

    What it holds is repeated where it is a setting of its own: a whole group may hold an address with a password.
    """
    group = next((name for name in Settings.model_fields if f'"{name}"' in str(error)), "?")
    whole = PREFIX + group.upper()
    text = getattr(error.__cause__, "doc", None)  # of json.JSONDecodeError: what was to be read
    inside = [name for name in os.environ if name.upper() == whole or name.upper().startswith(f"{whole}__")]
    name = next((each for each in inside if os.environ[each] == text), whole)
    known = {PREFIX + path.upper().replace(".", "__") for path in setting_names(Settings)}
    leaf = name.upper() in known and not any(each.startswith(f"{name.upper()}__") for each in known)
    said = repr(os.environ[name]) if leaf else "no JSON"
    return f'environment variable {name} is {said}: JSON would be valid, e.g. ["a", "b"] or {{"a": "b"}}'
