"""The picture towers of `encoders/clip` and its siblings: pictures to features, one model open at a time or all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from captioning.catalogue.config import CatalogueConfig
from captioning.catalogue.eye import Looks, look, seen
from captioning.catalogue.places import WHOLE
from catalog.vectors import Floats
from catalog.workspace import Workspace
from embedding.base import Picture
from embedding.clip import OpenClip, OpenClipConfig
from embedding.clip_training.places import CLIP, CLIP_FOLDS


class Towers:
    """Features of pictures by the model of a fold, each opened when it is first asked.

    Args:
        workspace: Holds the models.
        config: Says on which device, and how many pictures at once.
    """

    def __init__(self, workspace: Workspace, config: CatalogueConfig) -> None:
        self._workspace, self._config = workspace, config
        self._opened: dict[int, OpenClip] = {}

    def prepare(self, picture: Picture) -> Looks:
        """Return a picture as every one of the models wants it: they have one preprocessing, that of the training."""
        return look(self._model(WHOLE), picture)

    def features(self, fold: int, pixels: Sequence[Looks]) -> Floats:
        """Return (n, w) what the model of `fold` sees in pictures that `prepare` gave."""
        return seen(self._model(fold), pixels)

    def _model(self, fold: int) -> OpenClip:
        if fold not in self._opened:
            config = self._config
            self._opened[fold] = OpenClip(
                OpenClipConfig(
                    model=str(self._folder(fold)),
                    device=config.device,
                    batch_size=config.batch_size,
                    threads=config.threads,
                )
            )
        return self._opened[fold]

    def _folder(self, fold: int) -> Path:
        return self._workspace.path(CLIP) if fold == WHOLE else self._workspace.path(CLIP_FOLDS) / f"fold-{fold}"
