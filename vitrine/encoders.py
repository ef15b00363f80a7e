"""The encoders that `vitrine train` fits on the shop's own media."""

from __future__ import annotations

from catalog.errors import NothingToDo
from catalog.progress import SILENT, Progress
from catalog.workspace import Workspace
from vitrine.settings import Settings


def train_clip_store(settings: Settings, progress: Progress = SILENT) -> list[str]:
    """Fit the picture-text model on the store's catalogue, then the `catalogue` captioner's heads.

    Returns:
        What they find, in lines.

    Raises:
        NotBuiltError: When the catalogue is missing.
        DataError: When it has too few items with a picture and a text.
        ConfigError: When the model to start from is not on this machine.
    """
    from captioning.catalogue.learning import LEAST_FOLDS
    from captioning.catalogue.places import CATALOGUE
    from embedding.clip_training.job import train_clip

    workspace, config = Workspace(settings.store), settings.encoders.clip
    lines = train_clip(workspace, config, seed=settings.seed, progress=progress).lines()
    if config.folds < LEAST_FOLDS:
        why = f"{CATALOGUE}: none, since encoders.clip.folds is {config.folds} and not {LEAST_FOLDS} or more"
        return [*lines, why] if settings.captions.captioner == "catalogue" else lines
    try:
        return lines + _heads(settings, progress)
    except NothingToDo as error:
        return [*lines, f"skipped: {error}"]


def ready_heads(settings: Settings, progress: Progress = SILENT) -> list[str]:
    """Bring the heads of the `catalogue` captioner up to date where it is the one that captions.

    Returns:
        Lines about what was made; none where everything was current.

    Raises:
        NotBuiltError: When `vitrine train clip` has not run.
        ConfigError: When it made too few siblings.
        NothingToDo: When the catalogue states nothing that can be learned.
    """
    return _heads(settings, progress, quiet=True) if settings.captions.captioner == "catalogue" else []


def _heads(settings: Settings, progress: Progress, *, quiet: bool = False) -> list[str]:
    from captioning.catalogue.job import train_heads

    report = train_heads(Workspace(settings.store), settings.captions.catalogue, seed=settings.seed, progress=progress)
    return report.lines() if report.made or not quiet else []
