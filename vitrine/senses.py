"""What a store can make of a query's picture, film or voice: the trained parts, and the spaces they look in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from catalog.errors import ConfigError, NotBuiltError
from catalog.vectors import EmbeddingTable
from catalog.workspace import Workspace
from tools.crossmodal.senses import Seeing, Sense, Senses
from tools.shop import Shop
from vitrine.settings import Settings
from vitrine.wiring import load_modalities, make_captioner, make_picture_embedder, picture_config

if TYPE_CHECKING:
    from captioning.speech.base import Transcriber
    from embedding.base import ImageEmbedder
    from embedding.fusion.encoder import FusionEncoder

NO_PICTURES = "no picture-text model: run vitrine train clip, then vitrine embed and vitrine index"


def with_senses(shop: Shop, settings: Settings, workspace: Workspace) -> Shop:
    """Return the shop with the spaces of pictures and films, and what reads a query's; no model is opened."""
    senses = Senses(
        config=settings.crossmodal,
        pictures=Sense(lambda: _pictures(settings, workspace)),
        captioner=Sense(lambda: make_captioner(settings)),
        transcriber=Sense(lambda: _transcriber(settings)),
        films=Sense(lambda: _films(settings, workspace)),
        fusion=Sense(lambda: _fusion(settings, workspace)),
        frames=settings.encoders.video.frames.frames,
    )
    return replace(shop, further=further_spaces(settings, workspace, shop), senses=senses)


def further_spaces(settings: Settings, workspace: Workspace, shop: Shop) -> dict[str, EmbeddingTable]:
    """Return the tables of pictures, films and all of it that are indexed and not the shop's anyway."""
    from embedding.fusion.encoder import SPACE
    from embedding.picture_job import picture_space
    from embedding.video.encoder import ARTIFACT

    pictures, films = picture_config(settings), workspace.manifest(ARTIFACT)
    names = [picture_space(pictures.name)] if pictures else []
    names += [str(films.meta["space"])] if films else []
    there = workspace.names("embeddings")
    wanted = [name for name in (*names, SPACE) if name in there and name in shop.indexes and name not in shop.spaces]
    return load_modalities(workspace, {name: name for name in wanted})


def _pictures(settings: Settings, workspace: Workspace) -> ImageEmbedder:
    """Open the picture-text model, if the store's vectors are its own.

    Raises:
        NotBuiltError: When there is none, or the space was made by another.
    """
    from embedding.picture_job import picture_space

    embedder = make_picture_embedder(settings)
    if embedder is None:
        raise NotBuiltError(NO_PICTURES)
    made = workspace.manifest(f"embeddings/{picture_space(embedder.name)}")
    if made is not None and made.meta.get("model") != embedder.model:
        raise NotBuiltError(
            f"the space {picture_space(embedder.name)!r} was made by another picture-text model, or by this one before "
            "it was trained again: run vitrine embed, then vitrine index"
        )
    return embedder


def _transcriber(settings: Settings) -> Transcriber:
    from captioning.speech.config import make_transcriber

    return make_transcriber(settings.speech, load=True)


def _films(settings: Settings, workspace: Workspace) -> Seeing:
    from embedding.video.encoder import ARTIFACT, load_video_encoder
    from vitrine.videos import frame_embedder

    if not workspace.has(ARTIFACT):
        raise NotBuiltError("no video encoder: run vitrine train video, then vitrine index")
    encoder, frames = load_video_encoder(workspace), frame_embedder(settings)
    if (frames.name, frames.model) != (encoder.embedder, encoder.model):
        raise ConfigError(
            f"encoders/video reads frames by {encoder.embedder!r} as it was then, and they are read by {frames.name!r} "
            "as it is now: run vitrine train video again, then vitrine index"
        )
    return Seeing(encoder, frames)


def _fusion(settings: Settings, workspace: Workspace) -> FusionEncoder:
    """Open the fusion encoder, if it still fits what stands in the store.

    Raises:
        NotBuiltError: When there is none, or one of its spaces was made anew since.
    """
    from embedding.fusion.encoder import ARTIFACT, SPACE, load_fusion

    encoder = load_fusion(workspace, settings.encoders.fusion.device)
    trained, table = workspace.manifest(ARTIFACT), workspace.manifest(f"embeddings/{SPACE}")
    if trained is None or table is None or trained.key != table.key:
        raise NotBuiltError(f"the space {SPACE!r} is not of encoders/fusion: run vitrine train fusion, then index")
    return encoder
