"""The one door of the boutique's marketing: films, impressions and their truth into a store that holds the boutique."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from catalog.boutique.config import BoutiqueConfig
from catalog.boutique.drawing_room import filled_folder
from catalog.boutique.marketing.audience import show
from catalog.boutique.marketing.config import MarketingConfig
from catalog.boutique.marketing.screenplay import Screenplay, write_all
from catalog.boutique.marketing.shooting import Production, shoot_films
from catalog.boutique.marketing.truth import MarketingTruth, likings, make_truth
from catalog.boutique.plan import Plan, plan
from catalog.marketing import Marketing, MarketingMedia, media_frame, save_marketing
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace, content_key

EDITION = 1
"""Raise it when the films or the clicks change; the boutique's own edition is another matter."""

FOLDER = "boutique-marketing"
"""Folder of the films below `media`."""

TRUTH = "marketing-truth"
"""Artifact that keeps what makes a film be clicked; only evaluation may read it."""

_STREAM = 0x46494C4D
"""Sets the films' random numbers apart from the shop's, whatever the seed."""


@dataclass(frozen=True, eq=False)
class MarketingPlan:
    """What is known before drawing: the films as data, their truth, and their screenplays."""

    marketing: Marketing
    truth: MarketingTruth
    films: list[Screenplay]


def plan_marketing(made: Plan, shop: BoutiqueConfig, config: MarketingConfig) -> MarketingPlan:
    """Return the films of a planned shop; nothing is written and nothing of the shop changes."""
    writers, luck, crowd = np.random.SeedSequence([shop.seed, _STREAM]).spawn(3)
    films = write_all(made.pieces, shop, config, np.random.default_rng(writers))
    item_ids = [piece.item_id for piece in made.pieces]
    liking = likings(made.truth)
    truth = make_truth(films, item_ids, liking, config.rate, np.random.default_rng(luck))
    impressions = show(films, truth, list(made.truth.users), liking, config.n_impressions, np.random.default_rng(crowd))
    media = [
        MarketingMedia(
            film.media_id,
            f"media/{FOLDER}/{film.media_id}.mp4",
            film.title,
            film.campaign,
            tuple(item_ids[row] for row in film.pieces),
            film.published_at,
        )
        for film in films
    ]
    return MarketingPlan(Marketing(media_frame(media), impressions), truth, films)


def marketing_key(shop: BoutiqueConfig, config: MarketingConfig) -> str:
    """Return the content key of a generated shop's films."""
    return content_key("boutique-marketing", EDITION, shop.model_dump(), config.model_dump())


def save_boutique_marketing(
    workspace: Workspace,
    shop: BoutiqueConfig,
    config: MarketingConfig | None = None,
    progress: Progress = SILENT,
    *,
    workers: int | None = None,
) -> MarketingPlan:
    """Shoot the films of the shop of `shop` into a store: `media/`, the artifacts `marketing` and `marketing-truth`.

    Films of the same configuration that all stand already are not drawn again. The same configuration gives the same
    bytes, however many `workers` draw.
    """
    config = config or MarketingConfig()
    made = plan(shop)
    planned = plan_marketing(made, shop, config)
    key = marketing_key(shop, config)
    videos = planned.marketing.media["video"].to_list()
    if not (workspace.has(TRUTH, key) and all((workspace.root / video).is_file() for video in videos)):
        _shoot(planned.films, made, workspace.root / "media", config, progress, workers)
        with workspace.writing(TRUTH, key, {"config": config.model_dump(), "boutique": shop.model_dump()}) as folder:
            planned.truth.save(folder)
    save_marketing(workspace, planned.marketing, {"generated": True, "films": key})
    return planned


def load_marketing_truth(workspace: Workspace) -> MarketingTruth:
    """Read the `marketing-truth` artifact; only evaluation may.

    Raises:
        NotBuiltError: When the store holds no generated films.
    """
    with workspace.reading(TRUTH) as folder:
        return MarketingTruth.load(folder)


def _shoot(
    films: list[Screenplay], made: Plan, media: Path, config: MarketingConfig, progress: Progress, workers: int | None
) -> None:
    with filled_folder(media, FOLDER) as folder:
        productions = [
            Production(film, {row: made.pieces[row] for row in film.pieces}, folder, config) for film in films
        ]
        shoot_films(productions, progress, workers)
