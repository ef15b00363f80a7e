"""The chain of what is made of what: which artifacts were made of something that has been made anew since."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from catalog.errors import VitrineError
from catalog.workspace import Manifest, Workspace

if TYPE_CHECKING:
    from vitrine.settings import Settings

INPUTS = "inputs"
"""In a manifest's words: content key by name of every artifact it was made of."""

GONE = "nothing renews it"


@dataclass(frozen=True, slots=True)
class Stale:
    """One artifact that is older than what it was made of.

    Attributes:
        artifact: E.g. `embeddings/picture-clip`.
        why: What has changed since.
        remedy: The command that renews it.
    """

    artifact: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.artifact} is stale: {self.why}; {self.remedy}"


def stale_artifacts(settings: Settings, workspace: Workspace) -> list[Stale]:
    """Return what is stale in the order of its renewal; what says nothing of its inputs counts as current.

    What was made of something stale is stale as well, since it will be once that is renewed.

    Raises:
        DataError: When a manifest is damaged.
    """
    found: dict[str, Stale] = {}
    found |= {each.artifact: each for each in _older_heads(workspace)}
    for each in (
        *_older_captions(workspace, found),
        *_read_by_another_model(settings, workspace),
        *_items_left_out(settings, workspace),
        *_left_by_another_encoder(workspace),
    ):
        found.setdefault(each.artifact, each)
    for encoder, space, remedy in (
        ("encoders/video", _films(workspace), "run vitrine train video"),
        ("encoders/fusion", "embeddings/fused", "run vitrine train fusion"),
    ):
        manifest = workspace.manifest(encoder)
        if manifest is not None and encoder not in found and (why := _why(workspace, manifest, found)):
            found[encoder] = Stale(encoder, why, remedy)
        if space is not None and workspace.has(space) and encoder in found:
            found[space] = Stale(space, f"it was made by {encoder}", remedy)
    for each in (*_indexes(workspace, found), *_served(settings, workspace, found)):
        found[each.artifact] = each
    return list(found.values())


def commands(stale: Iterable[Stale]) -> list[str]:
    """Return the commands that renew, each once, in an order in which nothing is made of what is still stale."""
    return list(dict.fromkeys(each.remedy.removeprefix("run ") for each in stale if each.remedy.startswith("run ")))


def _why(workspace: Workspace, made: Manifest, stale: Mapping[str, Stale]) -> str | None:
    """Return which of the inputs that a manifest names was made anew, or will be; None where none."""
    inputs = made.meta.get(INPUTS)
    if isinstance(inputs, Mapping):
        renewed = [name for name, key in inputs.items() if _key(workspace, name) != key]
    else:  # from before keys of inputs were kept: by the clock
        roles = made.meta.get("roles") or ()
        spaces = roles.values() if isinstance(roles, Mapping) else [space for _, space in roles]
        inputs = [f"embeddings/{space}" for space in spaces]
        tables = {name: workspace.manifest(name) for name in inputs}
        renewed = [name for name, table in tables.items() if table is not None and _earlier(made, table)]
        if made.meta.get("data_key") not in (None, _key(workspace, "catalog")):
            renewed.insert(0, "catalog")
    to_come = [name for name in inputs if name in stale and name not in renewed]
    parts = [f"{', '.join(renewed)} changed since it was made"] if renewed else []
    parts += [f"it was made of {', '.join(to_come)}"] if to_come else []
    return " and ".join(parts) or None


def _read_by_another_model(settings: Settings, workspace: Workspace) -> Iterator[Stale]:
    """Yield spaces of texts, pictures and frames whose vectors another model made than the one in use."""
    from embedding.job import default_space
    from embedding.picture_job import picture_space
    from embedding.video.encoder import ARTIFACT
    from embedding.video.frame_job import frames_artifact
    from vitrine.videos import frame_embedder
    from vitrine.wiring import make_embedder, make_picture_embedder

    try:
        words, pictures, frames = make_embedder(settings), make_picture_embedder(settings), frame_embedder(settings)
    except VitrineError:
        return  # the doctor tells of it where it tells who does which job
    made = [(f"embeddings/{default_space(words.name)}", words.model, "texts are", "vitrine embed")]
    made += [
        (f"embeddings/{name}", words.model, "texts are", "vitrine embed")
        for name in workspace.names("embeddings")
        if name.startswith("caption-") and name.endswith(f"-{words.name}")
    ]
    if pictures is not None:
        made.append((f"embeddings/{picture_space(pictures.name)}", pictures.model, "pictures are", "vitrine embed"))
    made.append((frames_artifact(frames.name), frames.model, "frames are", "vitrine train video"))
    made.append((ARTIFACT, frames.model, "frames are", "vitrine train video"))
    for name, model, what, command in made:
        manifest = workspace.manifest(name)
        # What was brought along names no embedder, and no command of ours renews it.
        before = manifest.meta.get("model") if manifest and "embedder" in manifest.meta else None
        if before is not None and before != model:
            yield Stale(name, f"made by {before!r}, and {what} read by {model!r} now", f"run {command}")


