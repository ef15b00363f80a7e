"""The only place that chooses implementations: settings in, loaded parts out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from batch.base import BatchEngine
from captioning.base import Captioner
from captioning.proven import ProvenVision
from captioning.speech.config import speech_label
from captioning.vision import ChatVision
from catalog.errors import ConfigError, NotBuiltError, did_you_mean
from catalog.telemetry import timed
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from embedding.base import ImageEmbedder, TextEmbedder
from models import registry
from vitrine.bases import later_tables, without_bases
from vitrine.served import curing, open_version, served_version
from vitrine.settings import Settings
from vitrine.shelf import Shelf

if TYPE_CHECKING:
    import polars as pl

    from agent.loop import Agent
    from api.service import Service
    from captioning.checkpoints import CheckpointConfig
    from captioning.openai_vision import OpenAIVisionConfig
    from catalog.shop_data import ShopData
    from embedding.clip import OpenClipConfig
    from tools.shop import Shop

FOLDER_PICTURE, FOLDER_TEXT = "image_feat", "text_feat"
"""Spaces an MMRec folder brings along, the last choice where nothing of ours was made."""


def make_captioner(settings: Settings) -> Captioner:
    """Return the captioner the settings choose.

    Raises:
        ConfigError: When it needs a setting that is missing.
    """
    if settings.captions.captioner == "pixels":
        from captioning.pixels import PixelsCaptioner

        return PixelsCaptioner()
    if settings.captions.captioner == "catalogue":
        from captioning.catalogue.captioner import CatalogueCaptioner

        return CatalogueCaptioner(settings.store, settings.captions.catalogue)
    from captioning.mllm import MllmCaptioner

    return MllmCaptioner(ProvenVision(_chat_vision(settings), settings.captions.probe), settings.captions.mllm)


def _chat_vision(settings: Settings) -> ChatVision:
    chosen = settings.captions
    if chosen.captioner == "openai" and chosen.openai:
        from captioning.openai_vision import OpenAIVision

        return OpenAIVision(chosen.openai)
    if chosen.captioner == "transformers" and chosen.transformers:
        from captioning.transformers_vision import TransformersVision

        return TransformersVision(chosen.transformers)
    if chosen.captioner == "vllm" and chosen.vllm:
        from captioning.vllm_vision import VllmVision

        return VllmVision(chosen.vllm)
    needed = "base_url and model" if chosen.captioner == "openai" else "model"
    raise ConfigError(
        f"captions.captioner is {chosen.captioner!r} and captions.{chosen.captioner} is missing; its {needed} would be "
        "valid"
    )


def make_vision(settings: Settings) -> ChatVision | None:
    """Return the multimodal model behind the captioner, not yet proven; None where there is none.

    Raises:
        ConfigError: When it needs a setting that is missing.
    """
    vision: ChatVision | None = getattr(make_captioner(settings), "vision", None)
    return vision.vision if isinstance(vision, ProvenVision) else vision


def make_engine(settings: Settings) -> BatchEngine:
    """Return who runs the batch jobs."""
    if settings.batch.engine == "ray":
        from batch.ray_engine import RayEngine

        return RayEngine(settings.batch.ray)
    from batch.local import LocalEngine

    return LocalEngine()


def make_embedder(settings: Settings) -> TextEmbedder:
    """Return the text embedder the settings choose.

    Raises:
        ConfigError: When it needs a setting that is missing.
    """
    chosen = settings.embedding
    if chosen.embedder == "openai" and chosen.openai:
        from embedding.openai_compatible import OpenAIEmbedder

        return OpenAIEmbedder(chosen.openai)
    if chosen.embedder == "sentence" and chosen.sentence:
        from embedding.sentence import Sentence

        return Sentence(chosen.sentence)
    if chosen.embedder == "decoder" and chosen.decoder:
        from embedding.decoder import Decoder

        return Decoder(chosen.decoder)
    if chosen.embedder == "vllm" and chosen.vllm:
        from embedding.vllm_pooling import VllmPooling

        return VllmPooling(chosen.vllm)
    if chosen.embedder == "minilm":
        from embedding.minilm import MiniLM

        return MiniLM(chosen.minilm)
    needed = "base_url, model and dim" if chosen.embedder == "openai" else "model"
    raise ConfigError(
        f"embedding.embedder is {chosen.embedder!r} and embedding.{chosen.embedder} is missing; its {needed} would be "
        "valid"
    )


def make_picture_embedder(settings: Settings) -> ImageEmbedder | None:
    """Return what makes vectors of pictures, or None where the settings name nothing and nothing was trained.

    Raises:
        ConfigError: When its files are not on this machine, or it bears the text embedder's name.
    """
    chosen = picture_config(settings)
    if chosen is None:
        return None
    if chosen.name == make_embedder(settings).name:
        # A space that ends in the text embedder's name is one that takes its words.
        raise ConfigError(f"embedding.pictures.name is {chosen.name!r}, as the text embedder's; another would be valid")
    from embedding.clip import OpenClip

    return OpenClip(chosen)


def picture_config(settings: Settings) -> OpenClipConfig | None:
    """Return which open_clip model makes vectors of pictures: what the settings name, else what was trained here."""
    if settings.embedding.pictures is not None:
        return settings.embedding.pictures
    from embedding.clip import OpenClipConfig
    from embedding.clip_training.places import CLIP

    workspace = Workspace(settings.store)
    if not workspace.has(CLIP):
        return None
    return OpenClipConfig(model=str(workspace.path(CLIP)), device=settings.encoders.clip.device)


def active_captions(settings: Settings, workspace: Workspace) -> str | None:
    """Return the name of the captions artifact in use, or None when it was never made."""
    name = captions_name(settings)
    return name if workspace.has(f"captions/{name}") else None


def captions_name(settings: Settings) -> str:
    """Return the name of the captions artifact that the settings choose, made or not."""
    vision = _vision_config(settings)
    return vision.name if vision else settings.captions.captioner


def _vision_config(settings: Settings) -> OpenAIVisionConfig | CheckpointConfig | None:
    """Return the settings of the multimodal model that captions, None where there is none."""
    chosen = settings.captions
    return {"openai": chosen.openai, "transformers": chosen.transformers, "vllm": chosen.vllm}.get(chosen.captioner)


def choose_spaces(settings: Settings, workspace: Workspace, model: str | None = None) -> dict[str, str]:
    """Return which embedding space plays which role in training: `{"picture": ..., "text": ...}`.

    What `models.modalities` names, else captions and texts of the active embedder, else the folder's own; without
    `models.modalities`, a `model` gets the roles it asks for (`models.registry.ASKED_FOR`) as well, the last ones.

    Raises:
        NotBuiltError: When a named space is not in the store.
    """
    there = workspace.names("embeddings")
    for role, space in settings.models.modalities.items():
        if space not in there:
            raise NotBuiltError(
                f"models.modalities.{role} is {space!r}, which is not in the store. {did_you_mean(space, there)}"
            )
    if settings.models.modalities:
        return dict(settings.models.modalities)
    asked = registry.asked_roles(model) if model is not None and settings.embedding.attributes.enabled else ()
    return {**default_spaces(settings, workspace), **{role: role for role in asked if role in there}}


def default_spaces(settings: Settings, workspace: Workspace) -> dict[str, str]:
    """Return the spaces of the roles when the settings name none."""
    from embedding.job import default_space

    there = workspace.names("embeddings")
    embedder = make_embedder(settings).name
    captions = active_captions(settings, workspace)
    choices = {
        "picture": (default_space(embedder, captions) if captions else None, FOLDER_PICTURE),
        "text": (default_space(embedder), FOLDER_TEXT),
    }
    return {
        role: next(space for space in names if space in there)
        for role, names in choices.items()
        if any(space in there for space in names)
    }


def spaces_to_come(settings: Settings) -> tuple[str, ...]:
    """Return the spaces that vitrine caption and vitrine embed would make with these settings."""
    from embedding.attribute_table import SPACE
    from embedding.job import default_space
    from embedding.picture_job import picture_space

    embedder = make_embedder(settings).name
    stated = (SPACE,) if settings.embedding.attributes.enabled else ()
    pictures = picture_config(settings)
    shown = (picture_space(pictures.name),) if pictures else ()
    return default_space(embedder), default_space(embedder, captions_name(settings)), *shown, *stated


def shop_spaces(settings: Settings, workspace: Workspace, roles: Mapping[str, str]) -> dict[str, EmbeddingTable]:
    """Return the tables a shop searches in: the default spaces, which take words, and those its model reads."""
    names = sorted({*default_spaces(settings, workspace).values(), *roles.values()})
    return load_modalities(workspace, {name: name for name in names})


def load_modalities(workspace: Workspace, spaces: Mapping[str, str]) -> dict[str, EmbeddingTable]:
    """Return the embedding table of each role."""
    from embedding.job import load_embeddings

    return {role: load_embeddings(workspace, space) for role, space in spaces.items()}


def review_roles(workspace: Workspace, spaces: Mapping[str, str]) -> dict[str, pl.DataFrame]:
    """Return whose reviews, and from when, the texts of each role hold; roles without any are absent."""
    from embedding.job import review_sources

    found = {role: review_sources(workspace, space) for role, space in spaces.items()}
    return {role: sources for role, sources in found.items() if sources is not None}


def undated_roles(workspace: Workspace, spaces: Mapping[str, str]) -> frozenset[str]:
    """Return the roles whose vectors were brought along: nobody can say what they were made from, or when."""
    made = {role: workspace.manifest(f"embeddings/{space}") for role, space in spaces.items()}
    return frozenset(role for role, manifest in made.items() if manifest is None or "embedder" not in manifest.meta)


def active_parts(settings: Settings) -> dict[str, str]:
    """Return which implementation each job uses, for doctor, health and page; nothing falls back silently."""
    from indexes.job import vector_kinds
    from vitrine.shelf import Shelf

    workspace = Workspace(settings.store)
    llm, vision, pictures = settings.agent.llm, _vision_config(settings), picture_config(settings)
    embedder = make_embedder(settings)
    served = settings.models.serve
    standing = workspace.manifest(f"models/{served}")
    number = Shelf(workspace).promoted(served)
    meta = standing.meta if standing else {}
    return {
        "captions": vision.model_name if vision else settings.captions.captioner,
        "text vectors": embedder.model,
        **({"picture vectors": _picture_label(settings, pictures)} if pictures else {}),
        "vectors": vector_kinds(workspace) or f"{settings.indexes.vectors.kind} (none built)",
        "keywords": "BM25",
        "speech": speech_label(settings.speech),
        "events": settings.events.label,
        "batch": settings.batch.engine,
        "mind": f"LLM {llm.model}, planner in reserve" if llm else "planner",
        "recommender": f"{served}@{number}" if standing else "popularity (no model is trained)",
        "ranker": "LightGBM LambdaRank" if meta.get("ranker") else "none (not trained)",
        **({"click model": "LightGBM, calibrated"} if meta.get("ctr") else {}),
    }


def _picture_label(settings: Settings, pictures: OpenClipConfig) -> str:
    return f"open_clip {pictures.model}" if settings.embedding.pictures else "open_clip encoders/clip, trained here"


def open_shop(settings: Settings, *, written: bool = True, standing: Shop | None = None) -> Shop:
    """Load everything that answers a shopper.

    Args:
        settings: Say which parts.
        written: Whether items that were written or deleted since the catalogue was made are as the journal says.
        standing: The shop as it was until now, whose events, embedder and senses go on.

    Raises:
        NotBuiltError: When the catalogue or the indexes are missing; the text names the command that makes them.
        DataError: When an artifact is damaged.
    """
    from catalog.id_files import ids_once

    with ids_once():
        return _opened(settings, written, standing)


def _opened(settings: Settings, written: bool, standing: Shop | None) -> Shop:
    from catalog.events import open_event_store
    from catalog.id_files import known_ids
    from catalog.shop_data import load_shop
    from catalog.sync_journal import with_writes, written_since
    from indexes.job import load_indexes
    from tools.experiment import with_experiment
    from tools.shop import Shop
    from vitrine.jobs import store_captions
    from vitrine.senses import with_senses

    workspace = Workspace(settings.store)
    with timed("opening", "the catalogue"):
        data = load_shop(workspace)
        if written:
            data = with_writes(data, written_since(workspace, data.name))
    known_ids(data.catalog.ids)
    with timed("opening", "the indexes"):
        indexes = load_indexes(workspace, settings.indexes.vectors)
    if not indexes:
        raise NotBuiltError(f"no index in the store {str(workspace.root)!r}: run vitrine index first")
    with timed("opening", "captions and vectors"):
        captions = store_captions(settings, workspace)
        spaces = shop_spaces(settings, workspace, searched_roles(settings, workspace))
    shop = Shop(
        name=data.name,
        catalog=data.catalog,
        users=data.user_nouns,
        captions=captions,
        spaces=spaces,
        indexes=indexes,
        embedder=standing.embedder if standing else make_embedder(settings),
        events=standing.events if standing else open_event_store(settings.events, workspace.events_path),
        root=workspace.root,
        active=active_parts(settings),
        pipeline=settings.pipeline,
    )
    with timed("opening", "what sees and hears"):
        shop = with_senses(shop, settings, workspace)
    with timed("opening", "the models"):
        return with_experiment(with_models(shop, settings, data), settings.experiment)


def served_roles(settings: Settings, workspace: Workspace) -> dict[str, str]:
    """Return the spaces the served model was trained on, by role; {} before it is trained."""
    name = f"models/{settings.models.serve}"
    version = served_version(Shelf(workspace), settings.models.serve)
    if version is None:
        return {}
    with workspace.reading(name):  # a manifest that tells of no roles: its own cure
        return dict(version.meta["roles"])


def searched_roles(settings: Settings, workspace: Workspace) -> dict[str, str]:
    """Return `served_roles` without those of spaces that are for models alone."""
    manifest = workspace.manifest(f"models/{settings.models.serve}")
    return without_bases(served_roles(settings, workspace), manifest.meta.get("bases", ()) if manifest else ())


def with_models(shop: Shop, settings: Settings, data: ShopData) -> Shop:
    """Return the shop with the trained recommender, ranker, click model and statistics, as far as they exist."""
    from vitrine.fusing import later_fused
    from vitrine.rankers import with_rankers
    from vitrine.retrievers import require_trained
    from vitrine.training import serving_statistics

    workspace = Workspace(settings.store)
    shelf, name = Shelf(workspace), settings.models.serve
    version = served_version(shelf, name)
    if version is None:
        return replace(shop, statistics=serving_statistics(settings, data, shop))
    with curing(shelf, name):
        roles = dict(version.meta["roles"])
        # One version for both: a promotion in the meantime never pairs a model with another version's ranker.
        opened = open_version(version)
        recommender = opened.recommender
        new = [item for item in shop.catalog if item.item_id not in recommender.items]
        later = later_tables(version.folder, roles, shop.spaces, new)
        later |= later_fused(workspace, version.folder, roles, new)
    require_trained(settings, opened.retrievers, str(version))
    for model in (recommender, *opened.retrievers.values()):
        model.add_items(later)
    shop = replace(shop, recommender=recommender, retrievers=opened.retrievers)
    return with_rankers(shop, settings, data, opened, version.meta)


def make_agent(settings: Settings, shop: Shop) -> Agent:
    """Return the agent of a shop."""
    from agent.loop import Agent
    from agent.minds import Minds, ShopPlanner
    from tools.registry import Registry

    minds = Minds(ShopPlanner(shop.catalog, shop.embedder, shop.captions), settings.agent.llm)
    return Agent(shop, Registry(shop), minds, settings.agent)


def make_service(settings: Settings) -> Service:
    """Return the open shop, ready for the wire; see `vitrine.living.open_service`."""
    from vitrine.living import open_service

    return open_service(settings)
