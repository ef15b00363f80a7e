"""Parameters and loss of BPR-MF."""

from __future__ import annotations

from torch import Tensor

from models.bprmf import BPRMFConfig
from models.pairwise_training import Network, bpr_loss, new_table, pick, squared_rows


class BPRMFNetwork(Network):
    """A table of users and a table of items."""

    def __init__(self, n_users: int, n_items: int, config: BPRMFConfig) -> None:
        super().__init__()
        self.users = new_table(n_users, config.dim)
        self.items = new_table(n_items, config.dim)
        self._regularisation = config.regularisation

    def loss(self, triples: Tensor) -> Tensor:
        """Return the loss of triples (3, b)."""
        rows = pick(self.users, triples[0]), pick(self.items, triples[1]), pick(self.items, triples[2])
        return bpr_loss(*rows) + self._regularisation * squared_rows(*rows)

    def tables(self) -> dict[str, Tensor]:
        """Return the two tables."""
        return {"users": self.users, "items": self.items}