def _items_left_out(settings: Settings, workspace: Workspace) -> Iterator[Stale]:
    """Yield the space of what the shop wrote where items came after it was made."""
    from embedding.job import default_space
    from vitrine.wiring import make_embedder

    try:
        name = f"embeddings/{default_space(make_embedder(settings).name)}"
    except VitrineError:
        return
    manifest = workspace.manifest(name)
    if manifest is None or "items_without_text" not in manifest.meta or not workspace.has("catalog"):
        return
    with workspace.reading("catalog") as folder:
        items = pl.read_parquet(folder / "items.parquet", columns=["item_id"])
    with workspace.reading(name) as folder:
        lacking = items.join(pl.read_parquet(folder / "ids.parquet"), on="item_id", how="anti")
    if len(lacking) > int(manifest.meta["items_without_text"]) + int(manifest.meta.get("failed", 0)):
        yield Stale(
            name, f"{len(lacking):,} of the catalogue's {len(items):,} items are not in it", "run vitrine embed"
        )


def _older_heads(workspace: Workspace) -> Iterator[Stale]:
    from captioning.catalogue.places import CATALOGUE
    from captioning.catalogue.trained import models_key

    manifest = workspace.manifest(CATALOGUE)
    try:
        current = models_key(workspace)
    except VitrineError:
        return
    if manifest is not None and manifest.meta.get("models") not in (None, current):
        remedy = "run vitrine caption --set captions.captioner=catalogue"
        yield Stale(CATALOGUE, "encoders/clip changed since it was made", remedy)
        if workspace.has("captions/catalogue"):
            yield Stale("captions/catalogue", f"it was made by {CATALOGUE}", remedy)


def _older_captions(workspace: Workspace, stale: Mapping[str, Stale]) -> Iterator[Stale]:
    for name in workspace.names("embeddings"):
        manifest = workspace.manifest(f"embeddings/{name}")
        if manifest is None or not manifest.meta.get("captions_key"):
            continue
        source = f"captions/{manifest.meta['captions']}"
        if _key(workspace, source) not in (None, manifest.meta["captions_key"]):
            yield Stale(f"embeddings/{name}", f"{source} changed since it was made", "run vitrine embed")
        elif source in stale:
            yield Stale(f"embeddings/{name}", f"it was made of {source}", "run vitrine embed")


def _left_by_another_encoder(workspace: Workspace) -> Iterator[Stale]:
    """Yield spaces of films that no encoder of the store makes any more."""
    current = _films(workspace)
    for name in workspace.names("embeddings"):
        manifest = workspace.manifest(f"embeddings/{name}")
        mine = manifest is not None and "pooling" in manifest.meta
        if current is not None and mine and f"embeddings/{name}" != current:
            why = f"encoders/video makes {Path(current).name} now"
            yield Stale(f"embeddings/{name}", why, f"{GONE}: remove it from embeddings/ and indexes/ of the store")


def _films(workspace: Workspace) -> str | None:
    """Return the space that the store's video encoder makes."""
    manifest = workspace.manifest("encoders/video")
    return f"embeddings/{manifest.meta['space']}" if manifest is not None and "space" in manifest.meta else None


def _indexes(workspace: Workspace, stale: Mapping[str, Stale]) -> Iterator[Stale]:
    for name in workspace.names("indexes"):
        index, space = workspace.manifest(f"indexes/{name}"), f"embeddings/{name}"
        table = workspace.manifest(space)
        if index is None or table is None:
            continue
        if _earlier(index, table):
            yield Stale(f"indexes/{name}", f"{space} changed since it was made", "run vitrine index")
        elif space in stale and not stale[space].remedy.startswith(GONE):
            yield Stale(f"indexes/{name}", f"it was made of {space}", "run vitrine index")


def _earlier(one: Manifest, other: Manifest) -> bool:
    return one.made_at < other.made_at


def _served(settings: Settings, workspace: Workspace, stale: Mapping[str, Stale]) -> Iterator[Stale]:
    name = f"models/{settings.models.serve}"
    manifest = workspace.manifest(name)
    if manifest is not None and (why := _why(workspace, manifest, stale)):
        yield Stale(name, why, "run vitrine train")


def _key(workspace: Workspace, name: str) -> str | None:
    manifest = workspace.manifest(name)
    return manifest.key if manifest else None
