"""The space `attributes` of a store: made of the catalogue alone, with the basis that later items are folded into."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from catalog.errors import NothingToDo
from catalog.shop_data import load_shop
from catalog.workspace import Workspace, content_key
from embedding.attribute_table import DIMS, MIN_ITEMS, SPACE, AttributeBasis, attribute_facts, fit_attributes

EMBEDDER = "tf-idf"
_FORMAT = 1
"""Part of the content key: raised when the same facts would give other vectors."""


class AttributeSpaceConfig(BaseModel):
    """Whether and how the space `attributes` is made; all of it changes vectors."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    enabled: bool = True
    """Whether `vitrine embed` makes the space `attributes` of what the shop states (brand, categories, attributes,
    title words). Only models that ask for it read it, `sequence_linear` and `sequence_tower`; off, they are not
    given it either."""
    dims: int = Field(DIMS, ge=1)
    """Most columns; fewer where the facts have fewer directions."""
    min_items: int = Field(MIN_ITEMS, ge=1)
    """Facts of fewer items are left out: they cannot make two items alike."""


@dataclass(frozen=True, slots=True)
class MadeSpace:
    """The space as it stands: how many items, how wide, and whether this run had to make it."""

    items: int
    dim: int
    made: bool


def embed_attributes(workspace: Workspace, config: AttributeSpaceConfig | None = None) -> MadeSpace:
    """Write `embeddings/attributes` and its basis, or leave it alone while the facts are the same.

    Raises:
        NotBuiltError: When the catalogue is missing.
        NothingToDo: When no two items share a fact, or a space of that name was brought along.
    """
    config = config or AttributeSpaceConfig()
    items = list(load_shop(workspace).catalog)
    facts = [(item.item_id, attribute_facts(item)) for item in items]
    key = content_key("attributes", _FORMAT, config.dims, config.min_items, facts)
    artifact = f"embeddings/{SPACE}"
    standing = workspace.manifest(artifact)
    if standing is not None and standing.meta.get("embedder") != EMBEDDER:
        raise NothingToDo(f"space {SPACE!r}: the one in the store was brought along and stays")
    if standing is not None and standing.key == key:
        return MadeSpace(len(items), int(standing.meta["dim"]), made=False)
    table, basis = fit_attributes(items, dims=config.dims, min_items=config.min_items)
    if not basis.tokens:
        some = f"{config.min_items} or more of the {len(items)} items"
        raise NothingToDo(f"space {SPACE!r}: no fact is stated by {some} and not by all")
    meta = {
        "space": SPACE, "embedder": EMBEDDER, "model": f"TF-IDF of stated facts, {table.dim} directions",
        "dim": table.dim, "items": len(items), "tokens": len(basis.tokens),
    }  # fmt: skip
    with workspace.writing(artifact, key, meta) as folder:
        table.save(folder)
        basis.save(folder)
    return MadeSpace(len(items), table.dim, made=True)


def has_basis(workspace: Workspace, space: str) -> bool:
    """Whether a space has a basis of its own: it is for models alone, and no shop searches in it.

    Raises:
        NotBuiltError: When there is no such space.
        DataError: When it is damaged.
    """
    with workspace.reading(f"embeddings/{space}") as folder:
        return AttributeBasis.stands_in(folder)


def load_basis(workspace: Workspace, space: str) -> AttributeBasis | None:
    """Return the basis of a space, or None where it has none.

    Raises:
        NotBuiltError: When there is no such space.
        DataError: When it is damaged.
    """
    with workspace.reading(f"embeddings/{space}") as folder:
        return AttributeBasis.load(folder) if AttributeBasis.stands_in(folder) else None
