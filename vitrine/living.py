"""The served shop, which takes writes: what `tools.live` needs, of the parts that the settings choose."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from catalog.errors import VitrineError
from catalog.item_journal import JOURNAL, ItemJournal
from catalog.nouns import Item
from catalog.shop_data import ShopData, load_shop
from catalog.telemetry import timed
from catalog.workspace import MANIFEST, Workspace
from vitrine.sessions import make_sessions, shares_sessions
from vitrine.settings import Settings
from vitrine.wiring import (
    active_captions,
    make_captioner,
    make_embedder,
    make_picture_embedder,
    open_shop,
    picture_config,
)

if TYPE_CHECKING:
    from agent.loop import Agent
    from api.service import Service
    from catalog.vectors import Floats
    from models.features import FeatureStore
    from tools.reading import ContentReader, Recipe
    from tools.shop import Shop

log = logging.getLogger("vitrine.live")


def open_service(settings: Settings) -> Service:
    """Return the open shop, ready for the wire and for writes to its catalogue.

    Raises:
        NotBuiltError: When the catalogue or the indexes are missing; the text names the command that makes them.
        DataError: When an artifact, or the journal of items, is damaged.
    """
    from api.consent import store_secret
    from api.keys import shared_secret
    from api.service import Service
    from tools.confirmation import Confirmations
    from tools.live import LiveParts, LiveShop
    from tools.registry import Registry

    workspace = Workspace(settings.store)
    marks = _marks(settings, workspace)  # before the opening: what a job makes meanwhile is seen as new
    shop = open_shop(settings, written=False)
    shared = shared_secret(os.environ) or store_secret(workspace.root)
    consent, agents = Confirmations(shared), _Agents(settings, shop)

    rest = "beside the events" if shares_sessions(settings) else "memory of the worker"

    def dress(snapshot: Shop) -> Service:
        registry = Registry(snapshot, confirmations=consent)
        active = {**snapshot.active, "conversations": rest}
        return Service(snapshot, registry, agents.of(snapshot), settings.api, active)

    lookups = _LookUps(settings, load_shop(workspace))
    reload = _Reload(settings, workspace, shop, lookups, marks)
    parts = LiveParts(content_reader(settings, workspace, shop), lookups.of, reload, settings.live)
    with timed("opening", "the words of the catalogue"):
        live = LiveShop(shop, ItemJournal(workspace.root / JOURNAL, shop.name), parts, dress)
    return replace(live.current, live=live)


class _Agents:
    """Agents of one snapshot after the other, which share conversations, the LLM and what is known of words."""

    def __init__(self, settings: Settings, shop: Shop) -> None:
        from embedding.remembered import RememberedTexts

        self._settings, self._config = settings, settings.agent
        self._words = RememberedTexts(shop.embedder)
        self._first: Agent | None = None

    def of(self, shop: Shop) -> Agent:
        """Return the agent of a snapshot, ready to answer at once unless it is the first."""
        from agent.loop import Agent
        from agent.minds import Minds, ShopPlanner
        from tools.registry import Registry

        planner = ShopPlanner(shop.catalog, self._words, shop.captions)
        if self._first is None:
            minds = Minds(planner, self._config.llm)
            self._first = Agent(shop, Registry(shop), minds, self._config, make_sessions(self._settings, shop))
            return self._first
        planner.warm()
        minds = copy.copy(self._first.minds)  # the same LLM, and the same breaker before it
        minds.planner = planner
        agent = Agent(shop, Registry(shop), minds, self._config, self._first.sessions)
        _ = agent.words, agent.prompt
        return agent


@dataclass
class _LookUps:
    """The ranker's look-ups for rows that are others than at the opening."""

    settings: Settings
    data: ShopData

    def of(self, shop: Shop) -> FeatureStore | None:
        from vitrine.training import serving_statistics

        before = shop.statistics
        if before is None:
            return None
        return serving_statistics(
            self.settings,
            self.data,
            shop,
            before.as_of,
            spaces={space: shop.spaces[space] for space in before.units},
            sources=before.config.sources,
            intents=before.intents.name if before.intents is not None else None,
            scorers=before.config.models,
        )


