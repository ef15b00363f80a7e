"""What `vitrine train clip` builds, and how it is fitted."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from catalog.media import MediaLimits
from embedding.item_text import CATALOGUE_PARTS, Part
from embedding.opening import MOST_THREADS


class ClipTrainingConfig(BaseModel):
    """How an open_clip model is fitted on the catalogue; everything but `device` changes the model."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    base: str | None = None
    """What fine-tuning starts from: a model as `embedding.pictures.model` takes it; `--from` names one as well. None: a
    compact model from scratch, whose text tower begins as MiniLM."""
    pretrained: str | None = None
    """The tag or file of `base`, where it is a name of open_clip's list."""
    cache: Path | None = None
    """Where files of tags stand. None: the hub's own cache, and `~/.cache/clip`."""
    parts: tuple[Part, ...] = Field(CATALOGUE_PARTS, min_length=1)
    """What an item's text is made of. Each step shows the whole of it or one of its parts, so that short words find
    pictures as well."""
    folds: int = Field(4, ge=0, le=20)
    """Siblings that each leave out one part of the catalogue, for whoever must not have seen an item; 0 makes none."""
    held_out: float = Field(0.1, gt=0, lt=1)
    """Share of the catalogue, by `parent_id`, that recall is measured on and that ends the training."""
    epochs: int = Field(30, ge=1)
    """Most rounds through the catalogue; the best one on the held-out part is kept."""
    patience: int = Field(8, ge=1)
    """Rounds without a better recall before it stops."""
    batch_size: int = Field(64, ge=2)
    """Items in one step."""
    hard: float = Field(0.5, ge=0, le=1)
    """Share of a step's items that are of one category, so that what tells them apart is learned."""
    labels: float = Field(1.0, ge=0, le=100)
    """Weight of a second task, which teaches a model from scratch to name, from the picture and from the text, what the
    shop states of an item: categories and attributes. Its heads are thrown away."""
    learning_rate: float = Field(2e-3, gt=0, le=1)
    """Of AdamW, at its highest; a model from elsewhere is fine-tuned at a hundredth of it."""
    weight_decay: float = Field(0.05, ge=0, le=10)
    """Of AdamW."""
    picture_size: int = Field(64, ge=32, le=512, multiple_of=32)
    """Pixels of a picture's side as the model from scratch sees it, a multiple of 32."""
    width: int = Field(16, ge=8, le=128, multiple_of=2)
    """Channels of the picture tower's first stage; the last has eight times as many."""
    dim: int = Field(128, ge=8, le=1024)
    """Width of a vector of the model from scratch."""
    context: int = Field(96, ge=8, le=256)
    """Word pieces of a text that the model from scratch reads."""
    images_per_item: int = Field(2, ge=1)
    """Pictures of one item that are learned from, in the catalogue's order."""
    device: str = "cpu"
    """A torch device."""
    threads: int = Field(1, ge=1, le=MOST_THREADS)
    """Torch threads; another number may give other weights in the last digits. More help on a machine of one's own; on
    two busy cores two took three times the time of one, waiting for each other."""
    media: MediaLimits = MediaLimits()
    """Bounds on what is decoded."""
