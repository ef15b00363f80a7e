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


def after_clip(settings: Settings) -> tuple[str, ...]:
    """Return the commands that use what `vitrine train clip` made; captions, where its heads have something to say."""
    from captioning.catalogue.places import CATALOGUE

    made = Workspace(settings.store).manifest(CATALOGUE)
    if made is None or not any(field["said"] for field in made.meta["fields"]):
        return ("embed",)
    chosen = "" if settings.captions.captioner == "catalogue" else " --set captions.captioner=catalogue"
    return (f"caption{chosen}", f"embed{chosen}")


def after_catalogue(settings: Settings) -> tuple[str, ...]:
    """Return the commands that make a catalogue searchable: words first, where it has media to read them from."""
    from captioning.catalogue.places import CATALOGUE

    workspace = Workspace(settings.store)
    if not _any_medium(workspace, "images", "videos"):
        return ("embed", "index")
    taught = settings.captions.captioner == "catalogue" and not workspace.has(CATALOGUE)
    return (*(("train clip",) if taught else ()), "caption", "embed", "index")


def after_embedding(settings: Settings) -> tuple[str, ...]:
    """Return the commands that go on from vectors: films and all of it too, where pictures have a model."""
    from catalog.marketing import ARTIFACT
    from embedding.clip_training.places import CLIP

    workspace = Workspace(settings.store)
    if not workspace.has(CLIP):
        return ("index", "train")
    films = workspace.has(ARTIFACT) or _any_medium(workspace, "videos")
    return (*(("train video",) if films else ()), "train fusion", "index")


def after_index(settings: Settings) -> tuple[str, ...]:
    """Return the commands that go on from indexes: a shop nobody has taken anything from has nothing to train on."""
    manifest = Workspace(settings.store).manifest("catalog")
    return ("train",) if manifest is not None and manifest.meta.get("interactions") else ("chat", "serve")


def _any_medium(workspace: Workspace, *columns: str) -> bool:
    import polars as pl

    with workspace.reading("catalog") as folder:
        some = pl.any_horizontal([pl.col(column).list.len() > 0 for column in columns])
        return bool(pl.scan_parquet(folder / "items.parquet").select(some.any()).collect().item())
