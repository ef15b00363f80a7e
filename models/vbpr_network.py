"""Parameters and loss of VBPR."""

from __future__ import annotations

import torch
from torch import Tensor

from models.item_features import ItemFeatures
from models.linear_reading import LinearReading
from models.pairwise_training import Arrays, Network, bpr_loss, new_table, pick, squared_rows
from models.vbpr import VBPRConfig


class VBPRNetwork(Network):
    """User rows twice as wide as item rows, and a linear reading of the features for the other half."""

    def __init__(self, n_users: int, features: ItemFeatures, config: VBPRConfig) -> None:
        super().__init__()
        self._means = features.means
        joined = features.joined(centred=config.centred)
        self.users = new_table(n_users, 2 * config.dim)
        self.items = new_table(len(joined), config.dim)
        self.reading = LinearReading(joined, config.dim)
        self._regularisation = config.regularisation

    def loss(self, triples: Tensor) -> Tensor:
        """Return the loss of triples (3, b)."""
        both = torch.cat([triples[1], triples[2]])
        taken, sampled = torch.cat([pick(self.items, both), self.reading(both)], dim=1).chunk(2)
        users = pick(self.users, triples[0])
        return bpr_loss(users, taken, sampled) + self._regularisation * squared_rows(users, taken, sampled)

    def tables(self) -> dict[str, Tensor]:
        """Return users, items `[q | W x + c]`, `weight` W and `offset` c."""
        items = torch.cat([self.items, self.reading()], dim=1)
        return {"users": self.users, "items": items, "weight": self.reading.weight, "offset": self.reading.bias}

    def constants(self) -> Arrays:
        """Return `mean.<modality>`."""
        return {f"mean.{name}": mean for name, mean in self._means.items()}
