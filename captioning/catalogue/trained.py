"""`encoders/catalogue` on disk: the speakers of every fold, which item is in which, nothing unpickled."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from captioning.catalogue.calibration import NEVER
from captioning.catalogue.fields import Field
from captioning.catalogue.heads import Heads
from captioning.catalogue.learning import Speaker
from captioning.catalogue.places import CATALOGUE, SCOPES_FILE, WHOLE
from catalog.errors import DataError
from catalog.workspace import Workspace, write_text
from embedding.clip_training.places import CLIP, CLIP_FOLDS

HEADS_FILE, TOLD_FILE = "heads.safetensors", "heads.json"
FORMAT = 1
_PARTS = ("mean", "spread", "weights", "bias")


@dataclass(frozen=True)
class Trained:
    """What speaks of a store's pictures.

    Attributes:
        key: Content key of the artifact.
        speakers: By fold and for `WHOLE`.
        scopes: The fold of every item; `WHOLE` of those that came after the training.
    """

    key: str
    speakers: Mapping[int, Speaker]
    scopes: Mapping[str, int]

    def scope(self, item_id: str) -> int:
        """Return whose model and heads never saw an item; `WHOLE` for a picture that is no item's."""
        return self.scopes.get(item_id, WHOLE)


def save_speakers(folder: Path, speakers: Mapping[int, Speaker], scopes: Mapping[str, int]) -> None:
    """Write heads, confidences and scopes into an existing folder; the same ones give the same bytes."""
    from safetensors.numpy import save_file

    told = {
        "format": FORMAT,
        "speakers": {
            str(fold): {
                "fields": [field.told() for field in speaker.heads.fields],
                "least": {name: None if math.isinf(at) else at for name, at in speaker.least.items()},
            }
            for fold, speaker in speakers.items()
        },
    }
    write_text(folder / TOLD_FILE, json.dumps(told, ensure_ascii=False, indent=1) + "\n")
    arrays = {f"{fold}.{name}": value for fold, s in speakers.items() for name, value in s.heads.arrays().items()}
    save_file(arrays, folder / HEADS_FILE)
    table = pl.DataFrame(
        {"item_id": list(scopes), "fold": list(scopes.values())}, schema={"item_id": pl.String, "fold": pl.Int64}
    )
    table.write_parquet(folder / SCOPES_FILE)


def load_trained(workspace: Workspace) -> Trained:
    """Read `encoders/catalogue` of a store.

    Raises:
        NotBuiltError: When it was never trained.
        DataError: When it is damaged, or the picture-text models were trained again since.
    """
    from safetensors.numpy import load_file

    with workspace.reading(CATALOGUE, whole=True) as folder:
        manifest = workspace.manifest(CATALOGUE)
        assert manifest is not None
        if models_key(workspace) != manifest.meta["models"]:
            raise DataError(f"the heads were trained for other picture-text models than those of {CLIP_FOLDS!r}")
        told: Mapping[str, Any] = json.loads((folder / TOLD_FILE).read_text("utf-8"))
        if told["format"] != FORMAT:
            raise DataError(f"the heads have the format {told['format']!r}; {FORMAT} would be valid")
        arrays = load_file(folder / HEADS_FILE)
        speakers = {}
        for fold, each in told["speakers"].items():
            fields = tuple(Field(f["name"], tuple(f["values"]), bool(f["several"])) for f in each["fields"])
            heads = Heads(fields, *(arrays[f"{fold}.{name}"] for name in _PARTS))
            columns = sum(len(field.values) for field in fields)
            if heads.weights.shape != (len(heads.mean), columns):
                raise DataError(
                    f"weights of fold {fold} are {heads.weights.shape}; {(len(heads.mean), columns)} would be valid"
                )
            speakers[int(fold)] = Speaker(heads, {k: NEVER if at is None else at for k, at in each["least"].items()})
        scopes = dict(pl.read_parquet(folder / SCOPES_FILE).select("item_id", "fold").iter_rows())
    return Trained(manifest.key, speakers, scopes)


def models_key(workspace: Workspace) -> list[str]:
    """Return the content keys of the models whose features the heads read.

    Raises:
        NotBuiltError: When one was never trained.
    """
    for name in (CLIP, CLIP_FOLDS):
        workspace.path(name)
    manifests = [workspace.manifest(name) for name in (CLIP, CLIP_FOLDS)]
    return [manifest.key for manifest in manifests if manifest is not None]