@dataclass
class _Reload:
    """Opens the shop anew when a job has finished: another catalogue, other indexes, a promoted model."""

    settings: Settings
    workspace: Workspace
    shop: Shop
    lookups: _LookUps
    opened: dict[str, int]
    _last: dict[str, int] = field(init=False, default_factory=dict)

    def __call__(self) -> Shop | None:
        """Return the shop as its artifacts give it now; None where they are as they were, or still being written."""
        marks = _marks(self.settings, self.workspace)
        if marks == self.opened or marks != self._last:
            self._last = marks
            return None
        self.opened = marks
        try:
            fresh = open_shop(self.settings, written=False, standing=self.shop)
            if fresh.name != self.shop.name:
                log.warning("another shop %r stands in the store; serving goes on with %r", fresh.name, self.shop.name)
                return None
            self.lookups.data = load_shop(self.workspace)
        except VitrineError as error:
            log.warning("the store changed and cannot be opened; serving goes on as before: %s", error)
            return None
        return fresh


def _marks(settings: Settings, workspace: Workspace) -> dict[str, int]:
    """Return when each manifest that serving rests on was written."""
    root, served = workspace.root, settings.models.serve
    paths = [root / "catalog" / MANIFEST, root / "models" / served / MANIFEST, *root.glob(f"indexes/*/{MANIFEST}")]
    return {str(path): path.stat().st_mtime_ns for path in paths if path.is_file()}


def content_reader(settings: Settings, workspace: Workspace, shop: Shop) -> ContentReader:
    """Return what reads new records as the jobs of this store have read the others."""
    from tools.reading import ContentReader

    captioned = active_captions(settings, workspace) is not None
    spaces = (*shop.spaces, *shop.further)
    recipes = {space: recipe for space in spaces if (recipe := _recipe(settings, workspace, space)) is not None}
    return ContentReader(
        workspace.root,
        shop.embedder,
        recipes,
        lru_cache(maxsize=1)(lambda: make_captioner(settings)) if captioned else None,
        settings.captions.job,
        _pictures(settings, workspace, spaces),
        lambda items: _bring(settings, workspace, items),
    )


def _recipe(settings: Settings, workspace: Workspace, space: str) -> Recipe | None:
    """Return how the texts of a space were made, None where they were not made of texts by the shop's embedder."""
    from embedding.tokens import TokenCounter
    from tools.reading import Recipe

    embedder, manifest = make_embedder(settings), workspace.manifest(f"embeddings/{space}")
    meta: dict[str, Any] = dict(manifest.meta) if manifest is not None else {}
    if meta.get("embedder") != embedder.name or meta.get("model") != embedder.model or "parts" not in meta:
        return None
    unit, most = meta["budget"]
    counter = embedder.counter() if unit == "tokens" else None
    if counter is not None:
        counter = TokenCounter(counter.folder, most)
    return Recipe(tuple(meta["parts"]), most if unit == "characters" else 2000, counter)


def _pictures(
    settings: Settings, workspace: Workspace, spaces: Sequence[str]
) -> dict[str, Callable[[Item], Floats | None]]:
    """Return what makes picture vectors, for the space of the model that is at work."""
    from catalog.media import open_picture
    from embedding.picture_job import picture_space

    config, job = picture_config(settings), settings.embedding.picture_job
    if config is None or (space := picture_space(config.name)) not in spaces:
        return {}
    embedder = lru_cache(maxsize=1)(lambda: make_picture_embedder(settings))

    def vector_of(item: Item) -> Floats | None:
        model, refs = embedder(), list(dict.fromkeys(item.images))[: job.images_per_item]
        if model is None or not refs:
            return None
        vectors = model.embed_images([open_picture(ref, workspace.root, job.media) for ref in refs])
        mean = vectors.mean(axis=0)
        length = float(np.linalg.norm(mean))
        alone = job.together == "first" or length <= 1e-6
        return np.asarray(vectors[0] if alone else mean / length, np.float32)

    return {space: vector_of}


def _bring(settings: Settings, workspace: Workspace, items: Sequence[Item]) -> None:
    """Fetch what new records name by URL, by the guarded downloader."""
    from catalog.items import items_frame
    from catalog.media.bringing import bring_media, unfetched, urls_of
    from catalog.media.downloader import Downloader

    job, root = settings.captions.job, workspace.root
    urls = urls_of(items_frame(items), images=job.images_per_item, videos=job.videos_per_item)
    missing = set(unfetched(urls, root))
    if not missing or not job.fetch:
        return
    with Downloader(settings.media, job.media) as downloader:
        wanted = {url: kinds for url, kinds in urls.items() if url in missing}
        report = bring_media(wanted, root, downloader, settings.media)
    if report.failed or report.given_up:
        log.warning("media of new items failed=%d reasons=%s", report.failed + report.given_up, report.failures)
