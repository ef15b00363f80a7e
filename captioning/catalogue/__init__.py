"""The `catalogue` captioner: words learned from what the shop states of its other items."""
