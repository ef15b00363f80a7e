"""The encoders that `vitrine train` fits on the shop's own media."""

from __future__ import annotations

from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace
from vitrine.settings import Settings


def train_clip_store(settings: Settings, progress: Progress = SILENT) -> list[str]:
    """Fit the picture-text model on the store's catalogue and say what it finds.

    Raises:
        NotBuiltError: When the catalogue is missing.
        DataError: When it has too few items with a picture and a text.
        ConfigError: When the model to start from is not on this machine.
    """
    from embedding.clip_training.job import train_clip

    report = train_clip(Workspace(settings.store), settings.encoders.clip, seed=settings.seed, progress=progress)
    return report.lines()
