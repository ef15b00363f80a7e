"""`FusionEncoder`: vectors of an item, or of what a shopper says and shows, become one vector of the fused space."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from pydantic import ValidationError

from catalog.errors import DataError, NotBuiltError
from catalog.ids import IdMap
from catalog.progress import SILENT, Progress
from catalog.vectors import EmbeddingTable, Floats
from catalog.workspace import Workspace, write_text
from embedding.fusion.baskets import baskets_of
from embedding.fusion.config import FusionConfig
from embedding.fusion.inputs import role_inputs, role_means
from embedding.fusion.training import FusionFit, encode_all, train_network

if TYPE_CHECKING:
    from embedding.fusion.network import FusionNetwork

ARTIFACT = "encoders/fusion"
SPACE = "fused"
WEIGHTS, CONFIG = "fusion.safetensors", "fusion.json"
_MEAN = "mean."


@dataclass(frozen=True, eq=False)
class FusionEncoder:
    """A trained fusion network with what its inputs are centred by.

    Attributes:
        config: What it was built and trained with.
        spaces: Space by role, in the encoder's order; `means` has the same roles.
        means: Mean vector of each role, (width,).
        network: The weights.
    """

    config: FusionConfig
    spaces: Mapping[str, str]
    means: Mapping[str, Floats]
    network: FusionNetwork

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles it reads."""
        return tuple(self.spaces)

    @property
    def dim(self) -> int:
        """Width of a fused vector."""
        return self.config.dim

    def encode(
        self, vectors: Mapping[str, Floats | None] | None = None, /, *, query: bool = True, **roles: Floats | None
    ) -> Floats:
        """Return unit vectors of the fused space, (n, dim) float32; a query's lies near the items it describes.

        Args:
            vectors: By role, (n, width) or one (width,), each of the space `spaces` names. None, or a row of zeros:
                nothing is known of that role.
            query: Whether a shopper asks with these vectors; False: they are an item's.
            **roles: The same by name: `text=`, `picture=`, `video=`, `speech=`.

        Raises:
            DataError: When a role is unknown, a shape is wrong, or a row has no role at all.

        Example:
            encoder.encode(text=embedder.embed_queries(["a red vase"]), picture=captioned)
        """
        given = {
            role: None if each is None else np.atleast_2d(each) for role, each in {**(vectors or {}), **roles}.items()
        }
        return encode_all(self.network, role_inputs(given, self.means), self.config, asked=query)

    def encode_items(self, tables: Mapping[str, EmbeddingTable], ids: IdMap) -> EmbeddingTable:
        """Return the fused vectors of those of `ids` that have a vector of any role.

        Args:
            tables: By role; a role that is absent is nobody's.
            ids: Items, those the encoder was trained on or later ones.

        Raises:
            DataError: When a table's width is not the one trained on, or a role is unknown.
        """
        aligned = {role: table.align(ids)[0] for role, table in tables.items()}
        some = np.zeros(len(ids), np.bool_)
        for vectors in aligned.values():
            some |= vectors.any(axis=1)
        if not some.any():
            return EmbeddingTable(IdMap([]), np.zeros((0, self.dim), np.float32), SPACE)
        kept = IdMap(np.asarray(ids.ids, object)[some].tolist())
        found = self.encode({role: vectors[some] for role, vectors in aligned.items()}, query=False)
        return EmbeddingTable(kept, found, SPACE)

    def save(self, folder: Path) -> None:
        """Write weights and config into an existing folder; the same encoder gives the same bytes."""
        from safetensors.numpy import save_file

        arrays = {name: table.detach().cpu().numpy() for name, table in self.network.state_dict().items()}
        arrays |= {f"{_MEAN}{role}": mean for role, mean in self.means.items()}
        save_file({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)}, folder / WEIGHTS)
        (folder / WEIGHTS).chmod(0o644)
        # A list, since the order of the roles is the order of the network's inputs.
        spaces = [[role, space] for role, space in self.spaces.items()]
        head = {"config": self.config.model_dump(mode="json"), "spaces": spaces}
        write_text(folder / CONFIG, json.dumps(head, indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, folder: Path, device: str = "cpu") -> FusionEncoder:
        """Read what `save` wrote.

        Raises:
            DataError: When it is damaged.
        """
        import torch
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        from embedding.fusion.network import FusionNetwork

        try:
            head = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
            config = FusionConfig.model_validate({**head["config"], "device": device})
            spaces = {str(role): str(space) for role, space in head["spaces"]}
            arrays = load_file(folder / WEIGHTS)
            means = {role: arrays.pop(f"{_MEAN}{role}") for role in spaces}
            network = FusionNetwork({role: len(mean) for role, mean in means.items()}, config)
            network.load_state_dict({name: torch.from_numpy(table) for name, table in arrays.items()})
        except (SafetensorError, ValidationError, ValueError, KeyError, TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise DataError(f"{str(folder)!r} holds no fusion encoder that can be read: {reason}") from error
        network.to(device).eval()
        return cls(config, spaces, means, network)


def fit_fusion(
    tables: Mapping[str, EmbeddingTable],
    items: IdMap,
    events: pl.DataFrame,
    config: FusionConfig | None = None,
    *,
    seed: int = 0,
    progress: Progress = SILENT,
) -> tuple[FusionEncoder, FusionFit]:
    """Train an encoder on what `events` say was taken together; the same inputs and seed give the same weights.

    Args:
        tables: Vectors of the catalogue's items by role.
        items: The catalogue.
        events: Positives to learn from, train rows alone: `item_id`, `user_id`, and `session_id` for sessions.
        config: How; None: the defaults.
        seed: Of everything drawn.
        progress: Told of every round.

    Raises:
        DataError: When a role has no vector, or too few items were taken together.
        ConfigError: When torch cannot use the device.
    """
    config = config or FusionConfig()
    means = role_means(tables, items)
    aligned = {role: table.align(items)[0] for role, table in tables.items()}
    inputs = role_inputs(aligned, means, absent=True)
    baskets = baskets_of(events, items, config.together)
    network, fit = train_network(inputs, baskets, config, seed=seed, progress=progress)
    return FusionEncoder(config, {role: table.space for role, table in tables.items()}, means, network), fit


def load_fusion(workspace: Workspace, device: str = "cpu") -> FusionEncoder:
    """Read `encoders/fusion`.

    Raises:
        NotBuiltError: When it was never trained.
        DataError: When it is damaged.
    """
    if not workspace.has(ARTIFACT):
        raise NotBuiltError(f"no fusion encoder in the store {str(workspace.root)!r}: run vitrine train fusion first")
    with workspace.reading(ARTIFACT, whole=True) as folder:
        return FusionEncoder.load(folder, device)
